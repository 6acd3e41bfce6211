"""Has the engine read what the user will ask about, while they rest: the next key then costs one token.

One place at a time, the one where the user is. Knows time; knows neither prompts nor the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lsp_server.answer import Ask

log = logging.getLogger(__name__)
REST_SECONDS = 0.7
"""Longer than between keys, shorter than a thought."""


class Warmer:
    """Lives on the event loop."""

    def __init__(self, read: Callable[[Ask], Awaitable[None]], is_free: Callable[[str], bool]) -> None:
        """`read` has the engine read a place; `is_free` says whether it does nothing else for a document."""
        self._read = read
        self._is_free = is_free
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Future[None] | None = None

    def rest(self, ask: Ask) -> None:
        """The user is here; read the place unless something happens soon."""
        self.stir()
        self._timer = asyncio.get_running_loop().call_later(REST_SECONDS, self.now, ask)

    def stir(self) -> None:
        """The user goes on: nothing is begun now. What is being read is worth finishing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def now(self, ask: Ask) -> None:
        """Read the place, if the engine has nothing else to do for its document."""
        if self._task is not None:
            self._task.cancel()
        if self._is_free(ask.snapshot.uri):
            self._task = asyncio.ensure_future(self._read(ask))
            self._task.add_done_callback(_tell_failure)

    def close(self) -> None:
        """Read nothing any more."""
        self.stir()
        if self._task is not None:
            self._task.cancel()


def _tell_failure(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("reading ahead failed", exc_info=error)
