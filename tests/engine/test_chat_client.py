"""Instruct models on servers of all kinds: the answer as it streams, and a sentence for every fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.api import ChatAnswer, ChatRequest, FinishReason, Message, Role, Timings
from engine.backends.chat import ChatClient, ChatModel
from engine.backends.chat_endpoint import ChatEndpoint
from engine.errors import EngineRefusedError, EngineUnavailableError
from fake_chat_server import FakeChatServer, chat_server

REQUEST = ChatRequest((Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Why?")), max_tokens=50)
LOADING = {"choices": [{"index": 0, "delta": {}, "finish_reason": None}], "ghostfill": {"loading": 0.25}}
CHAT, MODELS = "/v1/chat/completions", "/v1/models"


@pytest.fixture(name="server")
def server_fixture() -> Iterator[FakeChatServer]:
    with chat_server(lambda messages: "Because it is so.") as server:
        yield server


@asynccontextmanager
async def client_of(
    server: FakeChatServer, model: str | None = "instruct", endpoint: ChatEndpoint | None = None
) -> AsyncIterator[ChatClient]:
    client = ChatClient(endpoint or ChatEndpoint(server.url), model)
    try:
        yield client
    finally:
        await client.close()


class Heard:
    """What is told while an answer comes."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.loading: list[float] = []
        self.has_begun = asyncio.Event()

    def on_text(self, piece: str) -> None:
        self.pieces.append(piece)
        self.has_begun.set()

    async def ask(
        self, client: ChatClient, request: ChatRequest = REQUEST, model: str = "instruct"
    ) -> ChatAnswer:
        return await client.ask(model, request, self.on_text, self.loading.append)


async def answered(server: FakeChatServer, request: ChatRequest = REQUEST) -> ChatAnswer:
    async with client_of(server) as client:
        return await Heard().ask(client, request)


async def refused(server: FakeChatServer) -> str:
    with pytest.raises(EngineUnavailableError) as error:
        await answered(server)
    return str(error.value)


async def test_the_pieces_of_a_stream_are_the_answer(server: FakeChatServer) -> None:
    heard = Heard()
    async with client_of(server) as client:
        answer = await heard.ask(client)
        again = await heard.ask(client)

    assert answer == again == ChatAnswer("Because it is so.", FinishReason.EOS)
    assert heard.pieces == ["Because", " it", " is", " so."] * 2
    assert server.num_left == 0


async def test_a_server_is_asked_in_openais_words_alone(server: FakeChatServer) -> None:
    await answered(server, ChatRequest(REQUEST.messages, 7, ("\n\n",)))
    await answered(server)

    first, second = server.bodies
    assert first == {
        "model": "instruct",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        "max_tokens": 7,
        "stream": True,
        "temperature": 0,
        "top_p": 1,
        "stop": ["\n\n"],
    }
    assert "stop" not in second


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_an_address_may_end_with_the_version(server: FakeChatServer, suffix: str) -> None:
    async with client_of(server, endpoint=ChatEndpoint(server.url + suffix)) as client:
        await client.find()
        await Heard().ask(client)

    assert server.paths == [MODELS, CHAT]


async def test_a_server_may_be_at_a_unix_socket(tmp_path: Path) -> None:
    with chat_server(at=tmp_path / "s") as server:
        async with client_of(server, endpoint=ChatEndpoint(socket=tmp_path / "s")) as client:
            assert await client.find() == ChatModel("instruct", None)
            assert (await Heard().ask(client)).text == "An answer."


async def test_no_proxy_of_the_environment_sees_a_word(
    server: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert (await answered(server)).text == "Because it is so."


# Cancelling


@pytest.mark.parametrize("events_before", [0, 3])
async def test_cancelling_closes_the_connection_though_nothing_was_said_yet(
    server: FakeChatServer, events_before: int
) -> None:
    server.hold()
    server.let(events_before)
    heard = Heard()
    async with client_of(server) as client:
        task = asyncio.ensure_future(heard.ask(client))
        await asyncio.to_thread(server.was_asked.wait)
        if events_before:
            await heard.has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.was_left.wait, 20)

    assert bool(heard.pieces) == bool(events_before)


# How answers end


