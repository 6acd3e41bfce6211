"""What answers at engine.url is found out by asking it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from engine.api import CompletionRequest
from engine.backends.auto import AutoBackend, find_api
from engine.backends.base import Backend
from engine.backends.endpoint import Endpoint
from engine.backends.foreign import ForeignBackend
from engine.backends.llamacpp import LlamaCppApi
from engine.backends.openai import OpenAIApi
from engine.errors import EngineRefusedError, EngineUnavailableError
from foreign_http import LlamaServer, ScriptedServer, VllmServer, serving


class Ours(VllmServer):
    """As much of our own engine as is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.replies["/health"] = JSONResponse({"protocol": 1, "state": "loading"})


class Loading(LlamaServer):
    """Says the same everywhere while it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.num_loading = 9


@pytest.mark.parametrize(
    ("server", "api"),
    [(Ours, "ghostfill"), (LlamaServer, "llamacpp"), (Loading, "llamacpp"), (VllmServer, "openai")],
)
async def test_each_kind_of_server_is_told_by_what_it_says(server: type[ScriptedServer], api: str) -> None:
    async with serving(server().routes()) as url:
        endpoint = Endpoint(url)
        assert await find_api(endpoint) == api
        await endpoint.close()


@pytest.mark.parametrize(
    ("replies", "kind", "words"),
    [
        ({}, EngineRefusedError, "no ghostfill engine, no llama-server and no server with OpenAI's"),
        (
            {"/v1/models": JSONResponse({"error": "Unauthorized"}, 401)},
            EngineRefusedError,
            "engine.apiKeyEnv",
        ),
        ({"/health": Response("", 503)}, EngineUnavailableError, "not ready"),
        ({"/v1/models": JSONResponse({"data": "none"})}, EngineRefusedError, "say in engine.api"),
    ],
)
async def test_what_is_none_of_them_is_told_in_a_sentence(
    replies: dict[str, Any], kind: type[EngineUnavailableError], words: str
) -> None:
    server = VllmServer()
    for path in ("/health", "/v1/models"):
        server.replies[path] = replies.get(path, Response("<html>", 404))
    async with serving(server.routes()) as url:
        endpoint = Endpoint(url)
        with pytest.raises(EngineUnavailableError, match=words) as raised:
            await find_api(endpoint)
        await endpoint.close()

    assert type(raised.value) is kind


async def test_the_found_backend_does_the_work_until_it_is_forgotten() -> None:
    servers: list[ScriptedServer] = [LlamaServer("one"), VllmServer("two")]
    made: list[str] = []
    async with serving(servers[0].routes()) as first, serving(servers[1].routes()) as second:
        urls = [first, second]
        endpoint = Endpoint(first)

        def make(api: str) -> Backend:
            made.append(api)
            endpoint_of = Endpoint(urls[len(made) - 1])
            return ForeignBackend((LlamaCppApi if api == "llamacpp" else OpenAIApi)(endpoint_of), "builtin")

        backend = AutoBackend(endpoint, make)
        with pytest.raises(EngineUnavailableError, match="not known yet"):
            await backend.complete(CompletionRequest((1,)))
        assert (await backend.ready()).model == "model.gguf"
        assert await backend.ready() is await backend.ready()
        assert (await backend.complete(CompletionRequest((1,)))).text == "one"
        assert await backend.cached_tokens((1,)) is None

        endpoint.address = second  # another server stands there now
        backend.forget()
        assert (await backend.ready()).model == "served"
        assert (await backend.complete(CompletionRequest((1,)))).text == "two"
        await backend.close()

    assert made == ["llamacpp", "openai"]


async def test_nobody_at_the_address_is_told() -> None:
    async with serving([]) as url:
        pass
    backend = AutoBackend(Endpoint(url), pytest.fail)
    with pytest.raises(EngineUnavailableError, match="no server answers"):
        await backend.ready()
    assert await backend.cached_tokens((1,)) is None
    await backend.close()
