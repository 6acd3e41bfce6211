"""Where the user sent ghost text away: it does not come back by itself until the document changes.

Keeps hashes, not texts. Knows no LSP; the client says what was dismissed by the completion's id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MAX_SHOWN = 64


class Spot(NamedTuple):
    """A cursor in one state of a document."""

    uri: str
    text_hash: int
    offset: int


@dataclass(slots=True)
class _Dismissed:
    """The places of one state of a document."""

    text_hash: int
    offsets: set[int] = field(default_factory=set)


class Dismissals:
    """What was shown where, and which of it was dismissed; for one client."""

    def __init__(self) -> None:
        self._shown: dict[str, Spot] = {}
        self._dismissed: dict[str, _Dismissed] = {}

    def note_shown(self, completion_id: str, uri: str, text: str, offset: int) -> None:
        """A completion, or what is left of it, is shown at a cursor."""
        self._shown.pop(completion_id, None)  # to the end of the order
        self._shown[completion_id] = Spot(uri, hash(text), offset)
        if len(self._shown) > MAX_SHOWN:
            del self._shown[next(iter(self._shown))]

    def note(self, completion_id: str | None = None) -> str | None:
        """The user dismissed a completion, by default the last one; gives its id, None if it is unknown."""
        if completion_id is None:
            completion_id = next(reversed(self._shown), "")
        if (spot := self._shown.pop(completion_id, None)) is None:
            return None
        known = self._dismissed.get(spot.uri)
        if known is None or known.text_hash != spot.text_hash:
            known = self._dismissed[spot.uri] = _Dismissed(spot.text_hash)
        known.offsets.add(spot.offset)
        return completion_id

    def is_dismissed(self, uri: str, text: str, offset: int) -> bool:
        """Something was dismissed at this cursor, and the document is as it was then.

        A document that has changed is forgotten: undoing the change makes the place new again.
        """
        if (known := self._dismissed.get(uri)) is None:
            return False
        if hash(text) != known.text_hash:
            del self._dismissed[uri]
            return False
        return offset in known.offsets

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self._dismissed.pop(uri, None)
