"""One chat model at a time: loaded once for all who wait, tried again, unloaded when idle or for another."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path

import httpx2
import pytest
from chat_talk import (
    Clock,
    Gate,
    all_chunks,
    chat,
    chat_health,
    loading,
    options,
    refusal,
    streamed,
    text_of,
    until_moved,
)

from engine.errors import ModelError
from engine.runtime import chat_service
from engine.runtime.chat_model import ChatModels
from engine.runtime.resident import ResidentModel

# Loading


async def test_two_requests_share_one_load_and_are_told_how_far_it_is(
    http: httpx2.AsyncClient, chats: ChatModels, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_service, "LOADING_SECONDS", 0.01)
    gate = Gate.before_loads(monkeypatch, is_open=False)
    gate.on_reached = lambda report: report(0.001)
    assert await chat_health(http) is None

    both = [asyncio.create_task(all_chunks(http, instruct)) for _ in range(2)]
    assert await asyncio.to_thread(gate.is_reached.wait, 60)
    while chats.stay is None or chats.stay.num_users < 2:
        await asyncio.sleep(0.001)
    health = await chat_health(http)
    gate.open()
    first, second = await asyncio.gather(*both)

    assert health == {"model": str(instruct), "state": "loading", "progress": 0.051, "message": ""}
    assert gate.num_loads == 1
    for events in (first, second):
        assert 0.051 in loading(events)
        assert loading(events) == sorted(loading(events))
        assert all("timings" not in event["ghostfill"] for event in events[1:-1] if "ghostfill" in event)
    assert streamed(first) == streamed(second) != ""
    assert await chat_health(http) == {**health, "state": "ready", "progress": 1.0}
    assert loading(await all_chunks(http, instruct)) == []


async def test_a_load_goes_on_when_nobody_waits_for_it_any_more(
    http: httpx2.AsyncClient, chats: ChatModels, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate.before_loads(monkeypatch, is_open=False)
    waiting = asyncio.create_task(chat(http, instruct))
    assert await asyncio.to_thread(gate.is_reached.wait, 60)
    stay = chats.stay
    assert stay is not None

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    while stay.num_users:
        await asyncio.sleep(0.001)
    gate.open()
    await asyncio.to_thread(stay.loaded.result, 60)

    assert stay.state == "ready"
    assert text_of(await chat(http, instruct))
    assert gate.num_loads == 1


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (ModelError("The weights are torn."), 400, "The weights are torn."),
        (ZeroDivisionError("odd"), 500, "cannot be loaded: odd"),
    ],
    ids=["foreseen", "unforeseen"],
)
async def test_a_load_that_failed_is_told_and_the_next_request_tries_again(
    http: httpx2.AsyncClient,
    chats: ChatModels,
    gate: Gate,
    instruct: Path,
    failure: Exception,
    status: int,
    said: str,
) -> None:
    gate.failures = [failure, failure]

    message = await refusal(http, status, instruct)
    events = await all_chunks(http, instruct)
    health = await chat_health(http)

    assert said in message
    assert events[-1] == {"error": {"message": message, "type": events[-1]["error"]["type"]}}
    assert health is not None
    assert (health["state"], health["message"]) == ("error", message)
    assert text_of(await chat(http, instruct))
    assert gate.num_loads == 3
    assert (await chat_health(http) or {})["state"] == "ready"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/nowhere/model", "/nowhere/model does not exist: correct the setting 'chat.model'"),
        ("nobody/nothing", "run 'ghostfill pull nobody/nothing'"),
        ("not a name", "is neither 'builtin', nor a Hugging Face id"),
        ("model.gguf", "gguf"),
    ],
)
async def test_a_model_that_is_not_here_is_the_users_to_correct(
    http: httpx2.AsyncClient,
    chats: ChatModels,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    said: str,
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    assert said.lower() in (await refusal(http, 400, name)).lower()


# Unloading


async def test_an_idle_model_is_unloaded_and_loaded_again_on_the_next_request(
    http: httpx2.AsyncClient, chats: ChatModels, gate: Gate, instruct: Path, clock: Clock
) -> None:
    first = text_of(await chat(http, instruct))
    model = chats.model
    assert model is not None
    weights = weakref.ref(model.lane.loaded.model.lm_head.weight)
    lane = weakref.ref(model.lane)
    del model
    clock.now += 599
    chats.unload_if_idle()
    assert chats.model is not None

    clock.now += 2
    chats.unload_if_idle()
    await until_moved(chats)

    assert await chat_health(http) is None
    gc.collect()
    assert (weights(), lane()) == (None, None), "nothing holds it"
    assert text_of(await chat(http, instruct)) == first
    assert gate.num_loads == 2


async def test_a_model_in_use_is_not_idle(
    http: httpx2.AsyncClient, chats: ChatModels, instruct: Path, clock: Clock
) -> None:
    await chat(http, instruct)
    with chats.use(str(instruct)):
        clock.now += 10_000
        chats.unload_if_idle()
        assert chats.model is not None
    clock.now += 1
    chats.unload_if_idle()
    assert chats.model is not None, "it was used a second ago"


async def test_without_a_limit_it_stays(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    chats: ChatModels,
    instruct: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options(resident, monkeypatch, chat_idle_seconds=0.0)
    await chat(http, instruct)

    clock.now += 1e9
    chats.unload_if_idle()

    assert chats.model is not None


# Another one


async def test_another_model_takes_the_place_of_one_that_nobody_uses(
    http: httpx2.AsyncClient, chats: ChatModels, gate: Gate, instruct: Path, other: Path
) -> None:
    await chat(http, instruct)
    model = chats.model
    assert model is not None

    assert text_of(await chat(http, other))

    assert model.lane.is_released
    assert chats.model is not None
    assert (chats.model.name, gate.num_loads) == (str(other), 2)
    listed = (await http.get("/v1/models")).json()["data"]
    assert [(each["id"], each["ghostfill"]["chat"]) for each in listed] == [
        ("builtin", False),
        (str(other), True),
    ]
    assert listed[1]["max_model_len"] == chats.model.lane.longest


async def test_a_model_in_use_stays_and_another_is_told_to_come_back(
    http: httpx2.AsyncClient, chats: ChatModels, instruct: Path, other: Path
) -> None:
    await chat(http, instruct)
    with chats.use(str(instruct)):
        assert f"chat model {instruct} is in use" in await refusal(http, 503, other)
        events = await all_chunks(http, other)
        assert events[-1]["error"]["type"] == "unavailable"
    assert text_of(await chat(http, other))


async def test_while_one_loads_another_is_told_to_come_back(
    http: httpx2.AsyncClient,
    chats: ChatModels,
    instruct: Path,
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate.before_loads(monkeypatch, is_open=False)
    waiting = asyncio.create_task(chat(http, instruct))
    assert await asyncio.to_thread(gate.is_reached.wait, 60)

    assert "is loading" in await refusal(http, 503, other)

    gate.open()
    assert text_of(await waiting)
