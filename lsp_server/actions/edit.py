"""New text for a range of a document. Pure; knows neither who wrote it nor whether it is any good."""

from __future__ import annotations

from typing import NamedTuple


class Edit(NamedTuple):
    """Offsets are code points of the text that it is for."""

    start: int
    end: int
    text: str

    def applied(self, text: str) -> str:
        """The whole text afterwards."""
        return f"{text[: self.start]}{self.text}{text[self.end :]}"