@pytest.mark.parametrize(
    ("reason", "after", "expected"),
    [
        ("stop", ["data: [DONE]\n\n"], FinishReason.EOS),
        ("length", ["data: [DONE]\n\n"], FinishReason.BUDGET),
        ("stop", [], FinishReason.EOS),
        ("stop", [{"choices": [], "usage": {"total_tokens": 9}}, "data: [DONE]\n\n"], FinishReason.EOS),
        (None, ["data: [DONE]\n\n"], FinishReason.EOS),
    ],
    ids=["stop", "length", "no DONE", "usage", "no reason"],
)
async def test_an_answer_ends_as_its_server_says(
    server: FakeChatServer, reason: str | None, after: list[Any], expected: FinishReason
) -> None:
    server.finish_reason, server.after = reason, after

    assert await answered(server) == ChatAnswer("Because it is so.", expected)


async def test_a_stream_that_stays_open_behind_the_answer_is_not_waited_for(server: FakeChatServer) -> None:
    server.hold()
    server.let(2 + 4)

    assert (await answered(server)).text == "Because it is so."


@pytest.mark.parametrize(
    ("reason", "match"),
    [
        ("content_filter", "content filter"),
        ("tool_calls", "called a tool"),
        ("abort", "gave up \\(abort\\)"),
    ],
)
async def test_an_answer_that_ends_otherwise_is_no_answer(
    server: FakeChatServer, reason: str, match: str
) -> None:
    server.finish_reason = reason
    with pytest.raises(EngineRefusedError, match=match):
        await answered(server)


async def test_an_answer_without_an_end_broke_off(server: FakeChatServer) -> None:
    server.finish_reason, server.after = None, []

    assert "broke off" in await refused(server)


async def test_a_server_that_knows_no_limit_is_left(server: FakeChatServer) -> None:
    server.answer = lambda messages: "la " * 10_000
    answer = await answered(server, ChatRequest(REQUEST.messages, max_tokens=4))

    assert answer.finish_reason is FinishReason.BUDGET
    assert len(answer.text) < 300


async def test_an_empty_answer_is_none(server: FakeChatServer) -> None:
    server.answer = lambda messages: " \n"

    assert "answered nothing" in await refused(server)


# Dialects


async def test_our_engine_tells_how_far_it_has_loaded_and_where_the_time_went(server: FakeChatServer) -> None:
    timings = Timings(prefill_ms=3.0, decode_ms=4.0, prompt_tokens=9, decoded_tokens=4, decode_steps=3)
    far = LOADING | {"ghostfill": {"loading": float("nan")}}
    server.before = [LOADING, far, LOADING | {"ghostfill": {"loading": 7}}]
    server.extension = {"finish_reason": "deadline", "timings": asdict(timings)}
    server.finish_reason = "length"
    heard = Heard()
    async with client_of(server) as client:
        answer = await heard.ask(client)

    assert answer == ChatAnswer("Because it is so.", FinishReason.DEADLINE, timings)
    assert heard.loading == [0.25, 0.0, 1.0, 1.0]


async def test_a_request_that_our_engine_was_asked_to_end_is_no_answer(server: FakeChatServer) -> None:
    server.extension = {"finish_reason": "cancelled"}

    assert "gave up (cancelled)" in await refused(server)


async def test_thoughts_beside_the_answer_are_not_told(server: FakeChatServer) -> None:
    server.thought = ["Let me", " think."]
    heard = Heard()
    async with client_of(server) as client:
        await heard.ask(client)

    assert "".join(heard.pieces) == "Because it is so."


async def test_thoughts_in_the_answer_are_cut_out_though_events_cut_their_marks(
    server: FakeChatServer,
) -> None:
    server.answer = lambda messages: "<think>\nWhy not?\n</think>\n\nSo it is."
    server.pieces = list
    heard = Heard()
    async with client_of(server) as client:
        answer = await heard.ask(client)

    assert answer.text == "".join(heard.pieces) == "So it is."


@pytest.mark.parametrize("is_apart", [True, False])
async def test_a_model_that_only_thinks_is_told_from_one_that_is_silent(
    server: FakeChatServer, is_apart: bool
) -> None:
    server.thought = ["Hm."] if is_apart else []
    server.answer = lambda messages: "" if is_apart else "<think>Hm."
    server.finish_reason = "length"

    assert "only thought, up to its limit of 50 tokens" in await refused(server)
