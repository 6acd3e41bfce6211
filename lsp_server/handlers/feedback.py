"""What clients report of completions, by Copilot's names, and the command that tells what was counted.

The parameters are the client's: nothing in them is relied on, and a report of no known shape is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsp_server.stats import DEFAULT_DAYS
from lsp_server.stats_file import KEPT_DAYS

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

OK = "OK"
"""What Copilot's server answers to a report."""


def register(server: GhostfillServer) -> None:
    """Register this file's handlers."""
    _register_notifications(server)
    _register_older_requests(server)

    @server.command("ghostfill.stats")
    async def stats(*arguments: Any) -> dict[str, Any]:  # pygls knows no default values
        return await server.session.stats.report(_num_days(arguments))


def _register_notifications(server: GhostfillServer) -> None:
    @server.feature("textDocument/didShowCompletion")
    def did_show(params: Any) -> None:
        if (offer_id := _offer_id(params)) is not None:
            server.session.answering.seen(offer_id)

    @server.feature("textDocument/didPartiallyAcceptCompletion")
    def did_partially_accept(params: Any) -> None:
        offer_id, length = _offer_id(params), _length(params)
        if offer_id is not None and length is not None:
            server.session.feedback.partially_accepted(offer_id, length)

    @server.feature("textDocument/didFocus")
    def did_focus(params: Any) -> None:
        """Without a document the user is elsewhere, and the last one still is the one they mean."""
        match params:
            case {"textDocument": {"uri": str(uri)}}:
                server.session.note_focus(uri)


def _register_older_requests(server: GhostfillServer) -> None:
    """What clients sent before items had commands."""

    @server.feature("notifyShown")
    def notify_shown(params: Any) -> str:
        for offer_id in _uuids(params):
            server.session.answering.seen(offer_id)
        return OK

    @server.feature("notifyAccepted")
    def notify_accepted(params: Any) -> str:
        length = _length(params)
        for offer_id in _uuids(params):
            if length is None:
                server.session.feedback.accepted(offer_id)
            else:
                server.session.feedback.partially_accepted(offer_id, length)
        return OK

    @server.feature("notifyRejected")
    def notify_rejected(params: Any) -> str:
        for offer_id in _uuids(params):
            server.session.answering.dismissed(offer_id)
        return OK


def _offer_id(params: Any) -> str | None:
    """Of the item that a notification is about."""
    match params:
        case {"item": {"command": {"arguments": [{"id": str(offer_id)}, *_]}}}:
            return offer_id
    return None


def _length(params: Any) -> int | None:
    match params:
        case {"acceptedLength": int(length)} if not isinstance(length, bool):
            return length
        case {"acceptedLength": float(length)} if length.is_integer():  # Lua and JavaScript may write 3.0
            return int(length)
    return None


def _uuids(params: Any) -> list[str]:
    match params:
        case {"uuid": str(offer_id)}:
            return [offer_id]
        case {"uuids": [*offer_ids]}:
            return [each for each in offer_ids if isinstance(each, str)]
    return []


def _num_days(arguments: Sequence[Any]) -> int:
    match arguments:
        case [{"days": int(days)}, *_] if 1 <= days <= KEPT_DAYS:
            return days
    return DEFAULT_DAYS
