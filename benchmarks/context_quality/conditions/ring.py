"""llama.vim's ring of extra context, simulated from its public description.

There, chunks of 64 lines are kept from around the cursor whenever a buffer is entered, left or saved, 16 at
most, the oldest go first; a new chunk replaces those that have over 90 % of their lines in common with it,
and chunks that have over 50 % in common with the lines around the cursor are dropped. Here the user has
visited the files of `visited_files`, the last one last, at one seeded place each.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.context_quality.conditions.base import Cost, filled
from benchmarks.context_quality.conditions.nearby import visited_files
from benchmarks.context_quality.conditions.windows import Window
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment

NUM_CHUNKS = 16
CHUNK_LINES = 64
SAME_CHUNK = 0.9
LIKE_CURSOR = 0.5
MIN_LINES = 3


class Ring:
    """The chunks of the files visited last."""

    def __init__(self, corpus: Corpus, cost: Cost) -> None:
        self._corpus = corpus
        self._cost = cost

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """The newest chunks that fit, the newest nearest to the hole."""
        before, after = site.hole.prefix.split("\n"), site.hole.suffix.split("\n")
        around = [*before[-CHUNK_LINES // 2 :], *after[: CHUNK_LINES // 2]]
        ring: list[Window] = []
        for path in reversed(visited_files(self._corpus, site)):
            chunk = self._chunk(path, site)
            if chunk is not None:
                ring = [old for old in ring if line_likeness(_lines(old), _lines(chunk)) <= SAME_CHUNK]
                ring = [*ring, chunk][-NUM_CHUNKS:]
        kept = [chunk for chunk in ring if line_likeness(_lines(chunk), around) <= LIKE_CURSOR]
        return filled((chunk.segment("visited") for chunk in reversed(kept)), budget_tokens, self._cost)

    def _chunk(self, path: str, site: Site) -> Window | None:
        lines = self._corpus.files[path].splitlines()
        if len(lines) < MIN_LINES:
            return None
        chance = random.Random(f"{site.package} {site.path} {path}")  # noqa: S311 - must be repeatable
        start = max(0, min(chance.randrange(len(lines)) - CHUNK_LINES // 2, len(lines) - CHUNK_LINES))
        text = "\n".join(lines[start : start + CHUNK_LINES])
        return Window(path, text) if text.strip() else None


def line_likeness(left: Sequence[str], right: Sequence[str]) -> float:
    """Twice the lines of the first that also stand in the second, over the lines of both."""
    if not left or not right:
        return 0.0
    known = set(right)
    return 2 * sum(line in known for line in left) / (len(left) + len(right))


def _lines(window: Window) -> list[str]:
    return window.text.split("\n")
