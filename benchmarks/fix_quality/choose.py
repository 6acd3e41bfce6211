"""Which faults are planted: equal numbers of each kind, in all packages and files in turn. Seeded.

A slip becomes a fault where the checker of its kind reports it; how many it does not report is counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.context_quality.corpus import Corpus
from benchmarks.fix_quality.checkers import SYNTAX_ERROR
from benchmarks.fix_quality.checks import Checks, parses
from benchmarks.fix_quality.faults import SYNTAX, TYPED, Diagnostic, Fault, Kind, Slip
from benchmarks.fix_quality.name_slips import name_slips
from benchmarks.fix_quality.syntax_slips import syntax_slips

MAX_TRIES = 8
"""Slips of one kind tried in one file."""
MAX_FILE_CHARS = 100_000
MIN_FILE_CHARS = 1_000
CODES = {
    Kind.COLON: {SYNTAX_ERROR},
    Kind.BRACKET: {SYNTAX_ERROR},
    Kind.QUOTE: {SYNTAX_ERROR},
    Kind.INDENTATION: {SYNTAX_ERROR},
    Kind.NAME: {"F821"},
    Kind.VARIABLE: {"F821"},
    Kind.IMPORT: {"F821"},
    Kind.ATTRIBUTE: {"attr-defined", "union-attr"},
    Kind.ARGUMENT: {"call-arg", "call-overload"},
    Kind.ORDER: {"arg-type", "call-overload"},
}
"""What the checker must say for a slip to be a fault of its kind."""


class Chooser:
    """Faults of some packages, and how many slips were no fault that a checker reports."""

    def __init__(self, corpora: Sequence[Corpus], checks: Mapping[str, Checks], seed: int) -> None:
        self._corpora = corpora
        self._checks = checks
        self._seed = seed
        self.unreported: Counter[Kind] = Counter()

    def choose(self, kind: Kind, limit: int) -> list[Fault]:
        """At most so many faults of a kind; raises CheckerError."""
        queues = [self._of_package(corpus, kind) for corpus in self._corpora]
        found: list[Fault] = []
        while queues and len(found) < limit:
            alive = []
            for queue in queues:
                if len(found) < limit and (fault := next(queue, None)) is not None:
                    found.append(fault)
                    alive.append(queue)
            queues = alive
        return found

    def _of_package(self, corpus: Corpus, kind: Kind) -> Iterator[Fault]:
        """One of each file in turn."""
        checks = self._checks[corpus.package]
        paths = [
            path for path in corpus.targets() if _is_usual(path, corpus) and checks.is_checked(kind, path)
        ]
        self._chance(kind, corpus.package).shuffle(paths)
        files = [self._in_file(corpus, kind, path) for path in paths]
        while files:
            alive = []
            for file in files:
                if (fault := next(file, None)) is not None:
                    yield fault
                    alive.append(file)
            files = alive

    def _in_file(self, corpus: Corpus, kind: Kind, path: str) -> Iterator[Fault]:
        text, chance = corpus.files[path], self._chance(kind, corpus.package, path)
        find = syntax_slips if kind in SYNTAX else name_slips
        slips = find(kind, text, chance)
        chance.shuffle(slips)
        for slip in slips[:MAX_TRIES]:
            if said := reported(kind, path, text, slip, self._checks[corpus.package]):
                yield Fault(corpus.package, kind, path, slip, text, said)
            else:
                self.unreported[kind] += 1

    def _chance(self, *of: str) -> random.Random:
        return random.Random(f"{self._seed} {' '.join(of)}")  # noqa: S311 - must be repeatable


def reported(kind: Kind, path: str, text: str, slip: Slip, checks: Checks) -> tuple[Diagnostic, ...]:
    """All that the checker says of the slip, what its kind means first; nothing if it does not say that."""
    planted = slip.made(text)
    if parses(planted) == (kind in SYNTAX):
        return ()
    said = checks.added(kind, path, planted)
    meant = [each for each in said if each.path == path and _is_meant(kind, slip, text, each)]
    if not meant or (kind in (Kind.NAME, Kind.VARIABLE) and len(meant) > 1):
        return ()
    return (meant[0], *(each for each in said if each is not meant[0]))


def _is_meant(kind: Kind, slip: Slip, text: str, said: Diagnostic) -> bool:
    """Whether the checker means this slip, and says of it what makes it one of its kind."""
    if said.code not in CODES[kind]:
        return False
    if kind in TYPED:
        first = text.count("\n", 0, slip.start)
        is_there = said.line <= first + slip.old.count("\n") and first <= said.end_line
        is_named = f'"{slip.new}"' in said.message or kind is Kind.ORDER or said.code == "call-overload"
        return is_there and is_named
    if kind in (Kind.NAME, Kind.VARIABLE):
        return f"`{slip.new if kind is Kind.NAME else slip.old}`" in said.message
    return True


def _is_usual(path: str, corpus: Corpus) -> bool:
    text = corpus.files[path]
    return MIN_FILE_CHARS <= len(text) <= MAX_FILE_CHARS and "\r" not in text and "\f" not in text
