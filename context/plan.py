"""The answer of the context room: which repository text enters a prompt, and why. Plain values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from engine.api import Segment


@dataclass(frozen=True, slots=True)
class Considered:
    """One file that was a candidate."""

    path: str
    reason: str
    num_tokens: int
    """What it takes in the plan; for a file left out, an estimate of what it would have taken."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class Frozen:
    """The part of a plan that was chosen for the whole file: it stays until one of its reasons changes."""

    reason: Hashable
    """The file's imports and what else the choice was made from."""
    segments: tuple[Segment, ...]
    num_tokens: int
    considered: tuple[Considered, ...]
    chosen: Mapping[str, frozenset[int]]
    """The definitions that are in, by key of their file."""
    texts: Mapping[str, str]
    """What the chosen definitions of each file said."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments for one file, in the order in which they enter the prompt."""

    path: str
    """The current file, workspace-relative."""
    segments: tuple[Segment, ...]
    """First the frozen part, dependencies first; then what is near the cursor; then similar excerpts; last
    what the user changed lately."""
    num_tokens: int
    """Of all segments, with `HEADER_TOKENS` for each path header."""
    budget_tokens: int
    is_complete: bool
    """Whether the index had been built when this was planned."""
    considered: tuple[Considered, ...]
    """Every candidate file, the most wanted first."""
    frozen: Frozen | None = None
    """To be handed to the next plan of the same file."""

    @property
    def num_frozen(self) -> int:
        """How many of the first segments stay while the cursor moves."""
        return len(self.frozen.segments) if self.frozen else 0
