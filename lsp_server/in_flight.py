"""Engine work under way: one run per document, which a later key takes over while its text still agrees.

A run ends early when the typing goes another way, when the one who asked cancels, or when a newer run of the
same document begins: the engine then stops within one step. Knows no prompts and no editor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engine.api import TextPiece, TokenScore
from engine.backends.base import OnText
from lsp_server.engine_work import EngineWork, Finished
from lsp_server.hole import Hole, with_plain_line_ends
from lsp_server.typed_through import Offer

log = logging.getLogger(__name__)


class Run:
    """One request, its text so far, and whoever waits for more of it. Lives on the event loop."""

    def __init__(
        self,
        work: EngineWork,
        start: Callable[[OnText], Awaitable[Finished]],
        on_finished: Callable[[Finished], None],
    ) -> None:
        """`on_finished` is called at the end, whether or not anybody waits for it by then."""
        self.asked = work.asked
        self.text = work.asked.lead
        """All that is settled so far, from the cursor on."""
        self.finished: Finished | None = None
        """None until it is over."""
        self._work = work
        self._scores: list[TokenScore] = []
        self._on_finished = on_finished
        self._changed = asyncio.Event()
        self._task = asyncio.ensure_future(start(self._on_text))
        self._task.add_done_callback(self._on_done)

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""
        return self.finished is not None

    def agrees(self, hole: Hole) -> bool:
        """What was typed since it began is what it says, as far as it has come."""
        old = self.asked.hole
        typed = old.typed_in(hole.text)
        if typed is None or hole.offset != old.offset + len(typed):
            return False
        return self.text.startswith(typed) or typed.startswith(self.text)

    def can_serve(self, hole: Hole) -> bool:
        """It agrees, and is not merely unheard yet: then a prompt with the new key says more."""
        has_begun = len(self.text) > len(self.asked.lead)
        return self.agrees(hole) and (has_begun or hole in (self.asked.hole, self.asked.beyond))

    def whole_lines(self) -> Offer | None:
        """What can be shown before the end: one line at least, and only lines that stay."""
        written = self.text[len(self.asked.lead) :]
        if "\n" not in written.lstrip():
            return None
        offer = self._work.early(written, tuple(self._scores))
        return offer if offer.text else None

    async def more(self) -> None:
        """Wait for more text, or the end."""
        if not self.is_over:
            await self._changed.wait()

    def cancel(self) -> None:
        """Stop the engine's work for it."""
        self._task.cancel()

    def _on_text(self, piece: TextPiece) -> None:
        self.text += piece.text
        self._scores += piece.scores
        self._wake()

    def _on_done(self, task: asyncio.Task[Finished]) -> None:
        self.finished = Finished()
        if not task.cancelled():
            if (error := task.exception()) is None:
                self.finished = task.result()
            else:
                log.error("a request to the engine failed", exc_info=error)
        self._on_finished(self.finished)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Runs:
    """The run of each document, and at most one that nobody asked for yet."""

    def __init__(self) -> None:
        self._of: dict[str, Run] = {}
        self._ahead: tuple[str, Run] | None = None

    def serving(self, uri: str, hole: Hole) -> Run | None:
        """The run that a request at `hole` should wait for."""
        for run in (self._of.get(uri), self.ahead_of(uri)):
            if run is not None and not run.is_over and run.can_serve(hole):
                return run
        return None

    def begin(self, uri: str, run: Run) -> Run:
        """A user waits for this one: whatever else runs for the document, or ahead, makes way."""
        self.stop(uri)
        self._of[uri] = run
        return run

    def begin_ahead(self, uri: str, run: Run) -> None:
        """Nobody waits for this one."""
        self.stop_ahead()
        self._ahead = uri, run

    def ahead_of(self, uri: str) -> Run | None:
        """The document's run ahead."""
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == uri else None

    def is_idle(self, uri: str) -> bool:
        """Nothing that a user waits for runs."""
        run = self._of.get(uri)
        return run is None or run.is_over

    def is_free(self, uri: str) -> bool:
        """Nothing at all runs for the document."""
        ahead = self.ahead_of(uri)
        return self.is_idle(uri) and (ahead is None or ahead.is_over)

    def note_text(self, uri: str, text: str) -> None:
        """The document has changed: runs that it contradicts end at once."""
        text = with_plain_line_ends(text)
        if (run := self._of.get(uri)) is not None and not _may_come_to(run, text):
            self.stop(uri)
        if (ahead := self.ahead_of(uri)) is not None and not _may_come_to(ahead, text):
            self.stop_ahead()

    def stop(self, uri: str) -> None:
        """End the document's run, and what runs ahead."""
        if (run := self._of.pop(uri, None)) is not None:
            run.cancel()
        self.stop_ahead()

    def stop_ahead(self) -> None:
        """End the run that nobody asked for."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None


def _may_come_to(run: Run, text: str) -> bool:
    """Typing is all that the text lacks to be the run's, or it has some of what that says at its cursor."""
    hole = run.asked.hole
    num_typed = len(text) - len(hole.text)
    if num_typed >= 0:
        return run.agrees(Hole(text, hole.offset + num_typed))
    at = hole.offset + num_typed
    return at >= 0 and text[:at] == hole.text[:at] and text[at:] == hole.text[hole.offset :]
