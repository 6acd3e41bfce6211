"""Which of a server's models is asked, and how much it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse

from engine.backends.chat import ChatClient, ChatModel
from engine.backends.chat_endpoint import ChatEndpoint
from engine.errors import EngineRefusedError
from fake_chat_server import FakeChatServer, chat_server

MODELS = "/v1/models"


@pytest.fixture(name="server")
def server_fixture() -> Iterator[FakeChatServer]:
    with chat_server() as server:
        yield server


async def found(server: FakeChatServer, setting: str | None) -> ChatModel:
    client = ChatClient(ChatEndpoint(server.url), setting)
    try:
        return await client.find()
    finally:
        await client.close()


def ours(name: str, *, chat: bool) -> dict[str, Any]:
    """As our engine lists a model."""
    return {"id": name, "owned_by": "ghostfill", "ghostfill": {"chat": chat}}


@pytest.mark.parametrize(
    ("setting", "models", "expected"),
    [
        (None, [{"id": "one"}], ChatModel("one", None)),
        (None, [{"id": "one", "max_model_len": 2048}], ChatModel("one", 2048)),
        (None, [{"id": "one"}, {"id": "adapter", "parent": "one"}], ChatModel("one", None)),
        (None, [ours("builtin", chat=False), ours("chat", chat=True)], ChatModel("chat", None)),
        (None, [ours("both", chat=True)], ChatModel("both", None)),
        ("two", [{"id": "one"}, {"id": "two", "max_model_len": 99}], ChatModel("two", 99)),
        ("org/two", [{"id": "one"}, {"id": "two", "root": "org/two"}], ChatModel("two", None)),
        ("three", [{"id": "one"}, {"id": "two"}], ChatModel("three", None)),
        ("three", [], ChatModel("three", None)),
        ("one", [{"id": "one", "max_model_len": "many"}], ChatModel("one", None)),
    ],
)
async def test_the_model_is_the_one_that_is_named_or_the_only_one(
    server: FakeChatServer, setting: str | None, models: list[dict[str, Any]], expected: ChatModel
) -> None:
    server.models = models

    assert await found(server, setting) == expected


@pytest.mark.parametrize(
    ("models", "names"),
    [([], "none"), ([{"id": "one"}, {"id": "two"}], "one, two"), ([ours("builtin", chat=False)], "none")],
)
async def test_where_there_is_not_one_model_the_sentence_names_all(
    server: FakeChatServer, models: list[dict[str, Any]], names: str
) -> None:
    server.models = models
    with pytest.raises(EngineRefusedError) as error:
        await found(server, None)

    assert str(error.value) == (
        f"chat.model must name one of the instruct models that {server.url} has: {names}"
    )


async def test_llama_server_says_elsewhere_how_much_it_reads(server: FakeChatServer) -> None:
    server.models = [{"id": "model.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 32768}}]
    server.replies["/props"] = JSONResponse({"default_generation_settings": {"n_ctx": 4096}})

    assert await found(server, None) == ChatModel("model.gguf", 4096)


async def test_a_server_without_a_list_is_no_fault_where_the_model_is_named(server: FakeChatServer) -> None:
    server.replies[MODELS] = JSONResponse({"detail": "Not Found"}, 404)

    assert await found(server, "instruct") == ChatModel("instruct", None)
    with pytest.raises(EngineRefusedError, match="has no /v1/models"):
        await found(server, None)


@pytest.mark.parametrize("body", [[], {"data": 3}, {"data": [3, {"name": "x"}]}, "text"])
async def test_a_list_that_is_none_holds_no_models(server: FakeChatServer, body: Any) -> None:
    server.replies[MODELS] = JSONResponse(body)

    assert await found(server, "instruct") == ChatModel("instruct", None)
    with pytest.raises(EngineRefusedError, match="has: none"):
        await found(server, None)
