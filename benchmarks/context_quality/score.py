"""How right an answer is, and what many answers say. Knows no engine and no conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.context_quality.sites import Site

_NAME = re.compile(r"[^\W\d][\w$]*")


@dataclass(frozen=True, slots=True)
class Score:
    """One answer against the truth."""

    is_exact: bool
    """The rest of the line, without blanks around it."""
    similarity: float
    """`rapidfuzz.fuzz.ratio` (Indel) as a fraction of 1."""
    is_name_right: bool
    """The first name of the answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One site under one condition."""

    site: Site
    condition: str
    budget_tokens: int
    context_tokens: int
    """What the condition really took."""
    answer: str
    score: Score


def score(site: Site, answer: str) -> Score:
    """Compare one line."""
    from rapidfuzz import fuzz

    given, wanted = answer.strip(), site.answer.strip()
    first = _NAME.match(given)
    is_name_right = first is not None and first.group() == site.name
    return Score(given == wanted, fuzz.ratio(given, wanted) / 100, is_name_right)


def mean(values: Sequence[float]) -> float:
    """The mean as a fraction with four digits; 0 of nothing."""
    return round(sum(values) / len(values), 4) if values else 0.0


def exact_match(rows: Sequence[Row]) -> float:
    """The share of answers that are exact."""
    return mean([row.score.is_exact for row in rows])


def helped_and_hurt(with_context: Sequence[Row], without: Sequence[Row]) -> tuple[int, int]:
    """Sites that context made right, and sites that it made wrong; both in the same order of sites."""
    pairs = [(a.score.is_exact, b.score.is_exact) for a, b in zip(with_context, without, strict=True)]
    return sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
