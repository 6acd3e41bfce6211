"""What stands before a file in a sample: the product's plan, or the very definitions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from context import RepoContext
from engine.api import Segment
from training.corpus.repository import SourceFile
from training.samples.evidence import Evidence
from training.samples.names import Use
from training.samples.sites import CursorSite
from training.samples.unwritten import without


@dataclass(frozen=True, slots=True)
class Contexts:
    """Segments for the sites of one repository's files."""

    root: Path
    context: RepoContext
    evidence: Evidence
    count_tokens: Callable[[str], int]

    def planned(self, file: SourceFile, sites: Sequence[CursorSite], budget_tokens: int) -> Sequence[Segment]:
        """The product's plan at the first site, in the file as it was before any of the sites was written."""
        text, offset = without(file.text, sites)
        plan = self.context.plan(
            self.root / file.path,
            text,
            offset,
            budget_tokens=budget_tokens,
            count_tokens=self.count_tokens,
        )
        return plan.segments

    def defined(
        self,
        file: SourceFile,
        sites: Sequence[CursorSite],
        uses: Sequence[Use],
        budget_tokens: int,
        rng: random.Random,
    ) -> Sequence[Segment]:
        """Definitions of the sites' names first, then of what else is to be written there."""
        own = [site.use for site in sites if site.use is not None]
        more = [use for use in uses if any(site.start <= use.offset < site.end for site in sites)]
        return self.evidence.segments(file.path, [*own, *more], budget_tokens, rng)
