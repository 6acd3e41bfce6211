"""Proof that no measured package was trained on: not by its name, and not as a copy inside another package.

Reads the tables of the corpus and, where one is at hand, the corpus itself. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.context_quality.packages import Package
from training.corpus.clean import Unseen
from training.corpus.known_text import KnownText
from training.corpus.overlap import OverlapReport, overlap_report
from training.sources.table import HELD_OUT, TABLE, Registry, normalised, read_held_out, read_table

REGISTRIES = {"python": Registry.PYPI, "javascript": Registry.NPM}


class TrainedOnError(Exception):
    """A measured package is in the corpus: its figures would mean nothing."""


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


def look(folder: Path, known: KnownText) -> OverlapReport:
    """Compare every file of a built corpus with what is held out, by the rule that it was built with."""
    return overlap_report(folder, Unseen(KnownText.of((), max_owners=0), known))
