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

    @server.command("ghostfill.restartEngine")
    def restart_engine() -> None:
        server.session.link.restart()
