"""`didOpen`, `didChange`, `didSave`, `didClose`: open buffers stand in for the files on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types as t

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer


def register(server: GhostfillServer) -> None:
    """Register this file's handlers; pygls has applied the edit when they run."""

    @server.feature(t.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: t.DidOpenTextDocumentParams) -> None:
        server.session.document_opened(params.text_document.uri)

    @server.feature(t.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: t.DidChangeTextDocumentParams) -> None:
        server.session.document_changed(params.text_document.uri, _insertion(params.content_changes))

    @server.feature(t.TEXT_DOCUMENT_DID_SAVE, t.SaveOptions(include_text=False))
    def did_save(params: t.DidSaveTextDocumentParams) -> None:
        server.session.planner.note_saved()

    @server.feature(t.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: t.DidCloseTextDocumentParams) -> None:
        server.session.document_closed(params.text_document.uri)


def _insertion(changes: Sequence[t.TextDocumentContentChangeEvent]) -> str | None:
    """What was inserted, if it was one edit that replaced nothing."""
    match changes:
        case [t.TextDocumentContentChangePartial(range=span, text=text)] if span.start == span.end:
            return text
    return None
