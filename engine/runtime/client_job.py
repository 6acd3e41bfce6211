"""One job on its way through the worker for a client that may leave: then it is cancelled.

Knows the event loop and one request's connection; knows no JSON.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from starlette.requests import Request

from engine.api import Completion, CompletionRequest, TextPiece
from engine.runtime.mailbox import Job, Outcome
from engine.runtime.sink import AlternativeTexts, TextSink
from engine.stopping import Stopper
from engine.tokens import Tokenizer

if TYPE_CHECKING:
    from engine.runtime.lane import Lane
    from engine.runtime.worker import Worker

TELL_SECONDS = 0.02
"""Text is told no more often, but for line ends: to wake the loop for each token slows the model's thread."""


class ClientJob:
    """A request's texts and figures, from the model's thread to the event loop that it is made in."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        wanted: CompletionRequest,
        *,
        is_stream: bool,
        lane: Lane | None = None,
        chunk_tokens: int | None = None,
    ) -> None:
        """`lane` and `chunk_tokens` as for Job."""
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[TextPiece | Outcome] = asyncio.Queue()

        def new_sink(on_text: Callable[[TextPiece], None] | None = None) -> TextSink:
            return TextSink(tokenizer, Stopper(wanted.stop_rules, wanted.stop), on_text, wanted.heal)

        self._held: list[TextPiece] = []
        self._told_at = 0.0
        self._sink = new_sink(self._put_text if is_stream else None)
        self._others = AlternativeTexts(self._sink, new_sink, wanted.num_answers - 1)
        first, *others = wanted.drafts or ("",)
        # The first is what the model may say from its start on, and it says what is healed before.
        drafts = (wanted.heal + first if first else "", *others)
        draft_ids = tuple(tuple(tokenizer.encode(text)) for text in drafts)
        self._job = Job(
            wanted, self._sink, self._put, threading.Event(), self._others, draft_ids, lane, chunk_tokens
        )

    async def results(
        self, worker: Worker, gone: asyncio.Future[None], patience: float | None = None
    ) -> AsyncGenerator[TextPiece | Outcome | None]:
        """Submits the job; its texts, then its outcome. Ends early, cancelling it, when the client leaves.

        None says that nothing has come for `patience` seconds.
        """
        # By callback, not only when this generator is asked again: a slow reader must not delay the cancel.
        gone.add_done_callback(lambda _: self._job.cancelled.set())
        item = asyncio.ensure_future(self._items.get())
        try:
            worker.submit(self._job)
            while True:
                await asyncio.wait((gone, item), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if item.done():
                    result = item.result()
                    yield result
                    if isinstance(result, Outcome):
                        return
                    item = asyncio.ensure_future(self._items.get())
                elif gone.done():
                    return
                else:
                    yield None
        finally:
            item.cancel()
            self._job.cancelled.set()

    def completion(self, outcome: Outcome) -> Completion:
        """All that was said, and the figures; once the outcome is there."""
        return Completion(
            text=self._sink.text,
            finish_reason=outcome.finish_reason,
            timings=outcome.timings,
            mean_logprob=self._sink.mean_logprob,
            scores=self._sink.scores,
            end_logprob=self._sink.end_logprob if outcome.end_logprob is None else outcome.end_logprob,
            alternatives=tuple(self._others.completions),
        )

    def _put_text(self, piece: TextPiece) -> None:
        """Called in the model's thread; what is held at the end comes with the outcome."""
        self._held.append(piece)
        now = time.monotonic()
        if "\n" in piece.text or now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            scores = tuple(score for each in self._held for score in each.scores)
            self._put(TextPiece("".join(each.text for each in self._held), scores))
            self._held.clear()

    def _put(self, item: TextPiece | Outcome) -> None:
        """Called in the model's thread."""
        with suppress(RuntimeError):  # the loop is closed: the engine is going down
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)


@contextmanager
def watched(request: Request) -> Iterator[asyncio.Future[None]]:
    """Done as soon as the client has closed its connection."""
    gone = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        yield gone
    finally:
        gone.cancel()


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
