"""Copilot's notifications of what became of a completion; clients that know them send them to us too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer


def register(server: GhostfillServer) -> None:
    """Register this file's handlers. The parameters are the client's; nothing in them is relied on."""

    @server.feature("textDocument/didShowCompletion")
    def did_show(params: Any) -> None:
        """Known from what was sent; some clients say it too."""

    @server.feature("textDocument/didPartiallyAcceptCompletion")
    def did_partially_accept(params: Any) -> None:
        server.session.feedback.partially_accepted += 1

    @server.feature("textDocument/didFocus")
    def did_focus(params: Any) -> None:
        match params:
            case {"textDocument": {"uri": str(uri)}}:
                server.session.note_focus(uri)
