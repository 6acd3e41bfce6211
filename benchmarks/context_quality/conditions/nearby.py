"""Which other files somebody who edits a file has probably looked at: a stand-in for an editor's history.

Files that the text imports, nearest folder first and then in order of import; the same folder; all others by
distance between folders. Imports are read by pattern: the text may be broken at the cursor.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from benchmarks.context_quality.corpus import EXTENSIONS, Corpus
from benchmarks.context_quality.sites import Site

_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n(]+)$", re.MULTILINE)
_JAVASCRIPT = re.compile(r"""(?:\bfrom|\brequire\s*\(|\bimport)\s*\(?\s*["'](\.[^"'\n]*)["']""")


def visited_files(corpus: Corpus, site: Site) -> list[str]:
    """All other files of the corpus, the one visited last first."""
    imported = imported_files(corpus, site)
    ranks = {path: rank for rank, path in enumerate(imported)}
    others = corpus.others(site.path)
    return sorted(others, key=lambda path: (ranks.get(path, len(ranks)), _distance(path, site.path), path))


def imported_files(corpus: Corpus, site: Site) -> list[str]:
    """Files of the corpus that the text imports itself, nearest folder first, then in order of import."""
    find = _python_imports if corpus.language == "python" else _javascript_imports
    found = [path for path in dict.fromkeys(find(corpus, site.path, site.hole.text)) if path != site.path]
    return sorted(found, key=lambda path: _distance(path, site.path))


def _python_imports(corpus: Corpus, importer: str, text: str) -> Iterator[str]:
    statements = [(match.start(), match.group(1), match.group(2)) for match in _FROM.finditer(text)]
    for match in _IMPORT.finditer(text):
        statements += [
            (match.start(), part.split()[0], "") for part in match.group(1).split(",") if part.split()
        ]
    for _, module, names in sorted(statements):
        base = _python_base(importer, module)
        children = [name.split()[0] for name in names.strip("()").split(",") if name.split()]
        submodules = [
            path for name in children for path in _python_files(corpus, f"{base}/{name}".lstrip("/"))
        ]
        yield from submodules or _python_files(corpus, base)


def _python_base(importer: str, module: str) -> str:
    level = len(module) - len(module.lstrip("."))
    folder = posixpath.dirname(importer)
    for _ in range(level - 1):
        folder = posixpath.dirname(folder)
    tail = module[level:].replace(".", "/")
    return posixpath.join(folder, tail).rstrip("/") if level else tail


def _python_files(corpus: Corpus, base: str) -> Iterator[str]:
    for path in (f"{base}/__init__.py", f"{base}.py", f"src/{base}/__init__.py", f"src/{base}.py"):
        if path in corpus.files:
            yield path
            return


def _javascript_imports(corpus: Corpus, importer: str, text: str) -> Iterator[str]:
    endings = ("", *EXTENSIONS["javascript"], *(f"/index{ending}" for ending in EXTENSIONS["javascript"]))
    for match in _JAVASCRIPT.finditer(text):
        base = posixpath.normpath(posixpath.join(posixpath.dirname(importer), match.group(1)))
        path = next((base + ending for ending in endings if base + ending in corpus.files), None)
        if path is not None:
            yield path


def _distance(path: str, other: str) -> int:
    """Folders up and down between two files."""
    first, second = path.split("/")[:-1], other.split("/")[:-1]
    common = len(posixpath.commonprefix([first, second]))
    return len(first) + len(second) - 2 * common
