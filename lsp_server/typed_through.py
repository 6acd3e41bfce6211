"""Typing what the ghost text says is answered from it, without the engine. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from engine.api import Segment, TokenScore
from lsp_server.hole import Hole
from lsp_server.names_in_sight import Doubt

AUTO_CLOSERS = frozenset(")]}>\"'`")
"""What editors insert behind the cursor when the opening one is typed."""
MAX_AUTO_CLOSED = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """A completion for a hole, or what is left of one further on."""

    hole: Hole
    text: str
    id: str
    """Names the completion in `ghostfill.accepted` and in the log."""
    replaces: int = 0
    """So many characters behind the cursor are contained in `text` and replaced by it."""
    scores: tuple[TokenScore, ...] = ()
    """Of the text's tokens; those that begin before it have been typed."""
    end_probability: float = 0.0
    """How sure the model was that nothing more comes on the line behind the text."""
    doubts: tuple[Doubt, ...] = ()
    segments: tuple[Segment, ...] = ()
    """The repository text that it was computed with."""
    is_ahead: bool = False
    """It was computed before anybody asked."""

    def rest_at(self, hole: Hole) -> Self | None:
        """What of this offer is left at `hole`; None if the user went another way, or typed all of it.

        Everything around the cursor must be as it was, but for closing brackets and quotes: what the editor
        put behind the cursor by itself is replaced by the rest that contains it, and what the offer would
        have replaced may have been overtyped.
        """
        typed = hole.offset - self.hole.offset
        if typed < 0 or typed >= len(self.text):
            return None
        old, new = self.hole.text, hole.text
        num_added = (len(new) - hole.offset) - (len(old) - self.hole.offset)
        if not -self.replaces <= num_added <= MAX_AUTO_CLOSED:
            return None
        if not new.startswith(self.text[:typed], self.hole.offset):
            return None
        added = new[hole.offset : hole.offset + max(num_added, 0)]
        if not AUTO_CLOSERS.issuperset(added):
            return None
        # Slices of large texts are compared last.
        if new[hole.offset + len(added) :] != old[self.hole.offset + max(-num_added, 0) :]:
            return None
        if new[: self.hole.offset] != old[: self.hole.offset]:
            return None
        rest = self.text[typed:]
        replaces = self.replaces + num_added
        if added and not contains_in_order(rest, new[hole.offset : hole.offset + replaces]):
            replaces = 0
        scores = tuple(TokenScore(s.start - typed, s.logprob) for s in self.scores)
        doubts = tuple(Doubt(doubt.end - typed, doubt.trust) for doubt in self.doubts)
        return replace(self, hole=hole, text=rest, replaces=replaces, scores=scores, doubts=doubts)

    @property
    def confidence(self) -> float | None:
        """How sure the model was of the first line that says anything, 0 to 1; None where nobody told any.

        The probability of its n tokens together, to the power of 1 over the square root of n: between that
        of the whole line, which punishes length, and the geometric mean, in which one guess among sure tokens
        hides. What it says against the names in sight counts less.
        """
        if not self.scores:
            return None
        margin = len(self.text) - len(self.text.lstrip())
        start, end = self.text.rfind("\n", 0, margin) + 1, self.text.find("\n", margin)
        line = [s.logprob for s in self.scores if s.start >= start and (end < 0 or s.start < end)]
        trust = math.prod(doubt.trust for doubt in self.doubts if doubt.end > 0)
        return trust * (math.exp(sum(line) / math.sqrt(len(line))) if line else 1.0)


def contains_in_order(text: str, chars: str) -> bool:
    """Every one of `chars` occurs in `text`, one behind the other."""
    at = 0
    for char in chars:
        at = text.find(char, at) + 1
        if not at:
            return False
    return True
