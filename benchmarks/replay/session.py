"""What one server's session left behind, and what requests say of speed and reuse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.replay.conversation import Asked
from benchmarks.replay.processor import Stopwatch
from benchmarks.replay.user import Tally

CONTEXT, NONE = "context", "none"
"""The conditions: `context.enabled` or not; all else as it comes."""
STAGES = ("debounce", "plan", "queue", "prefill", "decode", "total")
"""Of `ms` in `ghostfill/didAnswer`."""
QUANTILES = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class Session:
    """One server, one condition, one package or recording."""

    source: str
    condition: str
    tally: Tally = field(default_factory=Tally)
    asked: list[Asked] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """Errors that the server answered with."""
    cpu_s: float = 0.0
    """Of server and engine while keys were pressed."""
    others_s: float = 0.0
    """Processor time of everything else meanwhile."""
    seconds: float = 0.0

    def note_time(self, watch: Stopwatch) -> None:
        """Add what a stretch took."""
        self.cpu_s += watch.own_seconds()
        self.others_s += watch.other_seconds()
        self.seconds += watch.seconds()


def together(sessions: Iterable[Session], source: str, condition: str) -> Session:
    """All sessions as one."""
    whole = Session(source, condition)
    for session in sessions:
        whole.tally.add(session.tally)
        whole.asked += session.asked
        whole.refusals += session.refusals
        whole.cpu_s += session.cpu_s
        whole.others_s += session.others_s
        whole.seconds += session.seconds
    return whole


def item_ms(asked: Iterable[Asked]) -> list[float]:
    """From the key to its ghost text."""
    return [each.ms for each in asked if each.ghost is not None and each.ms is not None]


def answer_ms(asked: Iterable[Asked]) -> list[float]:
    """From the key to its answer, empty or not, of requests that were not cancelled."""
    return [each.ms for each in asked if each.ms is not None and not each.is_superseded]


def max_ms(asked: Iterable[Asked]) -> float:
    """The longest that any request was unanswered, cancelled or not; 0 of nothing."""
    return max((each.ms for each in asked if each.ms is not None), default=0.0)


def stage_ms(asked: Iterable[Asked], stage: str) -> list[float]:
    """What a stage took, in answers with text for which the engine was asked."""
    return [
        float(each.note["ms"].get(stage) or 0.0)
        for each in asked
        if each.ghost is not None and each.note.get("source") == "engine" and "ms" in each.note
    ]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share of the values lies; None of nothing."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else None


def free_share(asked: Iterable[Asked], *, following: bool = False) -> float | None:
    """The share of answers with text that needed no new engine request; None if the server does not say.

    `following` counts only requests after an edit that did what the ghost text said.
    """
    told = [
        each for each in asked if each.ghost is not None and each.note and (each.follows or not following)
    ]
    return sum(each.is_free for each in told) / len(told) if told else None


def cancelled_share(asked: Sequence[Asked]) -> float:
    """The share of requests that were out of date before they were answered."""
    return sum(each.is_superseded for each in asked) / len(asked) if asked else 0.0
