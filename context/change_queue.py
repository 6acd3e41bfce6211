"""Changes on their way from many threads to one: collected until they pause. Knows nothing of files."""

from __future__ import annotations

import queue
import time

PAUSE_S = 0.1
"""A burst has ended when nothing came for so long."""
MAX_BURST_S = 3.0
"""One that does not end is dealt with as far as it came."""


class ChangeQueue:
    """Thread-safe. `take` is for one thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def put(self, key: str) -> None:
        """Something about this key changed. Returns at once."""
        self._queue.put(key)

    def close(self) -> None:
        """`take` returns."""
        self._queue.put(None)

    def take(self, *, is_waiting: bool) -> set[str]:
        """All changes of the next burst; without waiting, those that are here already."""
        batch: set[str] = set()
        key = self._queue.get() if is_waiting else self._next(0)
        until = time.monotonic() + MAX_BURST_S
        while key is not None:
            batch.add(key)
            key = self._next(PAUSE_S if is_waiting and time.monotonic() < until else 0)
        return batch

    def _next(self, timeout_s: float) -> str | None:
        try:
            return self._queue.get(timeout_s > 0, timeout_s or None)
        except queue.Empty:
            return None
