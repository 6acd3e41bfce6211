"""The server at `engine.url`, whatever it speaks: it is asked once. Knows how each kind is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from engine.api import Completion, CompletionRequest
from engine.backends.base import Backend, EngineInfo, OnProgress, OnText
from engine.backends.endpoint import Endpoint
from engine.backends.llamacpp import is_loading
from engine.errors import EngineRefusedError, EngineUnavailableError, GhostfillError


class AutoBackend:
    """Stands before the backend that `make` gives for the name of an API."""

    def __init__(self, endpoint: Endpoint, make: Callable[[str], Backend]) -> None:
        self._endpoint = endpoint
        self._make = make
        self._backend: Backend | None = None
        self._is_forgotten = False
        self._lock = asyncio.Lock()

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Find out what answers, and wait for it; raises EngineUnavailableError, ModelError."""
        backend = await self._found()
        try:
            return await backend.ready(on_progress)
        except GhostfillError:
            await self._drop()  # next time another kind of server may stand there
            raise

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Complete as the found backend does."""
        if self._backend is None:
            raise EngineUnavailableError(f"what is served at {self._endpoint.address} is not known yet")
        return await self._backend.complete(request, on_text)

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """What the found backend says."""
        try:
            return await (await self._found()).cached_tokens(prompt_ids)
        except EngineUnavailableError:
            return None

    def forget(self) -> None:
        """Ask the server again at the next `ready`."""
        self._is_forgotten = True

    async def close(self) -> None:
        """Drop connections."""
        await self._drop()

    async def _found(self) -> Backend:
        async with self._lock:
            if self._is_forgotten:
                self._is_forgotten = False
                await self._drop()
            if self._backend is None:
                try:
                    self._backend = self._make(await find_api(self._endpoint))
                finally:
                    await self._endpoint.close()  # the backend has connections of its own
            return self._backend

    async def _drop(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            await backend.close()


async def find_api(endpoint: Endpoint) -> str:
    """`ghostfill`, `llamacpp` or `openai`, by what the server says; raises EngineUnavailableError."""
    health = await endpoint.look("/health")
    if isinstance(health.body, dict) and "protocol" in health.body:
        return "ghostfill"
    if is_loading(health):
        return "llamacpp"
    props = await endpoint.look("/props")
    if isinstance(props.body, dict) and "default_generation_settings" in props.body:
        return "llamacpp"
    models = await endpoint.look("/v1/models")
    if isinstance(models.body, dict) and isinstance(models.body.get("data"), list):
        return "openai"
    for reply, path in ((health, "/health"), (props, "/props"), (models, "/v1/models")):
        if reply.status in (401, 403, 502, 503, 504):
            raise endpoint.refusal(reply, path)
    raise EngineRefusedError(
        f"what answers at {endpoint.address} is no ghostfill engine, no llama-server and no server with "
        "OpenAI's /v1/models: correct engine.url, or say in engine.api what it is."
    )
