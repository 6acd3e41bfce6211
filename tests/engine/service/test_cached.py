"""`POST /v1/cached`: what a request would reuse now, told at once and without changing it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from service_talk import asgi, counters, prompt_ids

from engine.api import CompletionRequest
from engine.backends.base import Backend
from engine.backends.local import LocalBackend
from engine.backends.remote import RemoteBackend
from engine.client import EngineClient
from engine.errors import EngineRefusedError
from engine.launch import EngineSpec
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_http import Hold, evict_all

IDS = [5, 6, 7, 8, 9] * 20


async def test_a_prompt_is_cached_once_it_was_asked(client: EngineClient, resident: ResidentModel) -> None:
    evict_all(resident)
    ids = prompt_ids(resident)
    assert await client.cached_tokens(ids) == 0

    completion = await client.complete(CompletionRequest(tuple(ids), 4))

    assert completion.timings.reused_tokens == 0
    assert await client.cached_tokens(ids) == len(ids)
    assert await client.cached_tokens([*ids[:10], *IDS]) == 10


async def test_asking_computes_nothing_and_moves_nothing(
    client: EngineClient, http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    """However often somebody asks: the next request finds what it would have found."""
    assert resident.worker is not None
    await client.complete(CompletionRequest(tuple(IDS), 1))
    before = await counters(http)
    slots = [
        (list(slot.token_ids), slot.capacity, slot.last_used) for slot in resident.worker.lane.pool.slots
    ]

    for number in range(20):
        assert await client.cached_tokens([*IDS[:number], 3, 3]) == number
    assert await counters(http) == before
    after = [
        (list(slot.token_ids), slot.capacity, slot.last_used) for slot in resident.worker.lane.pool.slots
    ]
    assert after == slots
    again = await client.complete(CompletionRequest(tuple(IDS), 1))
    assert again.timings.reused_tokens == len(IDS) - 1


async def test_it_is_answered_while_the_model_works(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prompt that is being read is cached as far as it has been read."""
    evict_all(resident)
    hold = Hold(resident, monkeypatch, at_pass=3, chunk_tokens=16)
    running = asyncio.ensure_future(client.complete(CompletionRequest(tuple(IDS), 1)))
    assert await asyncio.to_thread(hold.is_reached.wait, 60)

    assert await client.cached_tokens(IDS) == 2 * 16

    hold.release()
    await running


async def test_asking_does_not_keep_an_engine_alive(client: EngineClient, resident: ResidentModel) -> None:
    """A page that is looked at again and again is no use of the model."""
    idle = resident.idle_seconds

    await client.cached_tokens(IDS)

    assert resident.idle_seconds >= idle


@pytest.mark.parametrize("body", [b"", b"[]", b'{"prompt": []}', b'{"prompt": [-1]}', b'{"prompt": [1.5]}'])
async def test_a_prompt_that_is_none_is_refused(http: httpx2.AsyncClient, body: bytes) -> None:
    response = await http.post("/v1/cached", content=body)

    assert response.status_code == 400
    assert response.json()["error"]["message"]


async def test_it_needs_the_key_and_a_loaded_model(resident: ResidentModel) -> None:
    async with asgi(resident, "secret") as stranger:
        assert (await stranger.post("/v1/cached", json={"prompt": [5]})).status_code == 401
    async with asgi(ResidentModel(EngineOptions())) as early:
        assert (await early.post("/v1/cached", json={"prompt": [5]})).status_code == 503


async def test_an_answer_that_says_nothing_is_a_refusal(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: object) -> httpx2.Response:
        return httpx2.Response(200, json={"tokens": "many"})

    monkeypatch.setattr(client, "_send", answer)

    with pytest.raises(EngineRefusedError, match="does not say what it has cached"):
        await client.cached_tokens([5])


# Backends


@pytest.fixture(params=["local", "remote"])
def unreachable(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Backend]:
    """A backend with no engine behind it; fails if one is started."""
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    started: list[EngineSpec] = []
    monkeypatch.setattr("engine.backends.local.start_engine", started.append)
    yield LocalBackend(EngineSpec()) if request.param == "local" else RemoteBackend("http://127.0.0.1:9")
    assert started == []


async def test_without_an_engine_nothing_is_known_and_none_is_started(unreachable: Backend) -> None:
    assert await unreachable.cached_tokens(IDS) is None
    await unreachable.close()


async def test_a_socket_that_cannot_be_is_an_unknown_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / ("deep" * 40)))

    assert await LocalBackend(EngineSpec()).cached_tokens(IDS) is None


async def test_an_engine_that_does_not_know_the_question_leaves_it_open(
    client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = RemoteBackend("http://engine")
    monkeypatch.setattr(backend, "_client", client)
    assert await backend.cached_tokens(IDS) is not None
    client._url = "http://engine/older"

    assert await backend.cached_tokens(IDS) is None
