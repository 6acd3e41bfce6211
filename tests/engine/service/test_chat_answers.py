"""What an instruct model answers over HTTP: the greedy text of its template's prompt, streamed or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from chat_talk import (
    MESSAGES,
    QUESTION,
    Gate,
    all_chunks,
    body,
    chat,
    chat_health,
    chunks,
    loading,
    streamed,
    text_of,
)
from service_talk import asgi, counters, post, prompt_ids
from service_talk import text_of as completed

from engine.api import Message, Role
from engine.chat_template import ChatTemplate
from engine.model_folder import ModelFolder
from engine.runtime import chat_service, reference
from engine.runtime.chat_model import ChatModels
from engine.runtime.lane import Lane
from engine.runtime.model import load_model
from engine.runtime.resident import EngineOptions, ResidentModel
from engine.tokens import Tokenizer
from engine_http import Hold, evict_all


async def test_an_answer_is_the_plain_greedy_one_of_the_templates_prompt(
    http: httpx2.AsyncClient, instruct: Path
) -> None:
    """The oracle: the same weights without lanes, slots, drafts or chunks."""
    folder = ModelFolder.open(str(instruct))
    tokenizer = Tokenizer.from_folder(folder.path)
    template = ChatTemplate.of(folder, tokenizer)
    loaded = load_model(folder, device="cpu", dtype="float32")
    messages = (Message(Role.SYSTEM, "Python, <|fim_hole|> is text."), *MESSAGES)
    asked = [{"role": str(each.role), "content": each.content} for each in messages]

    answer = await chat(http, instruct, messages=asked, max_tokens=16)

    ids = template.encode(messages)
    padding = range(tokenizer.num_ids, loaded.vocab_size)
    expected = reference.generate(loaded, ids, 16, forbidden=list(padding))
    assert text_of(answer) == tokenizer.decode(expected) != ""
    assert answer["usage"] == {
        "prompt_tokens": len(ids),
        "completion_tokens": 16,
        "total_tokens": len(ids) + 16,
    }
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["ghostfill"]["finish_reason"] == "budget"
    assert answer["ghostfill"]["timings"]["decoded_tokens"] == 16


async def test_a_stream_joins_to_the_whole_answer(http: httpx2.AsyncClient, instruct: Path) -> None:
    whole = await chat(http, instruct, max_tokens=24)

    events = await all_chunks(http, instruct, max_tokens=24)

    assert streamed(events) == text_of(whole)
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert len({(event["id"], event["model"]) for event in events}) == 1
    assert [event["choices"][0]["finish_reason"] for event in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1]["choices"][0]["finish_reason"] == "length"
    assert events[-1]["usage"] == whole["usage"]
    assert events[-1]["ghostfill"]["timings"]["reused_tokens"] > 0
    assert len(events) > 3, "told bit by bit"


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_ends_at_its_budget_and_before_a_stop_string(
    http: httpx2.AsyncClient, instruct: Path, key: str
) -> None:
    whole = text_of(await chat(http, instruct, max_tokens=24))
    stop = whole[5:9]

    short = await chat(http, instruct, **{"max_tokens": 24, key: 3})
    stopped = await chat(http, instruct, max_tokens=24, stop=stop)

    assert short["usage"]["completion_tokens"] == 3
    assert text_of(stopped) == whole[: whole.index(stop)]
    assert stopped["choices"][0]["finish_reason"] == "stop"


async def test_parts_of_text_are_one_message(http: httpx2.AsyncClient, instruct: Path) -> None:
    first, second = QUESTION, "    return a"
    parts = [{"type": "text", "text": text} for text in (first, second)]

    joined = await chat(http, instruct, question=f"{first}\n{second}")

    in_parts = await chat(http, instruct, messages=[{"role": "user", "content": parts}])
    assert text_of(in_parts) == text_of(joined)


async def test_an_answer_ends_where_the_context_does(
    http: httpx2.AsyncClient, resident: ResidentModel, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await chat(http, instruct)
    room = first["usage"]["prompt_tokens"] + 5
    monkeypatch.setattr(Lane, "longest", property(lambda _: room))

    answer = await chat(http, instruct, max_tokens=100)

    assert answer["usage"]["completion_tokens"] == 5
    assert answer["choices"][0]["finish_reason"] == "length"


async def test_a_stream_that_has_nothing_to_say_says_so_now_and_then(
    http: httpx2.AsyncClient, resident: ResidentModel, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_service, "SILENT_SECONDS", 0.01)
    expected = text_of(await chat(http, instruct))
    model = resident.chat.model
    assert model is not None
    hold = Hold(resident, monkeypatch, at_pass=3, lane=model.lane)

    events = []
    async for event in chunks(http, instruct):
        events.append(event)
        if event["choices"][0]["delta"] == {}:
            hold.release()

    assert hold.is_reached.is_set()
    assert any(event["choices"][0]["delta"] == {} for event in events)
    assert loading(events) == []
    assert streamed(events) == expected


# Beside completions


@pytest.mark.parametrize("phase", ["prefill", "decode"])
async def test_a_completion_runs_right_after_the_pass_of_chat_under_way(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    instruct: Path,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
) -> None:
    """Steps are counted; the chat's text is that of an undisturbed run."""
    question = "".join(f"value_{n} = compute({n})\n" for n in range(12))
    evict_all(resident)
    expected = await chat(http, instruct, question=question)
    worker, model = resident.worker, resident.chat.model
    assert worker is not None
    assert model is not None
    ids = prompt_ids(resident)
    alone = completed(await post(http, prompt=ids, max_tokens=6))
    model.lane.evict_all()
    evict_all(resident)
    size = model.lane.decoder.polite_chunk_tokens
    num_chunks = -(-expected["usage"]["prompt_tokens"] // size)
    assert num_chunks > 6
    order: list[str] = []
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=4 if phase == "prefill" else num_chunks + 2, lane=model.lane)
        for name, lane in (("chat", model.lane), ("own", worker.lane)):
            read = lane.decoder.read
            spied = lambda *args, name=name, read=read: (order.append(name), read(*args))[1]  # noqa: E731
            patch.setattr(lane.decoder, "read", spied)
        chatting = asyncio.create_task(chat(http, instruct, question=question))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        assert set(order) == {"chat"}
        num_before = len(order)
        completing = asyncio.create_task(post(http, prompt=ids, max_tokens=6))
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        hold.release()
        text, answer = completed(await completing), await chatting

    num_own = order.count("own")
    assert order[num_before : num_before + num_own] == ["own"] * num_own, "not one pass of chat before it"
    assert num_own > 1
    assert text == alone
    assert text_of(answer) == text_of(expected)
    assert answer["usage"]["prompt_tokens"] == expected["usage"]["prompt_tokens"]


