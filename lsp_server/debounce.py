"""How long an automatic request waits for the next key: learnt from the user's typing and the engine's speed.

Cancelled work costs the engine (and everyone who shares it), waiting costs the user. Waiting pays only where
an answer hardly ever arrives between two keys: then only a pause is worth a request. In every other case it
does harm twice over: the answer comes later, and is cancelled more often, because the next key is the nearer
the longer one has waited for it. So the wait is all or nothing. Knows no requests and no LSP; pure but for
what it was told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal

from lsp_server.hole import Hole

START_RHYTHM_S = 0.18
START_LATENCY_S = 0.1
MAX_DEBOUNCE_S = 0.25
NUM_INTERVALS = 30
NUM_ANSWERS = 20
MIN_INTERVAL_S = 0.02
"""Faster than any key repeat: an editor's own edits, such as a closing bracket."""
MAX_INTERVAL_S = 1.0
"""Slower is a pause, not typing."""
PATIENCE = 1.5
"""In typing intervals: engines up to that slow are asked at once. With log-normal typing (median 180 ms) one
that needs longer is cancelled three times out of four."""
PAUSE = 1.4
"""In typing intervals: three of four keys come sooner; who has not typed by then pauses."""


class Rhythm:
    """One user's typing and one engine's answers, as far as they are recent."""

    def __init__(self) -> None:
        self._last_key: float | None = None
        self._intervals: deque[float] = deque(maxlen=NUM_INTERVALS)
        self._latencies: deque[float] = deque(maxlen=NUM_ANSWERS)

    def note_key(self, seconds_now: float) -> None:
        """The user has typed, at a time of any clock that only goes forward."""
        if self._last_key is not None:
            interval = seconds_now - self._last_key
            if MIN_INTERVAL_S <= interval <= MAX_INTERVAL_S:
                self._intervals.append(interval)
        self._last_key = seconds_now

    def note_answer(self, latency_s: float) -> None:
        """The engine has answered, so long after it was asked."""
        self._latencies.append(latency_s)

    @property
    def rhythm_s(self) -> float:
        """The usual time between two keys."""
        return _median(self._intervals, START_RHYTHM_S)

    @property
    def latency_s(self) -> float:
        """The usual time that an answer takes."""
        return _median(self._latencies, START_LATENCY_S)

    def debounce_s(self, hole: Hole, fixed: float | Literal["auto"]) -> float:
        """Seconds to wait before the engine is asked; `fixed` is in milliseconds and wins."""
        if fixed != "auto":
            return fixed / 1000
        # Who begins a line has just made a pause, and looks for what comes next.
        if not hole.line_prefix.strip() or self.latency_s <= PATIENCE * self.rhythm_s:
            return 0.0
        return min(PAUSE * self.rhythm_s, MAX_DEBOUNCE_S)


def _median(values: Iterable[float], default: float) -> float:
    # The standard library's takes longer to import than this server's share of start-up allows.
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else default
