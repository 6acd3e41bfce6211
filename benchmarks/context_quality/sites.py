"""Places in real files where a line's rest is taken away, classed by where its first name is defined.

Seeded: the same package, seed and limits give the same sites. How a language finds and classes its names is
in `python_names.py` and `javascript_names.py`.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from benchmarks.context_quality.corpus import Corpus
from lsp_server.hole import Hole

MAX_TRIES_PER_FILE = 60
"""Names looked up in one file before it is left with fewer sites than allowed."""
MAX_LINE_CHARS = 160


class Origin(StrEnum):
    """Where the first name of an answer is defined."""

    CROSS_FILE = "cross-file"
    IN_FILE = "in-file"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a name is defined."""

    path: str
    line: int
    """From 0."""
    name: str
    """As it is written there; an import may have renamed it."""
    is_parameter: bool = False
    is_module: bool = False
    """The whole file; no line of it defines the name."""


Resolved = tuple[Origin, tuple[Definition, ...]]


@dataclass(frozen=True, slots=True)
class Spot:
    """A name in a file, and where its line ends."""

    offset: int
    end: int
    name: str
    line: int
    """From 0."""
    column: int


@dataclass(frozen=True, slots=True)
class Site:
    """One question: the text without the answer, and the answer."""

    package: str
    language: str
    path: str
    name: str
    origin: Origin
    definitions: tuple[Definition, ...]
    """Of a cross-file site, in other files; several where an attribute is set at several places."""
    answer: str
    hole: Hole = field(repr=False)

    @property
    def is_novel(self) -> bool:
        """The name occurs nowhere else in the file."""
        return re.search(rf"\b{re.escape(self.name)}\b", self.hole.text) is None


class Names(Protocol):
    """What sites need of a language."""

    def spots(self, path: str) -> list[Spot]:
        """Every name of a file that an answer may begin with."""
        ...

    def resolve(self, path: str, spot: Spot) -> Resolved | None:
        """Where the name at a spot is defined; None if nobody can say."""
        ...


def names_of(corpus: Corpus) -> Names:
    """The names of a corpus in its own language."""
    if corpus.language == "python":
        from benchmarks.context_quality.python_names import PythonNames

        return PythonNames(corpus)
    from benchmarks.context_quality.javascript_names import JavaScriptNames

    return JavaScriptNames(corpus)


def choose(
    corpus: Corpus, names: Names, origins: frozenset[Origin], seed: int, per_file: int = 3
) -> Iterator[Site]:
    """At most `per_file` sites of each origin in each file, one per line; a site of each file in turn.

    Lazy: names are looked up only as far as sites are taken.
    """
    paths = corpus.targets()
    random.Random(f"{seed} {corpus.package}").shuffle(paths)  # noqa: S311 - must be repeatable
    files = [_in_file(corpus, names, path, origins, seed, per_file) for path in paths]
    while files:
        turn = [(file, next(file, None)) for file in files]
        yield from (site for _, site in turn if site is not None)
        files = [file for file, site in turn if site is not None]


def _in_file(
    corpus: Corpus, names: Names, path: str, origins: frozenset[Origin], seed: int, per_file: int
) -> Iterator[Site]:
    spots = names.spots(path)
    random.Random(f"{seed} {corpus.package} {path}").shuffle(spots)  # noqa: S311 - must be repeatable
    lines: set[int] = set()
    found: Counter[Origin] = Counter()
    for spot in spots[:MAX_TRIES_PER_FILE]:
        if all(found[origin] >= per_file for origin in origins):
            return
        if spot.line in lines or spot.column + spot.end - spot.offset > MAX_LINE_CHARS:
            continue
        resolved = names.resolve(path, spot)
        if resolved is None or resolved[0] not in origins or found[resolved[0]] >= per_file:
            continue
        lines.add(spot.line)
        found[resolved[0]] += 1
        yield _site(corpus, path, spot, *resolved)


def _site(corpus: Corpus, path: str, spot: Spot, origin: Origin, definitions: tuple[Definition, ...]) -> Site:
    text = corpus.files[path]
    hole = Hole.at(text[: spot.offset] + text[spot.end :], spot.offset)
    answer = text[spot.offset : spot.end].strip()
    return Site(corpus.package, corpus.language, path, spot.name, origin, definitions, answer, hole)
