"""Risk against coverage: how many answers are shown at a confidence, and how many of these are right. Pure.

An answer is right if its first line comes next, and useful if that or a part of it saves keys; what is not
useful is what the user counts as wrong. Answers that the gate hid count like shown ones; the same answer
counts once, however long it is typed along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.replay.conversation import Asked

THRESHOLDS = tuple(step / 10 for step in range(10))
MAX_WRONG = 0.25
"""Of the shown ones, at the threshold that is suggested."""
MIN_SHOWN = 20
"""Fewer say nothing about a threshold."""


@dataclass(frozen=True, slots=True)
class Graded:
    """One answer."""

    confidence: float
    is_right: bool
    is_useful: bool


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold would do."""

    threshold: float
    coverage: float
    """The share of answers that is shown."""
    right: float
    """The share of the shown that is right; 1 of nothing."""
    useful: float
    """The share of the shown that is useful; 1 of nothing."""
    num_shown: int


def graded(asked: Iterable[Asked]) -> list[Graded]:
    """The answers whose confidence is known, each once."""
    found: dict[tuple[str, str], Graded] = {}
    for each in asked:
        confidence, answer = each.note.get("confidence"), each.answer()
        if confidence is None or answer is None or each.note.get("source") == "typedThrough":
            continue
        grade = Graded(confidence, bool(each.is_first_line_right()), bool(each.is_useful()))
        found.setdefault((each.document.uri, "".join(answer)), grade)
    return list(found.values())


def point(answers: Sequence[Graded], threshold: float) -> Point:
    """Show what is at least so sure."""
    shown = [answer for answer in answers if answer.confidence >= threshold]
    right = sum(answer.is_right for answer in shown) / len(shown) if shown else 1.0
    useful = sum(answer.is_useful for answer in shown) / len(shown) if shown else 1.0
    return Point(threshold, len(shown) / len(answers) if answers else 0.0, right, useful, len(shown))


def curve(answers: Sequence[Graded]) -> list[Point]:
    """A point for each confidence that occurs, the highest coverage last."""
    return [
        point(answers, threshold)
        for threshold in sorted({answer.confidence for answer in answers}, reverse=True)
    ]


def suggested(answers: Sequence[Graded], step: float = 0.01) -> float | None:
    """The lowest threshold at which fewer than `MAX_WRONG` of the shown are of no use; None without one."""
    for num in range(round(1 / step) + 1):
        found = point(answers, round(num * step, 6))
        if found.num_shown < MIN_SHOWN:
            return None
        if 1 - found.useful < MAX_WRONG:
            return found.threshold
    return None
