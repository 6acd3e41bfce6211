"""Names in Python files and where they are defined, by jedi and parso. Knows no prompts.

What jedi cannot follow counts only where it is an attribute that exactly one other file of the corpus
defines. Only the workspace and the standard library are on jedi's path, whatever is installed beside them.
"""

from __future__ import annotations

import re
import sysconfig
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Definition, Origin, Resolved, Spot

SYNTAX = "3.12"
"""Files are read as this version's, whatever runs us: the same names everywhere."""
MIN_LINE_LEAVES = 3
BUILTIN_MEMBERS = frozenset(name for kind in (str, bytes, list, dict, set, int) for name in dir(kind))
"""An attribute that jedi cannot follow is guessed by its name, but not if it may be one of these."""
_DEFINED = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+|class[ \t]+|self\.(?=\w+[ \t]*(?::[^=\n]+)?=[^=]))(\w+)",
    re.MULTILINE,
)


class PythonNames:
    """The names of one corpus."""

    def __init__(self, corpus: Corpus) -> None:
        import jedi  # type: ignore[import-untyped,unused-ignore]

        self._corpus = corpus
        self._root = corpus.root.resolve()
        standard = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
        self._project = jedi.Project(self._root, sys_path=[str(self._root), *standard], smart_sys_path=False)
        self._scripts: dict[str, Any] = {}
        self._imports: dict[str, set[int]] = {}
        """Lines of import statements, of the files whose spots were asked for."""
        self._defined = _definitions_by_name(corpus)

    def spots(self, path: str) -> list[Spot]:
        """Names outside of imports, definitions' own names, comments and strings."""
        from parso.grammar import load_grammar

        text = self._corpus.files[path]
        starts = _line_starts(text)
        leaves = list(_leaves(load_grammar(version=SYNTAX).parse(text)))
        skipped = _skipped_lines(leaves)
        self._imports[path] = {leaf.start_pos[0] - 1 for leaf in leaves if _is_in_import(leaf)}
        found: list[Spot] = []
        for leaf in leaves:
            line, column = leaf.start_pos[0] - 1, leaf.start_pos[1]
            if leaf.type == "name" and line not in skipped and not _is_defining(leaf):
                offset = starts[line] + column
                end = text.find("\n", offset)
                found.append(Spot(offset, len(text) if end < 0 else end, leaf.value, line, column))
        return found

    def resolve(self, path: str, spot: Spot) -> Resolved | None:
        """By jedi's goto through imports; None for what it cannot follow and for a definition's own place."""
        places = self._places(path, spot, follow=True)
        if not places:
            bound = self._places(path, spot, follow=False)
            return (Origin.LIBRARY, ()) if self._are_imports(path, bound) else self._guess(path, spot)
        inside = [place for place in places if place is not None]
        if not inside:
            return Origin.LIBRARY, ()
        here = [place for place in inside if place.path == path]
        if not here:
            files = self._corpus.files
            known = tuple(place for place in inside if place.path in files and not place.is_module)
            return (Origin.CROSS_FILE, known) if known else None
        if self._are_imports(path, here):
            return Origin.LIBRARY, ()
        return (Origin.IN_FILE, tuple(here)) if here[0].line != spot.line else None

    def _are_imports(self, path: str, places: Sequence[Definition | None]) -> bool:
        """Imports of the file itself that jedi could not follow: they lead out of the workspace."""
        lines = self._imports[path]
        return bool(places) and all(place and place.path == path and place.line in lines for place in places)

    def _places(self, path: str, spot: Spot, *, follow: bool) -> list[Definition | None]:
        """Where jedi goes; None stands for a place outside of the workspace."""
        import jedi

        if path not in self._scripts:
            code = self._corpus.files[path]
            self._scripts[path] = jedi.Script(code, path=self._root / path, project=self._project)
        try:
            found = self._scripts[path].goto(
                spot.line + 1, spot.column, follow_imports=follow, follow_builtin_imports=follow
            )
        except Exception:  # noqa: BLE001 - jedi raises anything on code it cannot follow
            return []
        return [self._place(name) for name in found]

    def _place(self, name: Any) -> Definition | None:
        if name.module_path is None or name.line is None:
            return None
        file = Path(name.module_path)
        if not file.is_relative_to(self._root):
            return None
        path = file.relative_to(self._root).as_posix()
        return Definition(path, name.line - 1, name.name, name.type == "param", name.type == "module")

    def _guess(self, path: str, spot: Spot) -> Resolved | None:
        is_attribute = spot.offset > 0 and self._corpus.files[path][spot.offset - 1] == "."
        places = self._defined.get(spot.name, []) if is_attribute and spot.name not in BUILTIN_MEMBERS else []
        files = {place.path for place in places}
        return (Origin.CROSS_FILE, tuple(places)) if len(files) == 1 and path not in files else None


def _definitions_by_name(corpus: Corpus) -> dict[str, list[Definition]]:
    found: dict[str, list[Definition]] = defaultdict(list)
    for path, text in corpus.files.items():
        for match in _DEFINED.finditer(text):
            name = match.group(1)
            found[name].append(Definition(path, text.count("\n", 0, match.start(1)), name))
    return found


def _leaves(tree: Any) -> Iterator[Any]:
    leaf = tree.get_first_leaf()
    while leaf is not None:
        yield leaf
        leaf = leaf.get_next_leaf()


def _skipped_lines(leaves: list[Any]) -> set[int]:
    """Lines of imports, of strings over several lines, with comments, and with too little on them."""
    skipped: set[int] = set()
    num_leaves: dict[int, int] = defaultdict(int)
    for leaf in leaves:
        first, last = leaf.start_pos[0] - 1, leaf.end_pos[0] - 1
        num_leaves[first] += leaf.type != "newline"
        before = leaf.get_start_pos_of_prefix()[0] - 1
        skipped |= {before + i for i, part in enumerate(leaf.prefix.split("\n")) if "#" in part}
        if leaf.type != "newline" and last > first:
            skipped |= {*range(first, last + 1)}
        if leaf.type in ("error_leaf", "fstring_start") or _is_in_import(leaf):
            skipped.add(first)
    return skipped | {line for line, num in num_leaves.items() if num < MIN_LINE_LEAVES}


def _is_in_import(leaf: Any) -> bool:
    return leaf.search_ancestor("import_name", "import_from") is not None


def _is_defining(leaf: Any) -> bool:
    """`def NAME`, `class NAME`, a parameter's own name."""
    parent = leaf.parent
    if parent.type in ("funcdef", "classdef", "error_node"):
        return parent.type == "error_node" or leaf is parent.name
    return parent.type == "param" and leaf is parent.name


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    return starts
