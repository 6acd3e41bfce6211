"""How many tokens a pass of ours is worth on real typing, with the drafts that a front sends."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engine_speed.ours import Ours
from benchmarks.engine_speed.scene import Scene
from benchmarks.engine_speed.words import Answer


@dataclass(frozen=True, slots=True)
class Drafted:
    """One stretch of typing."""

    answers: Sequence[Answer]

    @property
    def per_pass(self) -> float | None:
        """Tokens that a decode pass gave: 1 without drafts. The first of an answer comes with the prompt."""
        passes = sum(each.passes for each in self.answers)
        return sum(max(0, each.decoded - 1) for each in self.answers) / passes if passes else None

    @property
    def ms(self) -> float | None:
        """Of a key, median."""
        return statistics.median(each.ms for each in self.answers) if self.answers else None


def type_with_drafts(ours: Ours, scene: Scene, *, typed_through: bool) -> Drafted:
    """Type the scene; each request carries what is left of the completion before it.

    With `typed_through` a key that agrees with the completion on screen is answered by its rest and never
    reaches the engine, as in the product; else every key is asked for.
    """
    shown = ""
    answers: list[Answer] = []
    for num_keys in range(len(scene.typed) + 1):
        char = scene.typed[num_keys - 1 : num_keys] if num_keys else ""
        agrees = bool(char) and shown.startswith(char)
        shown = shown[len(char) :] if agrees else shown
        if typed_through and agrees and shown:
            continue
        answer = ours.ask(scene, num_keys, (shown,) if shown else ())
        shown = answer.text
        if num_keys:
            answers.append(answer)
    return Drafted(answers)
