"""`textDocument/inlineCompletion`: the request that shows ghost text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as t

from lsp_server.documents import DocumentSnapshot
from lsp_server.pipeline import Ask, Trigger
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
        if snapshot is None or session.is_off_for(snapshot):
            return t.InlineCompletionList(items=[])
        session.note_focus(uri, params.position)
        ask = Ask(
            snapshot=snapshot,
            offset=snapshot.offset_at(params.position.line, params.position.character),
            trigger=_TRIGGERS[params.context.trigger_kind],
        )
        offer = await session.newest.run(uri, session.pipeline.offer(ask))
        if offer is None:
            return t.InlineCompletionList(items=[])
        session.feedback.shown += 1
        return t.InlineCompletionList(items=[_item(snapshot, offer)])


_TRIGGERS = {
    t.InlineCompletionTriggerKind.Invoked: Trigger.INVOKED,
    t.InlineCompletionTriggerKind.Automatic: Trigger.AUTOMATIC,
}


def _item(snapshot: DocumentSnapshot, offer: Offer) -> t.InlineCompletionItem:
    at = snapshot.position_at(offer.hole.offset)
    return t.InlineCompletionItem(
        insert_text=offer.text,
        range=t.Range(start=at, end=at),
        command=t.Command(title="Completion accepted", command=ACCEPTED, arguments=[{"id": offer.id}]),
    )
