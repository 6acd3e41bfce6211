"""Newest wins: one running answer per document; an older one is answered empty, never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Newest:
    """Runs one coroutine per key; starting another for the same key ends the one before it."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def run(self, key: str, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None if a newer call for `key` displaced it.

        Cancelling the caller cancels `work` and raises CancelledError, as usual.
        """
        self.displace(key)
        task = asyncio.ensure_future(work)
        self._running[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None
        finally:
            if self._running.get(key) is task:
                del self._running[key]

    def displace(self, key: str) -> None:
        """End what runs for `key`, if anything does."""
        if (older := self._running.pop(key, None)) is not None:
            older.cancel()
