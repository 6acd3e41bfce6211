"""Open tabs by Jaccard, as public descriptions of GitHub Copilot's neighbouring tabs have it.

Of each of the 20 files visited last, the one window of 60 lines whose set of words is most like that of the
60 lines before the cursor (Jaccard); windows in order of likeness. The files are `visited_files`: what a user
really had open is unknown here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.context_quality.conditions.base import Cost, filled
from benchmarks.context_quality.conditions.nearby import visited_files
from benchmarks.context_quality.conditions.windows import Window, words_of
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment

NUM_TABS = 20
WINDOW_LINES = 60


class OpenTabs:
    """The best window of each tab."""

    def __init__(self, corpus: Corpus, cost: Cost) -> None:
        self._corpus = corpus
        self._cost = cost
        self._words_of_lines = {
            path: [frozenset(words_of(line)) for line in text.splitlines()]
            for path, text in corpus.files.items()
        }

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """Windows that share a word with the cursor's surroundings, the most alike nearest to the hole."""
        asked = frozenset(words_of("\n".join(site.hole.prefix.split("\n")[-WINDOW_LINES:])))
        best = [(*self._best(path, asked), -rank, path) for rank, path in enumerate(self._tabs(site))]
        ranked = sorted((item for item in best if item[0] > 0), reverse=True)
        pieces = (self._window(path, start).segment("open tab") for _, start, _, path in ranked)
        return filled(pieces, budget_tokens, self._cost)

    def _tabs(self, site: Site) -> list[str]:
        return visited_files(self._corpus, site)[:NUM_TABS]

    def _best(self, path: str, asked: frozenset[str]) -> tuple[float, int]:
        return best_window(self._words_of_lines[path], asked, WINDOW_LINES)

    def _window(self, path: str, start: int) -> Window:
        lines = self._corpus.files[path].splitlines()
        return Window(path, "\n".join(lines[start : start + WINDOW_LINES]))


def best_window(lines: Sequence[frozenset[str]], asked: frozenset[str], size: int) -> tuple[float, int]:
    """The highest Jaccard of any `size` lines in a row with `asked`, and where the first such start."""
    inside: Counter[str] = Counter()
    common = 0
    best = (0.0, 0)
    for end, words in enumerate(lines):
        for word in words:
            inside[word] += 1
            common += inside[word] == 1 and word in asked
        if end >= size:
            for word in lines[end - size]:
                inside[word] -= 1
                common -= inside[word] == 0 and word in asked
                if not inside[word]:
                    del inside[word]
        likeness = common / max(1, len(inside) + len(asked) - common)
        if likeness > best[0] and (end + 1 >= size or end + 1 == len(lines)):
            best = (likeness, max(0, end + 1 - size))
    return best
