"""The one way to a completion for every method that shows one: newest wins, nothing that was dismissed comes
back, and what becomes of each is counted. Knows the pipeline; knows no single LSP method.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lsp_server.answer import Answer, Ask, figures
from lsp_server.dismissals import Dismissals
from lsp_server.documents import DocumentSnapshot
from lsp_server.feedback import Feedback
from lsp_server.hole import Hole
from lsp_server.newest import Newest
from lsp_server.pipeline import Pipeline

SUPERSEDED = "superseded"


class Answering:
    """For one client."""

    def __init__(
        self,
        pipeline: Pipeline,
        feedback: Feedback,
        dismissals: Dismissals,
        tell: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        """`tell` is given the figures of each answer."""
        self._pipeline = pipeline
        self._feedback = feedback
        self._dismissals = dismissals
        self._newest = Newest()
        self._tell = tell

    async def answer(self, ask: Ask) -> Answer:
        """What to show; an older question about the document is answered empty."""
        uri, hole = ask.snapshot.uri, ask.hole()
        self._pipeline.note_latest(ask)
        if not ask.is_invoked and self._dismissals.is_dismissed(uri, hole.text, hole.offset):
            self._newest.displace(uri)
            answer = Answer(reason="dismissed")
        else:
            try:
                found = await self._newest.run(uri, self._pipeline.answer(ask))
            except asyncio.CancelledError:
                self._feedback.cancelled(ask.snapshot.language_id)
                raise
            answer = found or Answer(reason=SUPERSEDED)
        self._count(ask, answer)
        for offer in reversed(answer.offers):
            self._dismissals.note_shown(offer.id, uri, hole.text, hole.offset)
        if self._tell is not None:
            self._tell(figures(ask, answer))
        return answer

    def seen(self, offer_id: str) -> None:
        """The client says that it shows a completion."""
        self._feedback.seen(offer_id)
        self._pipeline.note_seen(offer_id)

    def dismissed(self, offer_id: str | None, place: tuple[DocumentSnapshot, int] | None = None) -> None:
        """The client says that the user does not want a completion, by default the last one.

        At `place`, if the client went on with it there by itself.
        """
        if place is not None and offer_id is not None:
            snapshot, offset = place
            hole = Hole.at(snapshot.text, offset)
            self._dismissals.note_shown(offer_id, snapshot.uri, hole.text, hole.offset)
        if found := self._dismissals.note(offer_id) or offer_id:
            self._feedback.rejected(found)

    def changed(self, snapshot: DocumentSnapshot, insertion: str | None) -> None:
        """A document has changed; `insertion` is what one edit inserted, if it replaced nothing."""
        self._pipeline.note_text(snapshot)
        self._feedback.changed(snapshot.uri, snapshot.text, insertion)

    def closed(self, uri: str) -> None:
        """A document was closed."""
        self._newest.displace(uri)
        self._pipeline.forget(uri)
        self._feedback.closed(uri)
        self._dismissals.forget(uri)

    def _count(self, ask: Ask, answer: Answer) -> None:
        language = ask.snapshot.language_id
        if answer.reason == SUPERSEDED:
            self._feedback.cancelled(language)
            return
        stages = answer.stages
        self._feedback.latency(
            answer.source, stages.total_ms, stages.engine, language=language, reason=answer.reason
        )
        hole, begun = _in_document(ask)
        for number, offer in enumerate(answer.offers):
            self._feedback.shown(
                offer.id,
                ask.snapshot.uri,
                hole,
                begun + offer.text,
                answer.source,
                offer.confidence,
                language=language,
                is_alternative=number > 0,
            )


def _in_document(ask: Ask) -> tuple[Hole, str]:
    """Where the client puts a completion into its text, and what it begins with there: the menu's item."""
    text, popup = ask.snapshot.text, ask.popup
    if popup is None:
        return Hole.at(text, ask.offset), ""
    return Hole.at(text[: popup.start] + text[popup.end :], popup.start), popup.text
