"""The resident engine of this machine: found, started, waited for, and started again after it died.

Knows `ghostfill engine` and its socket; knows no editors.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Sequence

from engine.api import Completion, CompletionRequest
from engine.backends.base import EngineInfo, OnProgress, OnText, describe, report_loading
from engine.client import EngineClient
from engine.errors import EngineRefusedError, EngineUnavailableError, GhostfillError
from engine.launch import EngineSpec, last_words, start_engine

POLL_SECONDS = 0.05
LOCKED_SECONDS = 1.0
"""Until the next try when another engine holds the lock: it will soon answer, or is just leaving."""
GRACE_SECONDS = 30.0
"""So long may an engine take until it answers for the first time. Loading has no limit: it tells of it."""
BACK_OFF_SECONDS = (0.0, 1.0, 3.0, 10.0, 30.0, 60.0)


class LocalBackend:
    """One resident engine; several fronts with equal specs share it."""

    def __init__(self, spec: EngineSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self.spec = spec
        self._clock = clock
        self._client: EngineClient | None = None
        self._info: EngineInfo | None = None
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        """Started by us and not ready yet."""
        self._failures = 0
        self._next_try = 0.0
        self._last_error = ""

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Find the engine or start it, and wait; raises EngineUnavailableError, at once while backing off."""
        async with self._lock:
            if self._info is None:
                wait = self._next_try - self._clock()
                if wait > 0:
                    raise EngineUnavailableError(f"{self._last_error} (next try in {wait:.0f} s)")
                try:
                    self._info = await self._connect(on_progress)
                except GhostfillError as error:
                    self._fail(error)
                    raise
                self._process = None
            return self._info

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Complete on the engine that `ready` found; forgets it if it no longer answers."""
        client = self._client
        if client is None or self._info is None:
            raise EngineUnavailableError("the engine is not ready")
        try:
            completion = await client.complete(request, on_text)
        except EngineRefusedError:
            raise
        except EngineUnavailableError as error:
            self._fail(error)
            raise
        self._failures = 0
        return completion

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """What the engine at our socket says, if one is there."""
        try:
            return await self._at_socket().cached_tokens(prompt_ids)
        except EngineUnavailableError:
            return None

    def forget(self) -> None:
        """Start afresh at the next `ready`, without back-off."""
        self._info, self._failures, self._next_try = None, 0, 0.0

    async def close(self) -> None:
        """Drop connections; the engine lives on for others and for the next start."""
        if self._client is not None:
            await self._client.close()

    def _fail(self, error: GhostfillError) -> None:
        """Back off further with each failure that no completion came between."""
        delay = BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
        self._failures += 1
        self._last_error = str(error)
        self._next_try = self._clock() + delay
        self._info = self._process = None

    async def _connect(self, on_progress: OnProgress | None) -> EngineInfo:
        client = self._at_socket()
        silent_since = self._clock()
        while True:
            try:
                health = await client.health()
            except EngineUnavailableError:
                await self._bring_up(self._clock() - silent_since)
            else:
                silent_since = self._clock()
                if health.get("state") == "ready":
                    return await describe(client, health)
                report_loading(health, on_progress)
            await asyncio.sleep(POLL_SECONDS)

    def _at_socket(self) -> EngineClient:
        if self._client is None:
            self._client = EngineClient(socket=self.spec.files().socket)
        return self._client

    async def _bring_up(self, silent_seconds: float) -> None:
        """Start an engine, or look at how the one that was started does; raises EngineUnavailableError."""
        files = self.spec.files()
        if silent_seconds > GRACE_SECONDS:
            raise EngineUnavailableError(
                f"an engine was started but does not answer at {files.socket}: see {files.log}, end the "
                f"process that holds {files.lock} and try again."
            )
        if self._process is None:
            # In a thread: exec of a large process may take a while, and keys are being typed.
            self._process = await asyncio.to_thread(start_engine, self.spec)
            return
        status = self._process.poll()
        if status is None:
            return
        self._process = None
        if status != 0:
            why = f"killed by signal {-status}" if status < 0 else last_words(files.log)
            raise EngineUnavailableError(f"the engine ended while starting: {why or f'exit status {status}'}")
        await asyncio.sleep(LOCKED_SECONDS)
