"""How sure it is that one set of weights is better than another: the same questions, paired.

Knows only what was right. New weights go in only if they win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.context_quality.bootstrap import interval, mcnemar

SURE = 0.05


@dataclass(frozen=True, slots=True)
class Rights:
    """Which questions of one measure were answered right, in their order."""

    is_right: Sequence[bool]
    clusters: Sequence[str]
    """What belongs together: a question's package; for tasks that stand alone, the task."""

    @property
    def mean(self) -> float:
        """The share of right answers."""
        return sum(self.is_right) / len(self.is_right)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, with whole clusters drawn anew."""
        return interval([float(each) for each in self.is_right], self.clusters)


@dataclass(frozen=True, slots=True)
class Gain:
    """One measure under both weights."""

    measure: str
    difference: float
    interval: tuple[float, float]
    """95 %, with whole clusters drawn anew."""
    won: int
    """Questions that only the new weights answer right."""
    lost: int
    p: float
    """Of so uneven a split between won and lost, if neither were better (McNemar)."""

    @property
    def is_better(self) -> bool:
        """More than chance would explain."""
        return self.won > self.lost and self.p < SURE

    @property
    def is_worse(self) -> bool:
        """More than chance would explain."""
        return self.lost > self.won and self.p < SURE


def gains(now: Mapping[str, Rights], before: Mapping[str, Rights]) -> list[Gain]:
    """Of every measure that both have."""
    return [_gain(name, now[name], before[name]) for name in now if name in before]


def verdict(found: Sequence[Gain]) -> str:
    """One sentence: whether the new weights should replace the old ones."""
    better = [gain.measure for gain in found if gain.is_better]
    worse = [gain.measure for gain in found if gain.is_worse]
    if not found:
        return "Nothing to compare with."
    if worse:
        return f"The new weights lose: worse in {', '.join(worse)}" + (
            f", better in {', '.join(better)}." if better else "."
        )
    if better:
        return f"The new weights win: better in {', '.join(better)}, nowhere surely worse."
    return "Undecided: no difference is larger than chance would explain."


def _gain(measure: str, now: Rights, before: Rights) -> Gain:
    pairs = list(zip(now.is_right, before.is_right, strict=True))
    won, lost = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    values = [float(a) - float(b) for a, b in pairs]
    return Gain(
        measure, sum(values) / len(values), interval(values, now.clusters), won, lost, mcnemar(won, lost)
    )
