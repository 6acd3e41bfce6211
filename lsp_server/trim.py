"""What of a generated text is offered: nothing that stands there already, no torn end, nothing harmful. Pure.

Only puts the cuts of `lsp_server.trimming` in order. Trimming what was trimmed changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.api import FinishReason
from lsp_server.hole import Hole, with_plain_line_ends
from lsp_server.trimming.indentation import fit_margins
from lsp_server.trimming.leaks import cut_header, cut_marks
from lsp_server.trimming.repetition import cut_lines_above, cut_lines_below, cut_loops
from lsp_server.trimming.rest_of_line import fit
from lsp_server.trimming.secret_shapes import drop_secrets
from lsp_server.trimming.syntax import Breaks, cut_broken, never
from lsp_server.trimming.torn_end import cut_torn_end
from lsp_server.trimming.worth import drop_trifles

Cut = Callable[[str, Hole, str], str]
"""From (text, hole, path) to what is left of the text."""

FORCED = frozenset({FinishReason.BUDGET, FinishReason.DEADLINE, FinishReason.CANCELLED})

_OF_TEXT: tuple[tuple[str, Cut], ...] = (
    ("a mark of the prompt", cut_marks),
    ("a header of the prompt", cut_header),
    ("a loop", cut_loops),
    ("wrong indentation", fit_margins),
)
_OF_PLACE: tuple[tuple[str, Cut], ...] = (
    ("repeats the lines below", cut_lines_below),
    ("repeats the lines above", cut_lines_above),
)
_OF_OFFER: tuple[tuple[str, Cut], ...] = (
    ("too little", drop_trifles),
    ("looks like a secret", drop_secrets),
)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What to offer."""

    text: str
    """Empty: nothing."""
    replaces: int = 0
    """So many characters behind the cursor, on its line, are contained in `text` and replaced by it."""
    reason: str = ""
    """Why nothing is offered; for the log and the statistics."""


def trim(
    text: str,
    hole: Hole,
    finish_reason: FinishReason,
    *,
    path: str = "",
    breaks: Breaks = never,
) -> Trimmed:
    """The text to offer at `hole` of the file at `path`.

    `breaks(text, replaces)` says whether an offer would be a new syntax error; it is asked at most 4 times.
    """
    offer = _Offer(with_plain_line_ends(text), hole, path)
    if finish_reason in FORCED:
        offer.cut("torn end", cut_torn_end)
    offer.settle()
    offer.cut("syntax error", lambda text, *_: cut_broken(text, offer.replaces, hole, path, breaks))
    offer.settle()
    for reason, cut in _OF_OFFER:
        offer.cut(reason, cut)
    return Trimmed(offer.text, offer.replaces, offer.reason)


class _Offer:
    """A text on its way through the cuts."""

    def __init__(self, text: str, hole: Hole, path: str) -> None:
        self.text = text if text.strip() else ""
        self.replaces = 0
        self.reason = "" if self.text else "blank"
        self._hole = hole
        self._path = path
        self._settled = ""

    def cut(self, reason: str, cut: Cut, hole: Hole | None = None) -> None:
        """Go on with what `cut` leaves; if that is nothing, for this reason."""
        if self.text:
            self._leave(cut(self.text, hole or self._hole, self._path), reason)

    def settle(self) -> None:
        """Cut until nothing changes any more: one cut may lay bare what another is for."""
        while self.text != self._settled:
            self._settled = self.text
            for reason, cut in _OF_TEXT:
                self.cut(reason, cut)
            self._fit()
            # Seen from here the cursor's line goes on with what is not replaced.
            hole = _without(self._hole, self.replaces)
            for reason, cut in _OF_PLACE:
                self.cut(reason, cut, hole)

    def _fit(self) -> None:
        if self.text:
            fitted = fit(self.text, self._hole, self._path)
            self.replaces = fitted.replaces
            self._leave(fitted.text, "only repeats the rest of the line")

    def _leave(self, text: str, reason: str) -> None:
        self.text = text.rstrip()
        if not self.text:
            self.replaces, self.reason = 0, reason


def _without(hole: Hole, replaced: int) -> Hole:
    """The hole once so many characters behind it are gone."""
    if not replaced:
        return hole
    return Hole(hole.text[: hole.offset] + hole.text[hole.offset + replaced :], hole.offset)
