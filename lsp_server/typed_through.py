"""Typing what the ghost text says is answered from it, without the engine. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.hole import Hole


@dataclass(frozen=True, slots=True)
class Offer:
    """A completion that was offered at a hole."""

    hole: Hole
    text: str
    id: str
    """Names the completion in `ghostfill.accepted` and in the log."""

    def rest_at(self, hole: Hole) -> str | None:
        """What of this offer is left at `hole`; None if the user went another way, or typed all of it.

        The text before the old cursor and the text after the hole must be as they were.
        """
        typed = hole.offset - self.hole.offset
        if typed < 0 or typed >= len(self.text):
            return None
        old, new = self.hole.text, hole.text
        if len(new) - typed != len(old) or not new.startswith(self.text[:typed], self.hole.offset):
            return None
        # Slices of large texts are compared last.
        if (
            new[hole.offset :] != old[self.hole.offset :]
            or new[: self.hole.offset] != old[: self.hole.offset]
        ):
            return None
        return self.text[typed:]
