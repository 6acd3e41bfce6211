"""What an engine over HTTP refuses: bad bodies, wrong keys, a model that is not there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from service_talk import asgi, counters, post, text_of

from engine.client import EngineClient
from engine.errors import EngineRefusedError
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_checkpoints import make_deepseek_checkpoint
from engine_http import serving


def nested(depth: int) -> bytes:
    return b'{"prompt": ' + b"[" * depth + b"]" * depth + b"}"


BAD = [
    pytest.param(b"", "not JSON", id="empty body"),
    pytest.param(b"prompt=x", "not JSON", id="a form"),
    pytest.param(b'{"prompt": "x"', "not JSON", id="cut short"),
    pytest.param(b'{"prompt": "\xff"}', "not JSON", id="not UTF-8"),
    pytest.param(nested(100_000), "not JSON", id="nested deeper than the parser goes"),
    pytest.param(nested(50), "prompt must be text, or token ids", id="nested lists"),
    pytest.param(b'{"prompt": 1' + b"0" * 5000 + b"}", "not JSON", id="more digits than Python reads"),
    pytest.param(b"[]", "the body must be an object", id="a list"),
    pytest.param(b"null", "the body must be an object", id="null"),
    pytest.param(b'"x"', "the body must be an object", id="a string"),
    pytest.param({}, "prompt must be text, or token ids", id="no prompt"),
    pytest.param({"prompt": {"text": "x"}}, "prompt must be text, or token ids", id="an object as prompt"),
    pytest.param({"prompt": []}, "prompt must not be empty", id="no ids"),
    pytest.param({"prompt": ["x"]}, "prompt must be text, or token ids", id="texts as ids"),
    pytest.param({"prompt": [1, True]}, "prompt must be text, or token ids", id="a bool as id"),
    pytest.param({"prompt": [1.0]}, "prompt must be text, or token ids", id="a float as id"),
    pytest.param({"prompt": [-1]}, "token ids from 0 to 16383", id="a negative id"),
    pytest.param({"prompt": [16384]}, "token ids from 0 to 16383", id="an id out of range"),
    pytest.param({"prompt": [2**80]}, "token ids from 0 to 16383", id="a huge id"),
    pytest.param({"prompt": [5] * 8192}, "8192 tokens does not fit", id="more ids than the context"),
    pytest.param({"prompt": "x " * 20_000}, "does not fit the model's context", id="too long a text"),
    pytest.param({"prompt": "x", "suffix": 1}, "suffix must be a str", id="a number as suffix"),
    pytest.param({"prompt": [5], "suffix": "x"}, "leave suffix out", id="ids and a suffix"),
    pytest.param({"prompt": "x", "max_tokens": -1}, "max_tokens must be a whole number", id="less than none"),
    pytest.param({"prompt": "x", "max_tokens": 10**9}, "max_tokens must be", id="too many tokens"),
    pytest.param({"prompt": "x", "max_tokens": "5"}, "max_tokens must be", id="tokens as text"),
    pytest.param({"prompt": "x", "max_tokens": True}, "max_tokens must be", id="tokens as bool"),
    pytest.param(b'{"prompt": "x", "max_tokens": NaN}', "max_tokens must be", id="NaN tokens"),
    pytest.param(b'{"prompt": "x", "max_tokens": 1e999}', "max_tokens must be", id="infinite tokens"),
    pytest.param({"prompt": "x", "n": 0}, "n must be a whole number from 1 to 4", id="no choice"),
    pytest.param({"prompt": "x", "n": 5}, "n must be a whole number from 1 to 4", id="too many choices"),
    pytest.param({"prompt": "x", "n": True}, "n must be a whole number from 1 to 4", id="choices as bool"),
    pytest.param({"prompt": "x", "n": 2, "stream": True}, "cannot be streamed", id="choices in a stream"),
    pytest.param({"prompt": "x", "stream": "no"}, "stream must be a bool", id="stream as text"),
    pytest.param({"prompt": "x", "stop": 5}, "stop must be a string or a list", id="stop as number"),
    pytest.param(
        {"prompt": "x", "stop": ["a", None]}, "stop must be a string or a list", id="stop with null"
    ),
    pytest.param({"prompt": "x", "stop": ["a"] * 65}, "at most 64 strings", id="too many stop strings"),
    pytest.param({"prompt": "x", "ghostfill": []}, "ghostfill must be an object", id="extension as list"),
    pytest.param({"prompt": "x", "ghostfill": {"document": 1}}, "document must be a str", id="document"),
    pytest.param({"prompt": "x", "ghostfill": {"max_ms": 0}}, "max_ms must be a whole number", id="max_ms"),
    pytest.param({"prompt": "x", "ghostfill": {"priority": "high"}}, "visible, ahead, chat", id="priority"),
    pytest.param(
        {"prompt": "x", "ghostfill": {"priority": 1}}, "one of visible, ahead", id="priority as number"
    ),
    pytest.param({"prompt": "x", "ghostfill": {"heal": 5}}, "heal must be a str", id="heal as number"),
    pytest.param({"prompt": "x", "ghostfill": {"heal": "a" * 1001}}, "at most 1000 characters", id="heal"),
    pytest.param(
        {"prompt": "x", "ghostfill": {"drafts": "ab"}}, "drafts must be a list", id="drafts as text"
    ),
    pytest.param({"prompt": "x", "ghostfill": {"drafts": [5]}}, "drafts must be a list", id="drafts as ids"),
    pytest.param({"prompt": "x", "ghostfill": {"drafts": ["a"] * 9}}, "at most 8 strings", id="many drafts"),
    pytest.param(
        {"prompt": "x", "ghostfill": {"drafts": ["a" * 4001]}}, "at most 4000 characters", id="a long draft"
    ),
]
BAD_RULES = [
    pytest.param([], "stop_rules must be an object", id="a list"),
    pytest.param({"shape": "word"}, "must be one of line, block", id="shape"),
    pytest.param({"shape": ["line"]}, "must be one of line, block", id="shape as list"),
    pytest.param({"line_prefix": 5}, "line_prefix must be a str", id="line_prefix"),
    pytest.param({"next_lines": "x"}, "next_lines must be a list of strings", id="next_lines"),
    pytest.param({"next_lines": [1]}, "next_lines must be a list of strings", id="next_lines of numbers"),
    pytest.param({"max_lines": "3"}, "max_lines must be a whole number", id="max_lines"),
    pytest.param({"grows": "yes"}, "grows must be a bool", id="grows"),
    pytest.param({"grows": 1}, "grows must be a bool", id="grows as number"),
    pytest.param({"closers": [")"]}, "closers must be a str", id="closers"),
    pytest.param({"closers": ") ]"}, "must hold closing brackets only", id="closers with a space"),
    pytest.param({"indent": 4}, "stop_rules has no indent", id="an unknown rule"),
]


async def assert_refused(http: httpx2.AsyncClient, body: Any, message: str) -> None:
    before = await counters(http)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    response = await http.post("/v1/completions", content=content)

    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert message in error["message"]
    assert error["type"] == "invalid_request_error"
    assert await counters(http) == before, "nothing reached the model"


@pytest.mark.parametrize(("body", "message"), BAD)
async def test_a_bad_body_is_refused_with_what_is_wrong(
    http: httpx2.AsyncClient, body: Any, message: str
) -> None:
    await assert_refused(http, body, message)


@pytest.mark.parametrize(("rules", "message"), BAD_RULES)
async def test_bad_stop_rules_are_refused(http: httpx2.AsyncClient, rules: Any, message: str) -> None:
    await assert_refused(http, {"prompt": "x", "ghostfill": {"stop_rules": rules}}, message)


async def test_a_lone_surrogate_in_a_prompt_is_answered(http: httpx2.AsyncClient) -> None:
    """A broken file in an editor; JSON can carry it, UTF-8 cannot."""
    response = await http.post("/v1/completions", content=b'{"prompt": "x = \\ud800", "max_tokens": 1}')

    assert response.status_code == 200


async def test_a_client_that_leaves_while_it_sends_disturbs_nobody(
    http: httpx2.AsyncClient, socket_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_unix_connection(str(socket_path))
    writer.write(b'POST /v1/completions HTTP/1.1\r\nhost: e\r\ncontent-length: 100\r\n\r\n{"prompt": ')
    await writer.drain()
    await http.get("/health")
    writer.close()
    await writer.wait_closed()

    await post(http, prompt="x", max_tokens=1)
    assert "Traceback" not in caplog.text


# Keys, and a model that is not there

PATHS = [("GET", "/health"), ("GET", "/tokenizer.json"), ("GET", "/v1/models"), ("POST", "/v1/completions")]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "key", [None, "", "Bearer", "Bearer wrong", "secret", "Bearer secret2", "Basic secret"]
)
async def test_without_the_key_nothing_is_told(
    resident: ResidentModel, method: str, path: str, key: str | None
) -> None:
    headers = {} if key is None else {"authorization": key}
    async with asgi(resident, "secret", **headers) as http:
        response = await http.request(method, path, json={"prompt": "x"} if method == "POST" else None)

    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert "apiKeyEnv" in response.json()["error"]["message"]


async def test_with_the_key_all_is_told(resident: ResidentModel, tmp_path: Path) -> None:
    with serving(resident, tmp_path / "k.sock", api_key="sécret") as path:
        keyless, keyed = EngineClient(socket=path), EngineClient(socket=path, api_key="sécret")
        with pytest.raises(EngineRefusedError, match=r"valid API key .* engine\.apiKeyEnv"):
            await keyless.health()
        assert (await keyed.health())["state"] == "ready"
        await keyless.close()
        await keyed.close()


async def test_while_loading_health_answers_and_the_rest_is_unavailable() -> None:
    async with asgi(ResidentModel(EngineOptions())) as http:
        health = (await http.get("/health")).json()
        refused = [
            await http.get("/tokenizer.json"),
            await http.post("/v1/completions", json={"prompt": "x"}),
        ]

    assert (health["state"], health["progress"], health["context_length"]) == ("loading", 0.0, 0)
    assert [response.status_code for response in refused] == [503, 503]
    assert refused[0].json() == {"error": {"message": "the model is still loading", "type": "unavailable"}}


async def test_a_model_that_cannot_be_loaded_says_why_in_every_answer(tmp_path: Path) -> None:
    resident = ResidentModel(EngineOptions(model=str(tmp_path / "none")))
    resident.load()
    async with asgi(resident) as http:
        health = (await http.get("/health")).json()
        refused = await http.post("/v1/completions", json={"prompt": "x"})

    assert health["state"] == "error"
    assert "none does not exist" in health["message"]
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, health["message"])


async def test_an_instruct_model_goes_on_from_left_to_right_and_refuses_a_suffix(tmp_path: Path) -> None:
    folder = make_deepseek_checkpoint(tmp_path / "deepseek-coder-1.3b-instruct", instruct=True)
    resident = ResidentModel(EngineOptions(model=str(folder), device="cpu", dtype="float32"))
    resident.load()
    try:
        async with asgi(resident) as http:
            health = (await http.get("/health")).json()
            refused = await http.post("/v1/completions", json={"prompt": "x", "suffix": "y"})
            answer = await http.post("/v1/completions", json={"prompt": "x", "max_tokens": 3})
    finally:
        resident.close()

    assert (health["state"], health["fim_format"], health["bos"]) == (
        "ready",
        "plain",
        "<｜begin▁of▁sentence｜>",
    )
    assert "is an instruct model" in health["refusal"]
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, health["refusal"])
    assert (answer.status_code, answer.json()["usage"]["prompt_tokens"]) == (200, 2)


@pytest.fixture(scope="module")
def deepseek(deepseek_folder: Path) -> Iterator[ResidentModel]:
    resident = ResidentModel(EngineOptions(model=str(deepseek_folder), device="cpu", dtype="float32"))
    resident.load()
    assert resident.state == "ready", resident.message
    yield resident
    resident.close()


async def test_a_deepseek_checkpoint_serves_its_own_prompt_form(deepseek: ResidentModel) -> None:
    """Text with a suffix equals the README's prompt put together by hand; padding rows are never decoded."""
    tokenizer = deepseek.tokenizer
    assert tokenizer is not None
    marks = [
        tokenizer.mark_id(f"<｜{name}｜>")
        for name in ("begin▁of▁sentence", "fim▁begin", "fim▁hole", "fim▁end")
    ]
    bos, begin, hole, end = marks
    ids = [bos, begin, *tokenizer.encode("a = "), hole, *tokenizer.encode("\nb"), end]
    async with asgi(deepseek) as http:
        by_text = await post(http, prompt="a = ", suffix="\nb", max_tokens=8)
        by_ids = await post(http, prompt=ids, max_tokens=8)

    assert by_text["usage"]["prompt_tokens"] == len(ids)
    assert text_of(by_text) == text_of(by_ids)
