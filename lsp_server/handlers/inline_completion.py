"""`textDocument/inlineCompletion`: the request that shows ghost text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as t

from lsp_server.answer import Ask, Popup, Trigger
from lsp_server.documents import DocumentSnapshot
from lsp_server.typed_through import Offer

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

ACCEPTED = "ghostfill.accepted"


def register(server: GhostfillServer) -> None:
    """Register this file's handler."""

    # Options are needed for pygls to advertise the provider; a non-empty object for Emacs to see it.
    @server.feature(t.TEXT_DOCUMENT_INLINE_COMPLETION, t.InlineCompletionOptions(work_done_progress=False))
    async def inline_completion(params: t.InlineCompletionParams) -> t.InlineCompletionList:
        uri = params.text_document.uri
        # Before any await: a didChange in the same write must not slip under the request.
        snapshot = server.snapshot(uri)
        session = server.session
        if snapshot is None or session.why_off(snapshot):
            return t.InlineCompletionList(items=[])
        session.note_focus(uri, params.position)
        offset = snapshot.offset_at(params.position.line, params.position.character)
        ask = Ask(
            snapshot=snapshot,
            offset=offset,
            trigger=_TRIGGERS[params.context.trigger_kind],
            popup=_popup(snapshot, params.context.selected_completion_info, offset),
        )
        answer = await session.answering.answer(ask)
        return t.InlineCompletionList(items=[_item(ask, offer) for offer in answer.offers])


_TRIGGERS = {
    t.InlineCompletionTriggerKind.Invoked: Trigger.INVOKED,
    t.InlineCompletionTriggerKind.Automatic: Trigger.AUTOMATIC,
}


def _popup(
    snapshot: DocumentSnapshot, selected: t.SelectedCompletionInfo | None, cursor: int
) -> Popup | None:
    if selected is None:
        return None
    start, end = selected.range.start, selected.range.end
    return Popup(
        snapshot.offset_at(start.line, start.character),
        # coc.nvim says where the cursor was when its menu opened, and not what was typed since.
        max(cursor, snapshot.offset_at(end.line, end.character)),
        selected.text,
    )


def _item(ask: Ask, offer: Offer) -> t.InlineCompletionItem:
    popup = ask.popup or Popup(ask.offset, ask.offset, "")
    return t.InlineCompletionItem(
        insert_text=popup.text + offer.text,
        range=t.Range(
            start=ask.snapshot.position_at(popup.start),
            end=ask.snapshot.position_at(popup.end + offer.replaces),
        ),
        command=t.Command(title="Completion accepted", command=ACCEPTED, arguments=[{"id": offer.id}]),
    )
