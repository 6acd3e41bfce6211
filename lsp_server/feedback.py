"""What became of each completion: shown, accepted whole or in part, dismissed. Pure; knows no LSP, no file.

Editors report an acceptance; few report what they showed, or that a part was accepted. Until a client says
for the first time what it showed, what was sent counts as shown, and an accepted part is known by the edit
that inserts it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum

from engine.api import Timings
from lsp_server.counts import OTHER, Counts, Key, Tally, empty_name, latency_name
from lsp_server.hole import Hole, with_plain_line_ends

log = logging.getLogger(__name__)

MAX_KNOWN = 256
"""Completions that can still be reported on."""
WITHOUT_ENGINE = frozenset({"typedThrough", "cache", "ahead"})
"""Sources that had the answer before it was asked for."""
AUTO_CLOSED = frozenset({"()", "[]", "{}", '""', "''", "``", "<>"})
"""What editors insert when the user types the first half."""


class Outcome(IntEnum):
    """What the user did with a completion; a later report can only raise it."""

    OPEN = 0
    DISMISSED = 1
    PARTIALLY_ACCEPTED = 2
    ACCEPTED = 3


@dataclass(slots=True)
class _Offered:
    """A completion that was sent, as it was sent last: further on, it is what is left of it."""

    uri: str
    language: str
    source: str
    text: str
    is_shown: bool = False
    outcome: Outcome = Outcome.OPEN
    num_standing: int = 0
    """So much of `text` stood in the document when it was last looked at."""
    typed: set[int] = field(default_factory=set)
    """Offsets in `text` of what the user typed."""
    accepted: set[int] = field(default_factory=set)
    """Offsets in `text` of what the editor inserted."""


class Feedback:
    """Follows completions and counts. An id that is not known, or no longer, is passed over."""

    def __init__(self) -> None:
        self._counted = Tally()
        self._fresh = Tally()
        self._known: OrderedDict[str, _Offered] = OrderedDict()
        self._in_front: dict[str, tuple[_Offered, Hole]] = {}
        """By document; only here is its text kept."""
        self._client_tells = False

    @property
    def counts(self) -> Counts:
        """Everything since the start."""
        return Counts.of(self._counted)

    def take(self) -> Tally:
        """What was counted since the last call; numbers may be negative where a count was taken back."""
        fresh, self._fresh = self._fresh, Tally()
        return Tally({key: number for key, number in fresh.items() if number})

    # What the server did

    def latency(
        self,
        source: str,
        total_ms: float,
        timings: Timings | None = None,
        *,
        language: str = "",
        reason: str = "",
    ) -> None:
        """A request was answered; `reason` says why with nothing. `timings` are of the engine's own work."""
        self._count(language, source, "requests")
        if reason or source == "none":
            self._count(language, source, empty_name(reason or OTHER))
        else:
            self._count(language, source, "answered")
            self._count(language, source, latency_name(total_ms))
            if source in WITHOUT_ENGINE:
                self._count(language, source, "without_engine")
        for name in ("prompt_tokens", "reused_tokens", "prefilled_tokens", "decoded_tokens"):
            if timings is not None:
                self._count(language, source, name, getattr(timings, name))

    def cancelled(self, language: str = "") -> None:
        """A request was given up, by the client or for a newer one."""
        self._count(language, "none", "requests")
        self._count(language, "none", "cancelled")

    def shown(
        self,
        offer_id: str,
        uri: str,
        hole: Hole,
        text: str,
        source: str,
        confidence: float | None = None,
        *,
        language: str = "",
        is_alternative: bool = False,
    ) -> None:
        """A completion was sent, or what is left of one, which has its id and is not shown anew.

        `hole` is in the document as the client has it. An alternative stands behind another one until the
        client reports on it.
        """
        log.debug("offer %s from %s, confidence %s", offer_id, source, confidence)
        text = with_plain_line_ends(text)
        offered = self._known.pop(offer_id, None)
        if offered is None:
            offered = _Offered(uri, language, source, text)
        else:
            offered.text, offered.num_standing = text, 0
            offered.typed.clear()
            offered.accepted.clear()
            self._reopen(offered)
        self._known[offer_id] = offered
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        if not is_alternative:
            self._in_front[uri] = offered, hole
            if not self._client_tells:
                self._show(offered)

    # What the client reports

    def seen(self, offer_id: str) -> None:
        """The client has shown a completion. From the first such report on, only reports count as shown."""
        if not self._client_tells:
            self._client_tells = True
            for known in self._known.values():
                self._take_back(known)
        if (offered := self._known.get(offer_id)) is not None:
            self._show(offered)

    def accepted(self, offer_id: str) -> None:
        """The user accepted all of a completion, or all that was left of it."""
        if (offered := self._known.get(offer_id)) is not None:
            self._accept(offered, len(offered.text))

    def partially_accepted(self, offer_id: str, length: int) -> None:
        """The user accepted the first `length` UTF-16 units of a completion's text as it was sent last."""
        if (offered := self._known.get(offer_id)) is not None:
            self._accept(offered, _num_chars(offered.text, length))

    def rejected(self, offer_id: str) -> None:
        """The user turned a completion down."""
        if (offered := self._known.get(offer_id)) is not None:
            self._leave(offered)
            self._dismiss(offered)

    # What the document tells

    def changed(self, uri: str, text: str, insertion: str | None = None) -> None:
        """A document has changed; `insertion` is what was inserted, if one edit did and replaced nothing.

        Whoever types something else has dismissed what was shown there.
        """
        if uri not in self._in_front:
            return
        offered, hole = self._in_front[uri]
        now = _num_standing(offered.text, hole, with_plain_line_ends(text))
        if now is None:
            self._leave(offered)
            self._dismiss(offered)
            return
        before, offered.num_standing = offered.num_standing, now
        if now - before == 1:
            offered.typed.add(before)
        elif insertion is not None and not self._client_tells:
            piece = with_plain_line_ends(insertion)
            if offered.text[before:now] == piece and _is_accepted_piece(piece, offered.text[now : now + 1]):
                self._accept(offered, now)
        if now == len(offered.text):
            self._leave(offered)

    def closed(self, uri: str) -> None:
        """A document was closed: what was shown there is ignored."""
        self._in_front.pop(uri, None)

    # Counting

    def _show(self, offered: _Offered) -> None:
        if not offered.is_shown:
            offered.is_shown = True
            self._count(offered.language, offered.source, "shown")

    def _take_back(self, offered: _Offered) -> None:
        """It was only thought to be shown."""
        if offered.is_shown and offered.outcome <= Outcome.DISMISSED:
            self._reopen(offered)
            offered.is_shown = False
            self._count(offered.language, offered.source, "shown", -1)

    def _reopen(self, offered: _Offered) -> None:
        """What seemed to be dismissed is there again."""
        if offered.outcome is Outcome.DISMISSED:
            offered.outcome = Outcome.OPEN
            self._count(offered.language, offered.source, "dismissed", -1)

    def _accept(self, offered: _Offered, num_chars: int) -> None:
        """The first so many characters were accepted, those included that were counted before."""
        if num_chars <= 0:
            return
        self._show(offered)
        fresh = set(range(num_chars)) - offered.typed - offered.accepted
        offered.accepted |= fresh
        self._count(offered.language, offered.source, "accepted_chars", len(fresh))
        is_whole = num_chars >= len(offered.text)
        self._settle(offered, Outcome.ACCEPTED if is_whole else Outcome.PARTIALLY_ACCEPTED)

    def _dismiss(self, offered: _Offered) -> None:
        if offered.is_shown:
            self._settle(offered, Outcome.DISMISSED)

    def _settle(self, offered: _Offered, outcome: Outcome) -> None:
        if outcome <= offered.outcome:
            return
        if offered.outcome is not Outcome.OPEN:
            self._count(offered.language, offered.source, offered.outcome.name.lower(), -1)
        offered.outcome = outcome
        self._count(offered.language, offered.source, outcome.name.lower())

    def _leave(self, offered: _Offered) -> None:
        """Nothing more can be told of it from the document."""
        in_front, _ = self._in_front.get(offered.uri, (None, None))
        if in_front is offered:
            del self._in_front[offered.uri]

    def _count(self, language: str, source: str, name: str, number: int = 1) -> None:
        key = Key.of(language, source, name)
        self._counted[key] += number
        self._fresh[key] += number


def _num_standing(offered: str, hole: Hole, text: str) -> int | None:
    """How much of what was offered at a hole the document holds there by now; None if something else."""
    typed = hole.typed_in(text)
    return len(typed) if typed is not None and offered.startswith(typed) else None


def _num_chars(text: str, units: int) -> int:
    """How many whole characters the first UTF-16 units of a text are."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * max(units, 0)].decode("utf-16-le", "ignore"))


def _is_accepted_piece(piece: str, next_char: str) -> bool:
    """An editor's command inserted this, not the user's keys: words to a boundary, with more to come.

    A line end with indentation and a pair of brackets are what one key gives.
    """
    if len(piece) < 2 or not piece.strip() or piece in AUTO_CLOSED or not next_char:
        return False
    return not (_is_word(piece[-1]) and _is_word(next_char))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
