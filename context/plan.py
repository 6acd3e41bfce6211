"""The answer of the context room: which repository text enters a prompt, and why. Plain values."""

from __future__ import annotations

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
class Plan:
    """Segments for one file, in the order in which they enter the prompt."""

    path: str
    """The current file, workspace-relative."""
    segments: tuple[Segment, ...]
    """Dependencies first; what the current file uses by name as late as that allows."""
    num_tokens: int
    """Of all segments, with `HEADER_TOKENS` for each path header."""
    budget_tokens: int
    is_complete: bool
    """Whether the index had been built when this was planned."""
    considered: tuple[Considered, ...]
    """Every candidate file, the most wanted first."""
