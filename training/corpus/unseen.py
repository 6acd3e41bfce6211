"""Gathers what no training may see: the benchmarks beside the checkout and the held-out packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.corpus.benchmark_texts import benchmark_texts, benchmarks_folder
from training.corpus.clean import Unseen
from training.corpus.held_out import kept_texts
from training.corpus.known_text import KnownText
from training.corpus.verdicts import MAX_PROBLEMS, MIN_PROBLEM_DISTINCT_WORDS


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was gathered, and from where."""

    unseen: Unseen
    compared: tuple[str, ...]
    by_name_only: tuple[str, ...]


def gathered(work: Path) -> Gathered:
    """Downloads packages into `work/held_out`; raises BenchmarksMissingError, SourceError, OSError."""
    benchmarks = KnownText.of(
        benchmark_texts(benchmarks_folder()),
        max_owners=MAX_PROBLEMS,
        min_distinct=MIN_PROBLEM_DISTINCT_WORDS,
    )
    held_out = kept_texts(work)
    return Gathered(Unseen(benchmarks, held_out.known), held_out.compared, held_out.by_name_only)
