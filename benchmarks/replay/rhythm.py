"""When the next key is pressed: log-normal, with pauses. The same place in a stretch has the same delays."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

KEY_S = 0.18
"""The median between two keys."""
PAUSE_S = 0.6
"""The median where a new line begins, and after accepting: what was accepted is read."""
SIGMA = 0.5
LONGEST_S = 3.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One typist at one stretch."""

    seed: str

    def delay_s(self, place: int, *, is_pause: bool) -> float:
        """Seconds until the next key; `place` is how much is typed, so that two runs are alike."""
        chance = random.Random(f"{self.seed} {place} {is_pause}")  # noqa: S311 - must be repeatable
        median = PAUSE_S if is_pause else KEY_S
        return min(LONGEST_S, chance.lognormvariate(math.log(median), SIGMA))
