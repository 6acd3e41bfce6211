"""How far a run is and what the learning rate is there: a rise, a plateau if asked for, and down to zero.

Knows no optimiser. The end is a number of steps, of tokens or of minutes; what earlier sittings took counts.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

UNITS = ("steps", "tokens", "minutes")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The plan."""

    end: float
    unit: str
    """One of `UNITS`."""
    warm_steps: int = 10
    decay: float = 1.0
    """The last part of the run in which the rate falls."""
    form: str = "linear"
    """Or cosine."""

    def done(self, steps: int, tokens: int, seconds: float) -> float:
        """0 at the start, 1 at the end."""
        so_far = {"steps": steps, "tokens": tokens, "minutes": seconds / 60}[self.unit]
        return min(1.0, so_far / self.end)

    def scale(self, done: float, steps: int) -> float:
        """What the base rate is multiplied with; zero at the end."""
        left = min(1.0, (1.0 - done) / self.decay)
        falling = left if self.form == "linear" else 0.5 - 0.5 * math.cos(math.pi * left)
        return min(1.0, (steps + 1) / self.warm_steps) * falling


class Clock:
    """Seconds of this sitting and of those before it."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        """So far."""
        return time.monotonic() - self._start
