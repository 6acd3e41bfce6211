"""`workspace/executeCommand`: what the client runs when a completion is accepted, and what the user runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsp_server.handlers.inline_completion import ACCEPTED

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)


def register(server: GhostfillServer) -> None:
    """Register this file's commands."""

    @server.command(ACCEPTED)
    def accepted(completion: Any = None) -> None:
        server.session.feedback.accepted += 1
        log.info("accepted %s", completion)

    @server.command("ghostfill.showContext")
    async def show_context(*arguments: Any) -> dict[str, Any]:  # pygls knows no default values
        # Imported when somebody asks: the server starts without it.
        from lsp_server import shown_context

        return await shown_context.show_context(server.session, arguments[0] if arguments else None)

    @server.command("ghostfill.restartEngine")
    def restart_engine() -> None:
        server.session.link.restart()
