"""What an archive or a checkout holds of use: source files, licence texts, metadata. Judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from training.corpus.repository import SourceFile

FILE_BYTES = 1 << 20
"""A longer source file is left out."""
LICENCE_BYTES = 256 << 10
LANGUAGES = {
    ".py": "python",
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".tsx", ".mts", ".cts"), "typescript"),
    ".c": "c",
    ".h": "c",
    **dict.fromkeys((".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx"), "cpp"),
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
}
_BUILT = """
node_modules dist build built out bundle bundles umd cjs esm es es5 es6 es2015 esm5 fesm2015 commonjs min
"""
BUILT = frozenset(_BUILT.split())
"""Folders of an npm archive with others' code, or with what was made from the sources."""
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")
_LICENCE_NAME = re.compile(r"(?i)(?:un)?licen[cs]e|copying|copyright")


@dataclass(frozen=True, slots=True)
class Package:
    """One package, raw: nothing is filtered yet."""

    metadata_licences: tuple[str, ...]
    """As the metadata write them, the most exact first."""
    licence_texts: tuple[tuple[str, str], ...]
    """(path, text) of the licence files; those of a wheel's metadata lie where they lay in the repository."""
    files: tuple[SourceFile, ...]
    declared: tuple[tuple[str, str], ...] = ()
    """(pattern, licence) that the metadata name for parts; a later one wins."""


def language_of(path: str, main: str) -> str | None:
    """By extension; a header is C++ in a package that is."""
    if path.endswith(_DECLARATIONS):
        return None
    suffix = PurePosixPath(path).suffix
    return "cpp" if suffix == ".h" and main == "cpp" else LANGUAGES.get(suffix)


def is_licence_file(path: str) -> bool:
    """Whether a file tells a licence: by its name, never code, never a NOTICE."""
    name = PurePosixPath(path).name
    return _LICENCE_NAME.match(name) is not None and PurePosixPath(path).suffix not in LANGUAGES


def limit_of(path: str, main: str) -> int:
    """The most bytes that are read of a file; 0 for one that is not wanted."""
    if is_licence_file(path):
        return LICENCE_BYTES
    return FILE_BYTES if language_of(path, main) else 0


def decoded(content: bytes) -> str | None:
    """The text with plain line ends, or None for what is no UTF-8 text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.replace("\r\n", "\n")


def is_built(path: str) -> bool:
    """Whether a file of an npm archive lies among what was made from the sources."""
    return any(part.lower().lstrip("_") in BUILT or part.startswith("dist-") for part in path.split("/")[:-1])


def source_files(texts: Iterable[tuple[str, str]], main: str) -> tuple[SourceFile, ...]:
    """The files in the known languages, by path."""
    found = ((path, language_of(path, main), text) for path, text in sorted(texts))
    return tuple(SourceFile(path, language, text) for path, language, text in found if language)
