"""Proof that no measured package was trained on: not by its name, and not as a copy inside another package.

Reads the tables of the corpus and, where one is at hand, the corpus itself. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.packages import Package
from training.corpus.known_text import KnownText
from training.corpus.licence_header import without_licence_header
from training.corpus.repository import repositories
from training.corpus.verdicts import MAX_PACKAGES, copied_from
from training.corpus.words import word_hashes
from training.sources.table import HELD_OUT, TABLE, Registry, normalised, read_held_out, read_table

REGISTRIES = {"python": Registry.PYPI, "javascript": Registry.NPM}


class TrainedOnError(Exception):
    """A measured package is in the corpus: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of the corpus that holds text of a measured package."""

    repository: str
    path: str
    package: str
    num_words: int
    """In the longest run that both have."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a corpus holds of the measured packages."""

    copies: Sequence[Copy]
    num_files: int
    """That were looked at."""


def check_names(packages: Iterable[Package], table: Path = TABLE, held_out: Path = HELD_OUT) -> None:
    """Raises TrainedOnError, and TableError if a table holds what another one keeps out."""
    kept_out = {(each.registry, normalised(each.registry, each.name)) for each in read_held_out(held_out)}
    sources = {(each.registry, normalised(each.registry, each.name)) for each in read_table(table, held_out)}
    for package in packages:
        name = REGISTRIES[package.language], normalised(REGISTRIES[package.language], package.name)
        if name in sources or name not in kept_out:
            raise TrainedOnError(
                f"{package.name} is measured, so it must stand in {held_out.name} and not in {table.name}."
            )


def look(corpora: Sequence[Corpus], folder: Path) -> Found:
    """Compare every file of a built corpus, kept in `folder`, with every file of the measured packages."""
    known = KnownText.of(_texts(corpora), max_owners=MAX_PACKAGES)
    copies: list[Copy] = []
    num_files = 0
    for repository in repositories(folder):
        for file in repository.files:
            num_files += 1
            shared = copied_from(known, word_hashes(without_licence_header(file.text, file.language)))
            if shared is not None:
                copies.append(Copy(repository.key, file.path, shared.owner, shared.num_words))
    return Found(copies, num_files)


def _texts(corpora: Iterable[Corpus]) -> Iterator[tuple[str, str]]:
    for corpus in corpora:
        for text in corpus.files.values():
            yield corpus.package, without_licence_header(text, corpus.language)
