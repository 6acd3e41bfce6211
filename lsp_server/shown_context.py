"""`ghostfill.showContext`: the request that the next completion would send, as a report and as a page.

Knows the session and how its pipeline plans; leaves the wire to its handler.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from engine.errors import GhostfillError
from lsp_server.context_explained import explain
from lsp_server.context_page import context_page
from lsp_server.context_report import ContextReport
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_at_hand import engine_at_hand
from lsp_server.hole import Hole
from lsp_server.page_store import keep_page

if TYPE_CHECKING:
    from lsp_server.session import Session

log = logging.getLogger(__name__)


class ShowContextError(GhostfillError):
    """There is nothing to explain."""


@dataclass(frozen=True, slots=True)
class Place:
    """A document and a cursor in it."""

    snapshot: DocumentSnapshot
    offset: int


async def show_context(session: Session, argument: Any) -> dict[str, Any]:
    """Explain the document that `argument` names, else the last one; raises GhostfillError.

    The page is shown by the client if it can and if `argument` does not say `"show": false`.
    """
    wanted = argument if isinstance(argument, Mapping) else {}
    place = _place(session, wanted)
    report = await _explain(session, place)
    page = await asyncio.to_thread(_write, report, place.snapshot.uri)
    uri = page.as_uri()
    if wanted.get("show") is not False and session.can("window.show_document.support"):
        # Not awaited: the client may wait for us to answer before it shows anything.
        session.server.window_show_document(t.ShowDocumentParams(uri=uri, external=True), _note_shown)
    return {"uri": uri, "path": str(page), "report": report.to_json()}


def _place(session: Session, wanted: Mapping[str, Any]) -> Place:
    focus = session.focus
    uri = wanted.get("uri") or (focus.uri if focus else None)
    if not isinstance(uri, str):
        raise ShowContextError("No document is open: open a file and try again.")
    snapshot = session.server.snapshot(uri)
    if snapshot is None:
        raise ShowContextError(f"{uri} is not open here: open it and try again.")
    if session.why_off(snapshot):
        raise ShowContextError(
            "Nothing is sent for this document: inline.enabled, languages.disabled or privacy.exclude "
            "(or the built-in list of secrets) says so."
        )
    match wanted.get("position"):
        case {"line": int(line), "character": int(character)}:
            return Place(snapshot, snapshot.offset_at(max(line, 0), character))
    if focus is not None and focus.uri == uri and focus.position is not None:
        return Place(snapshot, snapshot.offset_at(focus.position.line, focus.position.character))
    return Place(snapshot, len(snapshot.text))


async def _explain(session: Session, place: Place) -> ContextReport:
    snapshot = place.snapshot
    info = await session.link.info(wait=False)
    if info is None:  # it still loads, or cannot: its tokenizer can be had all the same
        info = await asyncio.to_thread(lambda: asyncio.run(engine_at_hand(session.settings)))
    path = snapshot.path or Path(snapshot.uri.rpartition("/")[2] or "untitled")
    root = next((root for root in session.roots if path.is_relative_to(root)), path.parent)
    return await explain(
        session.settings,
        session.context,
        root,
        path,
        Hole.at(snapshot.text, place.offset),
        await session.pipeline.plan(snapshot, place.offset, info, None),
        info,
        session.link.cached_tokens,
        session.pipeline.anchor(snapshot.uri),
    )


def _write(report: ContextReport, uri: str) -> Path:
    return keep_page(context_page(report), uri, report.file.rpartition("/")[2])


def _note_shown(result: t.ShowDocumentResult) -> None:
    if not result.success:
        log.info("the client did not show the page")
