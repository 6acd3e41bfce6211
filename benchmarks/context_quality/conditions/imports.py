"""The import graph alone: whole files that the text imports, nearest first, until the budget is full."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.context_quality.conditions.base import Cost, filled
from benchmarks.context_quality.conditions.nearby import imported_files
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment


class ImportedFiles:
    """Direct imports in full, no re-exports chased, no ranking by use."""

    def __init__(self, corpus: Corpus, cost: Cost) -> None:
        self._corpus = corpus
        self._cost = cost

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """The last file that fits only in part gives its head."""
        texts = ((path, self._corpus.files[path]) for path in imported_files(self._corpus, site))
        pieces = (
            Segment(path, text.rstrip("\n") + "\n", "imported", "imported here") for path, text in texts
        )
        return filled((piece for piece in pieces if piece.text.strip()), budget_tokens, self._cost)
