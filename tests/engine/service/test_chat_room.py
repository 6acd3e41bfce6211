"""A chat model beside the completion model: the memory that both share, and whom the network may ask."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from chat_talk import Clock, Gate, chat, options, refusal, text_of, until_moved

from engine.runtime.chat_model import ChatModels
from engine.runtime.model import LoadedModel
from engine.runtime.resident import ResidentModel

GIB = 2**30


def kept_tokens(resident: ResidentModel) -> int:
    assert resident.worker is not None
    return resident.worker.held()["kv_tokens_limit"]


async def test_weights_and_slots_of_both_models_share_what_the_engine_may_use(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    chats: ChatModels,
    instruct: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The completion model keeps at least a prompt of its whole context, and has all again afterwards."""
    worker = resident.worker
    assert worker is not None
    before = kept_tokens(resident)
    memory_gb = (worker.loaded.memory_bytes * 2 + 2**29) / GIB
    options(resident, monkeypatch, memory_gb=memory_gb)

    await chat(http, instruct)

    model = chats.model
    assert model is not None
    loaded: list[LoadedModel] = [worker.loaded, model.lane.loaded]
    taken = sum(each.memory_bytes for each in loaded) + worker.lane.kv_bytes + model.lane.kv_bytes
    assert taken <= memory_gb * GIB
    assert resident.context_length <= kept_tokens(resident) < before
    assert model.lane.longest >= 4096 - 256
    clock.now += 601
    chats.unload_if_idle()
    await until_moved(chats)
    assert kept_tokens(resident) == before


@pytest.mark.parametrize("has_room_for_weights", [False, True], ids=["weights", "slots"])
async def test_a_model_that_does_not_fit_is_refused_with_what_to_do(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    chats: ChatModels,
    gate: Gate,
    instruct: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_room_for_weights: bool,
) -> None:
    worker = resident.worker
    assert worker is not None
    before = kept_tokens(resident)
    own, per_token = worker.loaded.memory_bytes, worker.lane.bytes_per_token
    kept = (resident.context_length + 256) * per_token
    spare = own + 4000 * per_token if has_room_for_weights else own // 2
    memory_gb = (own + kept + spare) / GIB
    options(resident, monkeypatch, memory_gb=memory_gb)

    message = await refusal(http, 400, instruct)

    assert f"engine.memoryGb is {memory_gb:g}" in message
    for advice in ("smaller chat.model", 'engine.quantize to "int8"', "chat.url"):
        assert advice in message
    assert gate.num_loads == 0, "not one byte was read"
    assert kept_tokens(resident) == before


async def test_a_device_without_room_refuses_before_it_loads(
    http: httpx2.AsyncClient,
    chats: ChatModels,
    gate: Gate,
    instruct: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.runtime.memory.free_bytes", lambda _device: 2**27)

    assert "are left on cpu: choose a smaller chat.model" in await refusal(http, 400, instruct)
    assert gate.num_loads == 0


# Whom the network may ask


async def test_over_the_network_only_the_named_model_may_be_asked(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    chats: ChatModels,
    gate: Gate,
    instruct: Path,
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options(resident, monkeypatch, is_private=False, chat_model=str(instruct))

    assert f"this engine's chat model is {instruct}" in await refusal(http, 404, other)
    assert chats.stay is None
    unnamed = await chat(http, None)

    assert unnamed["model"] == str(instruct)
    assert text_of(await chat(http, instruct)) == text_of(unnamed)
    assert gate.num_loads == 1


async def test_over_the_network_there_is_no_chat_unless_the_engine_was_told_so(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    chats: ChatModels,
    instruct: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options(resident, monkeypatch, is_private=False)

    assert "start it with --chat-model" in await refusal(http, 404, instruct)
    assert chats.stay is None
    listed = (await http.get("/v1/models")).json()["data"]
    assert [each["id"] for each in listed] == ["builtin"]
