"""The very definitions of names, with pieces of the same repository beside them that say nothing of them.

For a model to learn that it may trust its context; what a retriever would bring that has read the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from engine.api import Segment
from training.corpus.repository import Repository
from training.samples.names import Place, Use

WINDOW_LINES = (8, 12, 16, 20, 20, 20, 24)
SIGNATURE_SHARE = 0.35
"""Of the definitions, those shown as a repository map shows them; the others are lines of their file."""
MAX_PLACES = 3
"""A name defined at more places says nothing."""
DISTRACTORS = (0, 0, 1, 1, 2, 3, 4)
DISTRACTOR_LINES = (6, 24)

Cost = Callable[[Segment], int]
"""Tokens of a segment as it stands in a prompt."""


class Evidence:
    """Segments from one repository."""

    def __init__(self, repository: Repository, cost: Cost) -> None:
        self._lines = {file.path: file.text.split("\n") for file in repository.files}
        self._cost = cost

    def segments(
        self, path: str, uses: Sequence[Use], budget_tokens: int, rng: random.Random
    ) -> list[Segment]:
        """Definitions of the uses as far as they fit, the first one's at least, distractors at random places.

        No segment is of the file at `path`. Empty if not even one definition fits.
        """
        wanted = {(use.name, place): None for use in uses for place in self._of(use) if place.path != path}
        kept, left = self._fitting((self._definition(*each, rng) for each in wanted), budget_tokens)
        if not kept:
            return []
        others = [other for other in self._lines if other != path]
        strangers = [self._distractor(rng.choice(others), rng) for _ in range(rng.choice(DISTRACTORS))]
        shown = {(segment.path, segment.text) for segment in kept}
        beside, _ = self._fitting((each for each in strangers if (each.path, each.text) not in shown), left)
        for segment in beside:
            kept.insert(rng.randint(0, len(kept)), segment)
        return kept

    def _of(self, use: Use) -> tuple[Place, ...]:
        return use.places if len(use.places) <= MAX_PLACES else ()

    def _fitting(self, segments: Iterable[Segment], budget_tokens: int) -> tuple[list[Segment], int]:
        kept: list[Segment] = []
        for segment in segments:
            price = self._cost(segment)
            if segment.text.strip() and price <= budget_tokens:
                budget_tokens -= price
                kept.append(segment)
        return kept, budget_tokens

    def _definition(self, name: str, place: Place, rng: random.Random) -> Segment:
        if place.signature.strip() and rng.random() < SIGNATURE_SHARE:
            text = place.signature
        else:
            text = self._window(place.path, place.first_line, rng.choice(WINDOW_LINES))
        return Segment(place.path, text, "definition", f"defines {name}")

    def _distractor(self, path: str, rng: random.Random) -> Segment:
        first = rng.randrange(len(self._lines[path]))
        text = self._window(path, first, rng.randint(*DISTRACTOR_LINES))
        return Segment(path, text, "similar", "stands beside")

    def _window(self, path: str, first: int, num_lines: int) -> str:
        return "\n".join(self._lines[path][first : first + num_lines]).rstrip("\n") + "\n"
