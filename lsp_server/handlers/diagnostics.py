"""`ghostfill/didChangeDiagnostics`: LSP tells a server nothing of what others find, so a client may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer


def register(server: GhostfillServer) -> None:
    """Register this file's handlers. The parameters are those of `textDocument/publishDiagnostics`, from a
    client: nothing in them is relied on.
    """

    @server.feature("ghostfill/didChangeDiagnostics")
    def did_change_diagnostics(params: Any) -> None:
        match params:
            case {"uri": str(uri), "diagnostics": [*diagnostics]}:
                snapshot = server.snapshot(uri)
                version = params.get("version")
                if snapshot is not None:
                    known = version if isinstance(version, int) else None
                    server.session.diagnostics.note(snapshot, diagnostics, known)
