"""The front's line to its engine: started in the background, shown in the status, brought back after death.

Knows backends and the status; knows no prompts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.api import Completion, CompletionRequest
from engine.backends.base import Backend, EngineInfo, OnText
from engine.errors import EngineRefusedError, EngineUnavailableError, GhostfillError
from lsp_server.status import Kind, Status

log = logging.getLogger(__name__)


class Progress(Protocol):
    """Where the load of an engine is shown."""

    def report(self, fraction: float, message: str) -> None:
        """A fraction of 1 is done."""

    def end(self, message: str) -> None:
        """Loading has ended, well or not."""


class EngineLink:
    """One backend for the whole session."""

    def __init__(
        self,
        backend: Backend,
        status: Status,
        progress: Callable[[], Progress],
        tell_user: Callable[[str], None],
    ) -> None:
        self._backend = backend
        self._status = status
        self._progress = progress
        self._tell_user = tell_user
        self._info: EngineInfo | None = None
        self._connecting: asyncio.Task[EngineInfo | None] | None = None
        self._told: set[str] = set()

    def start(self) -> asyncio.Task[EngineInfo | None]:
        """Connect in the background, if that is not under way already."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.ensure_future(self._connect())
        return self._connecting

    async def info(self, *, wait: bool) -> EngineInfo | None:
        """The ready engine, or None; without `wait` at once, leaving a connect under way behind."""
        if self._info is not None:
            return self._info
        connecting = self.start()
        # Shielded: a cancelled request must not stop a model from loading.
        return await asyncio.shield(connecting) if wait else None

    @property
    def info_now(self) -> EngineInfo | None:
        """The engine if it is ready; nothing is started."""
        return self._info

    async def complete(
        self, request: CompletionRequest, on_text: OnText | None = None, *, wait: bool
    ) -> Completion | None:
        """A completion, or None if the engine is gone; with `wait` it is brought back and asked once more."""
        try:
            return await self._complete(request, on_text)
        except EngineRefusedError as error:
            log.warning("the engine refused: %s", error)
            self.tell_once(str(error))
            return None
        except EngineUnavailableError as error:
            log.warning("the engine is gone: %s", error)
            self._info = None
            if not wait:
                self.start()
                return None
        try:
            # Not streamed: what was told of the first try is not told twice.
            return await self._complete(request, None) if await self.info(wait=True) else None
        except EngineUnavailableError as error:
            log.warning("the engine is gone again: %s", error)
            return None

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """How many leading tokens of a prompt the engine would reuse now; None if it cannot be known."""
        return await self._backend.cached_tokens(prompt_ids)

    async def _complete(self, request: CompletionRequest, on_text: OnText | None) -> Completion:
        self._status.busy(+1)
        try:
            return await self._backend.complete(request, on_text)
        finally:
            self._status.busy(-1)

    def restart(self) -> None:
        """The user wants it tried again now."""
        self._info = None
        self._told.clear()
        self._backend.forget()
        self.start()

    def tell_once(self, message: str) -> None:
        """Show a sentence, unless it was shown before."""
        if message not in self._told:
            self._told.add(message)
            self._tell_user(message)

    async def close(self) -> None:
        """Drop connections and what is under way."""
        if self._connecting is not None:
            self._connecting.cancel()
        await self._backend.close()

    async def _connect(self) -> EngineInfo | None:
        progress: Progress | None = None

        def report(fraction: float, message: str) -> None:
            nonlocal progress
            progress = progress or self._progress()
            progress.report(fraction, message)
            self._status.set(Kind.NORMAL, f"{message} {fraction:.0%}")

        # Busy from the first word to the last: what is told in between is not the state of a ready engine.
        self._status.busy(+1)
        self._status.set(Kind.NORMAL, "starting the engine")
        try:
            self._info = await self._backend.ready(report)
            self._status.set(
                Kind.WARNING if self._info.refusal else Kind.NORMAL,
                self._info.refusal or f"{self._info.model} on {self._info.device}",
            )
        except GhostfillError as error:
            log.error("no engine: %s", error)
            self._status.set(Kind.ERROR, str(error))
            # Without the wait that a back-off adds, the sentence is the same each time and is shown once.
            self.tell_once(str(error).split(" (next try in")[0])
            return None
        finally:
            self._status.busy(-1)
            if progress is not None:
                progress.end("ready" if self._info else "failed")
        if self._info.refusal:
            self.tell_once(self._info.refusal)
        return self._info
