"""Our own context: the plans of `RepoContext`, as the product makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.context_quality.sites import Site
from context import Plan, RepoContext
from engine.api import Segment

INDEX_SECONDS = 120.0


class Ghostfill:
    """Plans of one workspace's `RepoContext`. Close after use."""

    def __init__(self, root: Path, count_tokens: Callable[[str], int]) -> None:
        self._root = root
        self._count_tokens = count_tokens
        self._context = RepoContext([root])
        self._context.start()
        if not self._context.wait_ready(INDEX_SECONDS):
            raise RuntimeError(f"the index of {root} was not built in {INDEX_SECONDS:.0f} s")

    def plan(self, site: Site, budget_tokens: int) -> Plan:
        """The plan at a site's hole."""
        return self._context.plan(
            self._root / site.path,
            site.hole.text,
            site.hole.offset,
            budget_tokens=budget_tokens,
            count_tokens=self._count_tokens,
            language=site.language,
        )

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """The plan's segments as they stand."""
        return self.plan(site, budget_tokens).segments

    def close(self) -> None:
        """End the index."""
        self._context.close()
