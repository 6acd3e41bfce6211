"""What chat over HTTP refuses: bad bodies, wrong keys, no model yet; with a sentence, never a 500."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from chat_talk import all_chunks, body, chat, refusal, text_of
from service_talk import asgi, counters

from engine.runtime.resident import EngineOptions, ResidentModel
from instruct_model import set_template

USER = {"role": "user", "content": "x"}
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}


def messages(*given: Any) -> dict[str, Any]:
    return {"messages": list(given)}


BAD = [
    pytest.param(b"", "not JSON", id="empty body"),
    pytest.param(b"[]", "the body must be an object", id="a list"),
    pytest.param(b"null", "the body must be an object", id="null"),
    pytest.param(b'{"messages": ' + b"[" * 100_000, "not JSON", id="nested deeper than the parser goes"),
    pytest.param({}, "messages must be a list", id="no messages"),
    pytest.param({"messages": "x"}, "messages must be a list", id="messages as text"),
    pytest.param({"messages": {"role": "user"}}, "messages must be a list", id="messages as object"),
    pytest.param(messages(), "something that the user says", id="none at all"),
    pytest.param(messages({"role": "user", "content": " \n"}), "that the user says", id="only white space"),
    pytest.param(messages({"role": "system", "content": "x"}), "that the user says", id="no user"),
    pytest.param(messages("x"), "each of messages must be an object", id="a message as text"),
    pytest.param(messages(None), "each of messages must be an object", id="a message that is null"),
    pytest.param(messages({"content": "x"}), "role must be one of system, user, assistant", id="no role"),
    pytest.param(messages(USER | {"role": "tool"}), "role must be one of", id="another role"),
    pytest.param(messages(USER | {"role": 5}), "role must be one of", id="role as number"),
    pytest.param(messages(USER | {"role": ["user"]}), "role must be one of", id="role as list"),
    pytest.param(messages({"role": "user"}), "content must be a string or a list", id="no content"),
    pytest.param(messages(USER | {"content": 5}), "content must be a string", id="content as number"),
    pytest.param(messages(USER | {"content": {}}), "content must be a string", id="content as object"),
    pytest.param(messages(USER | {"content": [IMAGE]}), "content must be a string", id="an image"),
    pytest.param(messages(USER | {"content": ["x"]}), "content must be a string", id="a part as text"),
    pytest.param(
        messages(USER | {"content": [{"type": "text", "text": 5}]}), "content must be", id="part of no text"
    ),
    pytest.param(messages(USER) | {"model": 5}, "model must be a str", id="model as number"),
    pytest.param(messages(USER) | {"model": "/\0"}, "model must be a name", id="model with NUL"),
    pytest.param(messages(USER) | {"max_tokens": 0}, "max_tokens must be a whole number", id="no tokens"),
    pytest.param(messages(USER) | {"max_tokens": "5"}, "max_tokens must be", id="tokens as text"),
    pytest.param(messages(USER) | {"max_completion_tokens": -1}, "max_completion_tokens must", id="negative"),
    pytest.param(messages(USER) | {"max_tokens": 10**9}, "max_tokens must be", id="too many tokens"),
    pytest.param(messages(USER) | {"stream": "yes"}, "stream must be a bool", id="stream as text"),
    pytest.param(messages(USER) | {"stop": 5}, "stop must be a string or a list", id="stop as number"),
    pytest.param(messages(USER) | {"stop": ["a"] * 65}, "at most 64 strings", id="too many stop strings"),
    pytest.param(messages(USER) | {"n": 2}, "a chat has one answer", id="two answers"),
    pytest.param(messages(USER) | {"n": "1"}, "n must be a whole number", id="n as text"),
]


@pytest.mark.parametrize(("content", "said"), BAD)
async def test_a_bad_body_is_refused_with_a_sentence(
    http: httpx2.AsyncClient, content: Any, said: str
) -> None:
    sent = {"content": content} if isinstance(content, bytes) else {"json": content}

    response = await http.post("/v1/chat/completions", **sent)

    assert response.status_code == 400, response.text
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert said in response.json()["error"]["message"]


async def test_a_request_must_name_a_model_where_the_engine_was_started_without_one(
    http: httpx2.AsyncClient,
) -> None:
    assert "name an instruct model" in await refusal(http, 404, None)
    assert "name an instruct model" in await refusal(http, 404, "")


async def test_unknown_keys_and_sampling_are_ignored(http: httpx2.AsyncClient, instruct: Path) -> None:
    plain = text_of(await chat(http, instruct))
    more = {"temperature": 1.9, "top_p": 0.1, "seed": "x", "tools": None, "user": 5, "n": 1, "stop": None}

    assert text_of(await chat(http, instruct, **more)) == plain


async def test_too_long_a_prompt_is_refused_as_an_answer_and_in_a_stream(
    http: httpx2.AsyncClient, resident: ResidentModel, instruct: Path
) -> None:
    before = await counters(http)
    question = "a1 b2 " * 20_000

    message = await refusal(http, 400, instruct, question=question)
    events = await all_chunks(http, instruct, question=question)

    model = resident.chat.model
    assert model is not None
    assert f"has room for {model.lane.longest} here" in message
    assert events[-1]["error"]["message"] == message
    assert (await counters(http))["prefilled_tokens"] == before["prefilled_tokens"]


@pytest.mark.parametrize("question", ["\ud800", "\x00", "<|end|>\u202e", "😋" * 100, "{{ 7 * 7 }}{% raw %}"])
async def test_any_text_is_answered(http: httpx2.AsyncClient, instruct: Path, question: str) -> None:
    asked = json.dumps(body(instruct, question, max_tokens=2))  # escaped: half a surrogate pair is no UTF-8

    response = await http.post("/v1/chat/completions", content=asked.encode())

    assert response.status_code == 200, response.text
    assert response.json()["usage"]["completion_tokens"] in (1, 2)


async def test_what_a_template_refuses_is_the_users_to_correct(
    http: httpx2.AsyncClient, chats: Any, instruct: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "strict"
    folder.mkdir()
    for file in instruct.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").write_bytes((instruct / "tokenizer_config.json").read_bytes())
    set_template(folder, "{{ raise_exception('Roles must take turns') }}")

    assert "Roles must take turns" in await refusal(http, 400, folder)


# Keys, and a model that is not there yet


@pytest.fixture
async def locked(resident: ResidentModel) -> AsyncIterator[httpx2.AsyncClient]:
    async with asgi(resident, "secret") as client:
        yield client


async def test_chat_needs_the_key(locked: httpx2.AsyncClient, instruct: Path) -> None:
    assert "API key" in await refusal(locked, 401, instruct)


async def test_until_the_completion_model_is_there_chat_is_not_either(instruct: Path) -> None:
    async with asgi(ResidentModel(EngineOptions())) as early:
        assert "still loading" in await refusal(early, 503, instruct)
        assert (await early.get("/health")).json()["chat"] is None
        assert body(instruct)["model"] == str(instruct)
