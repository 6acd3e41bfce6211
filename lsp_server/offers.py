"""The completions of one document that were computed lately: what a new place is answered from. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from engine.api import Segment
from lsp_server.hole import Hole
from lsp_server.typed_through import Offer

MAX_KEPT = 24
MAX_DRAFTS = 3
MAX_CHARS = 8_000_000
"""Each offer holds its document's text: of a very large one fewer are kept."""


class Known(NamedTuple):
    """What was found for a place."""

    offer: Offer
    """Cut to the place; without text if nothing was to be said there."""
    is_shown: bool
    """It continues the ghost text that stands in the editor."""


class Offers:
    """Newest first. An offer answers for a place where prefix, suffix and repository text are as they were
    when it was computed; what the user already sees goes on whatever the repository says by now.
    """

    def __init__(self) -> None:
        self._kept: deque[Offer] = deque(maxlen=MAX_KEPT)
        self._shown: Offer | None = None

    def add(self, offer: Offer) -> None:
        """Keep an offer; one without text says that nothing is to be said there."""
        self._kept.appendleft(offer)
        while len(self._kept) > 1 and len(self._kept) * len(offer.hole.text) > MAX_CHARS:
            self._kept.pop()

    def show(self, offer: Offer) -> None:
        """The editor shows this one now."""
        self._shown = offer

    def find_named(self, offer_id: str) -> Offer | None:
        """The kept offer of this name."""
        return next((offer for offer in self._kept if offer.id == offer_id and offer.text), None)

    @property
    def shown(self) -> Offer | None:
        """What the editor was last given."""
        return self._shown

    def find(self, hole: Hole, segments: tuple[Segment, ...] | None) -> Known | None:
        """What is known for a place; `segments` is the document's repository text now, None if unknown."""
        if self._shown is not None and (rest := self._shown.rest_at(hole)) is not None:
            return Known(rest, is_shown=True)
        for offer in self._kept:
            if segments is not None and offer.segments != segments:
                continue
            if (rest := offer.rest_at(hole) if offer.text else _same(offer, hole)) is not None:
                return Known(rest, is_shown=False)
        return None

    def alternatives(self, hole: Hole) -> list[Offer]:
        """Every different text that is known for this place, in an order that looking does not change."""
        found: dict[str, Offer] = {}
        for offer in self._kept:
            if offer.text and (rest := offer.rest_at(hole)) is not None:
                found.setdefault(rest.text, rest)
        # What was shown before its run was over, or is too old to be kept.
        shown = self._shown.rest_at(hole) if self._shown is not None else None
        return [*([shown] if shown is not None and shown.text not in found else []), *found.values()]

    def drafts(self, hole: Hole) -> tuple[str, ...]:
        """Texts that a new answer at this place may repeat: first what would go on here, if any is known."""
        known = [offer for offer in self._kept if offer.text]
        rests = (rest for offer in known if (rest := offer.rest_at(hole)) is not None)
        first = next((rest.text for rest in rests), "")
        return (first, *(offer.text for offer in known[:MAX_DRAFTS]))


def _same(offer: Offer, hole: Hole) -> Offer | None:
    return offer if offer.hole == hole else None
