"""A ghostfill engine at a URL that the user configured: a team's GPU machine. Never starts anything."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from engine.api import Completion, CompletionRequest
from engine.backends.base import EngineInfo, OnProgress, OnText, describe, report_loading
from engine.client import EngineClient
from engine.errors import EngineRefusedError, EngineUnavailableError

POLL_SECONDS = 0.25


class RemoteBackend:
    """One engine at `url`; the key comes from the environment variable named `api_key_env`."""

    def __init__(self, url: str, api_key_env: str | None = None) -> None:
        self._client = EngineClient(url=url, api_key=os.environ.get(api_key_env) if api_key_env else None)
        self._info: EngineInfo | None = None
        self._lock = asyncio.Lock()

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Ask the engine what it is, waiting while it loads; raises EngineUnavailableError."""
        async with self._lock:
            while self._info is None:
                health = await self._client.health()
                if health.get("state") == "ready":
                    self._info = await describe(self._client, health)
                else:
                    report_loading(health, on_progress)
                    await asyncio.sleep(POLL_SECONDS)
            return self._info

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Complete at the URL; forgets the engine if it no longer answers."""
        try:
            return await self._client.complete(request, on_text)
        except EngineRefusedError:
            raise
        except EngineUnavailableError:
            self._info = None
            raise

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """What the engine at the URL says, if it is one that can."""
        try:
            return await self._client.cached_tokens(prompt_ids)
        except EngineUnavailableError:
            return None

    def forget(self) -> None:
        """Ask again at the next `ready`."""
        self._info = None

    async def close(self) -> None:
        """Drop connections."""
        await self._client.close()
