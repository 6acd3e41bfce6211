"""What ranking hands to packing: pieces of one file with a reason. Knows no tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One definition of a file."""

    index: int
    is_whole: bool = False
    """The whole text instead of the signature."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Pieces of one file that were found for one reason, most wanted first."""

    key: str
    kind: str
    """As in `engine.api.Segment`."""
    reason: str
    """A phrase for people; what it is about follows in `name`."""
    name: str = ""
    units: tuple[Unit, ...] = ()
    is_capped: bool = False
    """Whether all pieces for this name together get only a definition's share of tokens."""
    text: str = ""
    """Text that is emitted as it stands, for files without facts."""
    is_direct: bool = False
    """Whether the file at the cursor uses these definitions by name."""
