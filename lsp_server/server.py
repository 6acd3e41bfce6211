"""The language server: which handlers there are, and how it is run. No logic of its own."""

from __future__ import annotations

import logging
import os

from engine.build import VERSION
from lsp_server.documents import DocumentSnapshot
from lsp_server.handlers import (
    actions,
    code_action,
    configuration,
    diagnostics,
    execute_command,
    feedback,
    inline_completion,
    lifecycle,
    text_documents,
    workspace_files,
)
from lsp_server.pygls_fixes import HardenedServer
from lsp_server.session import Session
from lsp_server.stdio import serve_stdio, serve_tcp

log = logging.getLogger(__name__)


class GhostfillServer(HardenedServer):
    """One server for one client."""

    def __init__(self) -> None:
        super().__init__("ghostfill", VERSION)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The client's state; there from `initialize` on."""
        if self._session is None:
            raise RuntimeError("no session before initialize")
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session

    def snapshot(self, uri: str) -> DocumentSnapshot | None:
        """An open document as it is now; None if it is not open."""
        document = self.workspace.text_documents.get(uri)
        return document.snapshot() if document is not None else None


def create_server() -> GhostfillServer:
    """A server with every handler registered."""
    server = GhostfillServer()
    for handlers in (
        lifecycle,
        text_documents,
        inline_completion,
        execute_command,
        feedback,
        code_action,
        actions,
        configuration,
        diagnostics,
        workspace_files,
    ):
        handlers.register(server)
    return server


def log_to_stderr() -> None:
    """Warnings, or what `GHOSTFILL_LOG` names; editors keep a server's stderr. Code is never written."""
    level = logging.getLevelNamesMapping().get(os.environ.get("GHOSTFILL_LOG", "").upper(), logging.WARNING)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("pygls").setLevel(logging.WARNING)  # below that it writes whole messages


def run_stdio() -> int:
    """Serve one client on stdin and stdout; the exit status that LSP asks for."""
    log_to_stderr()
    return serve_stdio(create_server())


def run_tcp(port: int) -> int:
    """Serve one client on a loopback port, for debugging."""
    log_to_stderr()
    return serve_tcp(create_server(), port, lambda bound: log.info("listening on port %d", bound))
