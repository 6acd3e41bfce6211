"""What can go wrong with a chat server: each fault has a sentence, and nothing is sent anywhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from engine.api import ChatAnswer, ChatRequest, Message, Role
from engine.backends.chat import ChatClient
from engine.backends.chat_endpoint import ChatEndpoint
from engine.errors import EngineRefusedError, EngineUnavailableError
from fake_chat_server import FakeChatServer, chat_server

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
REQUEST = ChatRequest((Message(Role.USER, "Why?"),))


@pytest.fixture(name="server")
def server_fixture() -> Iterator[FakeChatServer]:
    with chat_server() as server:
        yield server


async def asked(endpoint: ChatEndpoint, model: str = "instruct") -> ChatAnswer:
    client = ChatClient(endpoint, model)
    try:
        return await client.ask(model, REQUEST, lambda piece: None, lambda fraction: None)
    finally:
        await client.close()


async def found(endpoint: ChatEndpoint) -> None:
    client = ChatClient(endpoint, None)
    try:
        await client.find()
    finally:
        await client.close()


async def refused(endpoint: ChatEndpoint, model: str = "instruct") -> str:
    with pytest.raises(EngineUnavailableError) as error:
        await asked(endpoint, model)
    return str(error.value)


# In the stream


@pytest.mark.parametrize(
    "event",
    [
        {"error": {"message": "CUDA out of memory"}},
        {"error": "CUDA out of memory"},
        {"object": "error", "message": "CUDA out of memory", "code": 500},
    ],
)
async def test_an_error_in_the_stream_is_told(server: FakeChatServer, event: dict[str, Any]) -> None:
    server.before = [event]

    assert await refused(ChatEndpoint(server.url)) == f"{server.url} broke off: CUDA out of memory"


@pytest.mark.parametrize(
    "line", ["data: what\n\n", "data: [1]\n\n", 'data: {"choices": [{"delta": {}}, 3]}\n\n']
)
async def test_what_is_no_answer_is_told(server: FakeChatServer, line: str) -> None:
    server.before = [line]

    assert "streams what is no answer" in await refused(ChatEndpoint(server.url))


async def test_a_fault_of_whoever_reads_along_is_not_the_servers(server: FakeChatServer) -> None:
    def on_text(piece: str) -> None:
        raise ValueError("mine")

    client = ChatClient(ChatEndpoint(server.url), "instruct")
    with pytest.raises(ValueError, match="mine"):
        await client.ask("instruct", REQUEST, on_text, print)
    await client.close()


async def test_a_connection_that_breaks_is_told(server: FakeChatServer) -> None:
    server.breaks_after = 1

    assert f"the answer of {server.url} broke off" in await refused(ChatEndpoint(server.url))


async def test_a_silent_server_is_given_up(server: FakeChatServer) -> None:
    server.hold()
    endpoint = ChatEndpoint(server.url)
    endpoint.patience_seconds = 0.1

    assert "broke off (it said nothing for too long)" in await refused(endpoint)
    assert await asyncio.to_thread(server.was_left.wait, 20)


async def test_a_server_that_only_says_that_it_lives_is_waited_for(server: FakeChatServer) -> None:
    """Longer than silence is borne, which is what the pauses are for."""
    server.before = [": alive\n\n"] * 6
    server.hold()
    server.let()
    endpoint = ChatEndpoint(server.url)
    endpoint.patience_seconds = 1.0
    task = asyncio.ensure_future(asked(endpoint))
    for _ in server.before:
        await asyncio.sleep(0.25)
        server.let()
    server.let(20)

    assert (await task).text == "An answer."


# Refusals


async def test_a_wrong_key_names_the_setting(server: FakeChatServer) -> None:
    server.api_key = "right"
    because = f"{server.url} wants another key: Invalid API key;"

    assert f"{because} chat.apiKeyEnv names" in await refused(ChatEndpoint(server.url, "wrong"))
    engine = ChatEndpoint(server.url, "wrong", section="engine")
    assert f"{because} engine.apiKeyEnv names" in await refused(engine)
    assert (await asked(ChatEndpoint(server.url, " right\n"))).text


async def test_an_unknown_model_is_told_in_the_servers_words(server: FakeChatServer) -> None:
    said = await refused(ChatEndpoint(server.url), "other")

    assert "does not have the model: The model `other` does not exist." in said
    assert said.endswith("correct chat.model")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            JSONResponse({"detail": "Not Found"}, 404),
            "has no /v1/chat/completions as OpenAI has it: Not Found",
        ),
        (Response("<html>", 405), "has no /v1/chat/completions as OpenAI has it; correct chat.url"),
        (
            JSONResponse({"error": {"message": "Loading model"}}, 503),
            "is not ready: Loading model; try again",
        ),
        (Response("", 502), "is not ready; try again"),
        (
            JSONResponse({"error": {"message": "No."}}, 418),
            "answered /v1/chat/completions with status 418: No.",
        ),
        (
            JSONResponse({"object": "error", "message": "This model's maximum context length is 9."}, 400),
            "cannot read so much: This model's maximum context length is 9.; select less",
        ),
        (
            JSONResponse({"error": {"message": "the request exceeds the available context size"}}, 400),
            "cannot read so much",
        ),
    ],
)
async def test_refusals_say_what_to_do(server: FakeChatServer, reply: Response, expected: str) -> None:
    server.replies[CHAT] = reply

    assert f"{server.url} {expected}" in await refused(ChatEndpoint(server.url))


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_our_own_engines_words_are_told_as_they_are(tmp_path: Path, is_streamed: bool) -> None:
    error = {"error": {"message": "It is too big: use less.", "type": "engine_error"}}
    with chat_server(at=tmp_path / "s") as server:
        if is_streamed:
            server.before = [error]
        else:
            server.replies[CHAT] = JSONResponse(error, 400)

        assert await refused(ChatEndpoint(socket=tmp_path / "s")) == "It is too big: use less."


# Addresses


async def test_a_redirect_to_another_host_is_not_followed(server: FakeChatServer) -> None:
    with chat_server() as other:
        server.replies[CHAT] = RedirectResponse(other.url + CHAT, 307)
        server.replies[MODELS] = RedirectResponse(other.url + MODELS, 301)

        assert "not followed; correct chat.url" in await refused(ChatEndpoint(server.url))
        with pytest.raises(EngineRefusedError, match=r"not followed; correct chat\.url"):
            await found(ChatEndpoint(server.url))
        assert other.paths == []


async def test_nobody_there_is_told_with_the_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for endpoint, expected in (
            (ChatEndpoint(url), f"no server answers at {url}: start it, or correct chat.url"),
            (ChatEndpoint("nowhere"), "no server answers at nowhere"),
            (ChatEndpoint(socket=tmp_path / "s"), "the engine does not answer at"),
        ):
            assert expected in await refused(endpoint)
            with pytest.raises(EngineUnavailableError, match=expected):
                await found(endpoint)
