"""BM25 of fixed windows of 20 lines over the whole repository, asked with the lines around the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.context_quality.conditions.base import Cost, filled
from benchmarks.context_quality.conditions.windows import Bm25, windows_of, words_of
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment

WINDOW_LINES = 20
LINES_ABOVE = 20
LINES_BELOW = 5


class Bm25Windows:
    """The windows most like the cursor's surroundings."""

    def __init__(self, corpus: Corpus, cost: Cost) -> None:
        self._cost = cost
        self._index = window_index(corpus)

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """The best windows until the budget is full."""
        ranked = self._index.ranked(words_of(around_cursor(site)), site.path)
        return filled((window.segment("like the cursor") for window in ranked), budget_tokens, self._cost)


def window_index(corpus: Corpus) -> Bm25:
    """Windows of 20 lines that do not overlap, of every file."""
    files = corpus.files.items()
    return Bm25(
        [window for path, text in files for window in windows_of(path, text, WINDOW_LINES, WINDOW_LINES)]
    )


def around_cursor(site: Site, above: int = LINES_ABOVE, below: int = LINES_BELOW) -> str:
    """Lines around the cursor, the cursor's own line up to the hole included."""
    before = site.hole.prefix.split("\n")[-above - 1 :]
    after = site.hole.suffix.split("\n")[1 : below + 1]
    return "\n".join([*before, *after])