async def test_a_client_that_leaves_ends_the_decoding(
    http: httpx2.AsyncClient, resident: ResidentModel, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chat(http, instruct)
    model = resident.chat.model
    assert model is not None
    hold = Hold(resident, monkeypatch, at_pass=5, lane=model.lane)
    asked = body(instruct, question="a, b = 1, 2", max_tokens=500, stream=True)
    async with http.stream("POST", "/v1/chat/completions", json=asked):
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        before = await counters(http)
    outcome = await asyncio.to_thread(hold.outcome)
    after = await counters(http)

    assert hold.was_cancelled
    assert after["decode_steps"] - before["decode_steps"] <= 1
    assert after["cancelled"] - before["cancelled"] == 1
    assert outcome.timings.decoded_tokens < 10
    while (resident.chat.stay or pytest.fail("it is there")).num_users:
        await asyncio.sleep(0.001)


async def test_completions_are_answered_while_a_chat_model_loads(
    http: httpx2.AsyncClient, chats: ChatModels, instruct: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate.before_loads(monkeypatch, is_open=False)
    chatting = asyncio.create_task(chat(http, instruct))
    assert await asyncio.to_thread(gate.is_reached.wait, 60)

    answer = await post(http, prompt="import os\n", max_tokens=4)

    assert completed(answer)
    assert (await chat_health(http) or {})["state"] == "loading"
    gate.open()
    assert text_of(await chatting)


async def test_prompts_are_logged_only_where_that_is_asked_for(
    http: httpx2.AsyncClient,
    resident: ResidentModel,
    instruct: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "ghostfill.engine")
    await chat(http, instruct)
    assert QUESTION not in caplog.text

    object.__setattr__(resident.options, "log_prompts", True)
    await chat(http, instruct)
    object.__setattr__(resident.options, "log_prompts", False)

    assert QUESTION in caplog.text


# One model for both


@pytest.fixture(scope="module")
def both(instruct: Path) -> Iterator[ResidentModel]:
    """An engine whose completion model is an instruct model."""
    resident = ResidentModel(
        EngineOptions(model=str(instruct), device="cpu", dtype="float32", is_private=False)
    )
    resident.load()
    assert resident.state == "ready", resident.message
    yield resident
    resident.close()


async def test_the_completion_model_is_asked_itself_and_nothing_is_loaded_twice(
    both: ResidentModel, http: httpx2.AsyncClient, instruct: Path
) -> None:
    expected = text_of(await chat(http, instruct))
    async with asgi(both) as own:
        answer = await chat(own, instruct)
        again = await all_chunks(own, instruct)
        models = (await own.get("/v1/models")).json()["data"]

        assert await chat_health(own) is None
    assert text_of(answer) == streamed(again) == expected
    assert loading(again) == []
    assert both.chat.num_loads == 0
    assert [(each["id"], each["ghostfill"]) for each in models] == [(str(instruct), {"chat": True})]


async def test_an_engine_whose_model_is_no_instruct_model_says_so(http: httpx2.AsyncClient) -> None:
    response = await http.post("/v1/chat/completions", json=body("builtin"))

    assert response.status_code == 400
    assert "builtin is not an instruct model" in response.json()["error"]["message"]
