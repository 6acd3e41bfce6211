"""The engine over HTTP: completions, streams, refusals, cancel by closing, newest wins; our client for it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.api import CompletionRequest, FinishReason, Shape, StopRules
from engine.backends.base import describe
from engine.backends.remote import RemoteBackend
from engine.build import PROTOCOL, build_id
from engine.client import EngineClient
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.layout import Budget
from engine.model_folder import BUILTIN_FOLDER
from engine.runtime.resident import EngineOptions, ResidentModel
from engine.runtime.service import create_app
from engine.runtime.wire import parse_completion
from engine_checkpoints import make_deepseek_checkpoint
from engine_http import Hold, evict_all, serving

PREFIX = "import math\n\n\ndef area(radius):\n    return math."
SUFFIX = "\n\n\nprint(area(2))\n"
CHUNK = 16


@pytest.fixture(scope="module")
def resident() -> Iterator[ResidentModel]:
    """The built-in model, loaded."""
    resident = ResidentModel(EngineOptions(device="cpu", dtype="float32"))
    resident.load()
    assert resident.state == "ready", resident.message
    yield resident
    resident.close()


@pytest.fixture(scope="module")
def socket_path(resident: ResidentModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(resident, tmp_path_factory.mktemp("s") / "e.sock") as path:
        yield path


@pytest.fixture
async def http(socket_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket_path))
    async with httpx2.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as client:
        yield client


@pytest.fixture
async def client(socket_path: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(socket=socket_path)
    yield client
    await client.close()


def prompt_ids(resident: ResidentModel, prefix: str = PREFIX, suffix: str = SUFFIX) -> list[int]:
    layout = resident.layout
    assert layout is not None
    budget = Budget.split(resident.context_length, 64, layout.fim)
    return [*layout.prompt([], None, prefix, suffix, budget).ids]


async def post(http: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await http.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def text_of(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["text"])


async def events(http: httpx2.AsyncClient, **body: Any) -> list[Any]:
    """The data of a stream's events, JSON parsed."""
    async with http.stream("POST", "/v1/completions", json={**body, "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in response.aiter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def counters(http: httpx2.AsyncClient) -> dict[str, int]:
    found: dict[str, int] = (await http.get("/health")).json()["counters"]
    return found


# Answers


async def test_an_answer_has_openais_shape_and_our_figures(
    http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    ids = prompt_ids(resident)

    answer = await post(http, prompt=ids, max_tokens=5)

    assert answer["object"] == "text_completion"
    assert answer["id"].startswith("cmpl-")
    assert answer["model"] == "builtin"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"] == {
        "prompt_tokens": len(ids),
        "completion_tokens": 5,
        "total_tokens": len(ids) + 5,
    }
    assert answer["ghostfill"]["finish_reason"] == "budget"
    timings = answer["ghostfill"]["timings"]
    assert timings["reused_tokens"] + timings["prefilled_tokens"] == len(ids)
    assert answer["ghostfill"]["mean_logprob"] < 0


async def test_text_with_a_suffix_equals_ids_of_the_same_prompt(
    http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    by_text = await post(http, prompt=PREFIX, suffix=SUFFIX, max_tokens=12)
    by_ids = await post(http, prompt=prompt_ids(resident), max_tokens=12)

    assert text_of(by_text) == text_of(by_ids) != ""
    assert by_text["usage"] == by_ids["usage"]


async def test_text_without_a_suffix_is_read_from_left_to_right(
    http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    assert resident.tokenizer is not None
    bos = resident.tokenizer.mark_id("<｜begin▁of▁sentence｜>")

    by_text = await post(http, prompt="import numpy as", max_tokens=4)
    by_ids = await post(http, prompt=[bos, *resident.tokenizer.encode("import numpy as")], max_tokens=4)

    assert text_of(by_text) == text_of(by_ids) != ""
    assert by_text["usage"] == by_ids["usage"]


@pytest.mark.parametrize("suffix", ["", SUFFIX])
def test_a_long_text_prompt_is_taken_whole(resident: ResidentModel, suffix: str) -> None:
    """Not cut to the share that the editor's layout would give it."""
    assert resident.tokenizer is not None
    body = {"prompt": "x = 1\n" * 1200, "suffix": suffix}

    request, _ = parse_completion(json.dumps(body).encode(), resident)

    assert resident.tokenizer.decode(request.prompt_ids) == suffix + body["prompt"]


async def test_stop_strings_end_the_text_before_them(http: httpx2.AsyncClient) -> None:
    whole = text_of(await post(http, prompt=PREFIX, suffix=SUFFIX, max_tokens=16))
    stop = whole[5:8]

    one = await post(http, prompt=PREFIX, suffix=SUFFIX, max_tokens=16, stop=stop)
    many = await post(http, prompt=PREFIX, suffix=SUFFIX, max_tokens=16, stop=["\u2603", stop])

    assert text_of(one) == text_of(many) == whole[: whole.index(stop)]
    assert one["choices"][0]["finish_reason"] == "stop"
    assert one["ghostfill"]["finish_reason"] == "stop"


async def test_stop_rules_end_a_line(http: httpx2.AsyncClient, resident: ResidentModel) -> None:
    body = {"prompt": "def f(a):\n    b = a\n", "max_tokens": 40}
    whole = text_of(await post(http, **body))
    assert "\n" in whole.strip("\n")

    rules = {"shape": "line", "line_prefix": ""}
    answer = await post(http, **body, ghostfill={"stop_rules": rules})

    assert text_of(answer) == whole.split("\n", 1)[0]
    assert answer["ghostfill"]["finish_reason"] == "stop"


async def test_null_counts_as_left_out(http: httpx2.AsyncClient) -> None:
    """OpenAI's own client writes null for what was not set."""
    keys = ["suffix", "stop", "stream", "max_tokens", "n", "ghostfill", "logprobs", "echo"]

    answer = await post(http, prompt="x =", **dict.fromkeys(keys) | {"max_tokens": 2})

    assert answer["usage"]["completion_tokens"] == 2


async def test_an_unknown_path_is_told_in_openais_shape(http: httpx2.AsyncClient) -> None:
    response = await http.get("/v1/nothing")

    assert response.status_code == 404
    assert response.json() == {"error": {"message": "Not Found", "type": "invalid_request_error"}}


async def test_models_names_the_one_model(http: httpx2.AsyncClient) -> None:
    answer = (await http.get("/v1/models")).json()

    assert [entry["id"] for entry in answer["data"]] == ["builtin"]


async def test_tokenizer_json_is_the_models_file(client: EngineClient) -> None:
    assert await client.tokenizer_json() == (BUILTIN_FOLDER / "tokenizer.json").read_text(encoding="utf-8")


async def test_health_says_what_a_client_must_know(client: EngineClient, resident: ResidentModel) -> None:
    health = await client.health()

    assert resident.tokenizer is not None
    expected = {
        "protocol": PROTOCOL,
        "build": build_id(),
        "model": "builtin",
        "device": "cpu",
        "dtype": "float32",
        "context_length": 8192,
        "fim_format": "builtin",
        "refusal": "",
        "tokenizer": resident.tokenizer.digest,
        "state": "ready",
        "progress": 1.0,
        "message": "",
    }
    assert health | expected == health


# Streams


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="plain"),
        pytest.param({"stop": ["\n\n"]}, id="a stop string that fires or is held back"),
        pytest.param({"stop": [") \u2603", "s\u2603", "(\u2603"]}, id="beginnings of stop strings held back"),
        pytest.param({"ghostfill": {"stop_rules": {"shape": "line"}}}, id="a line"),
        pytest.param({"ghostfill": {"stop_rules": {"shape": "block"}}}, id="a block, settled line by line"),
    ],
)
@pytest.mark.parametrize("prompt", [PREFIX, "def f(a):\n    if a:\n", "s = '😋"])
async def test_the_pieces_of_a_stream_join_to_the_answer(
    http: httpx2.AsyncClient, body: dict[str, Any], prompt: str
) -> None:
    """For several lengths: each ends at another place, some with text held back."""
    for max_tokens in (1, 2, 3, 7, 20):
        answer = await post(http, prompt=prompt, max_tokens=max_tokens, **body)
        streamed = await events(http, prompt=prompt, max_tokens=max_tokens, **body)

        assert "".join(text_of(event) for event in streamed) == text_of(answer)
        last = streamed[-1]
        assert last["choices"][0]["finish_reason"] == answer["choices"][0]["finish_reason"]
        assert last["ghostfill"]["finish_reason"] == answer["ghostfill"]["finish_reason"]
        assert last["usage"] == answer["usage"]


async def test_a_stream_has_one_id_and_says_its_reason_once(http: httpx2.AsyncClient) -> None:
    streamed = await events(http, prompt="x =", max_tokens=4)

    assert len(streamed) > 1
    assert len({event["id"] for event in streamed}) == 1
    assert [event["choices"][0]["finish_reason"] for event in streamed[:-1]] == [None] * (len(streamed) - 1)


async def test_a_stream_comes_as_it_is_decoded(
    http: httpx2.AsyncClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first event is here while the model is held before a later step."""
    hold = Hold(resident, monkeypatch, at_pass=4)
    body = {"prompt": "x = math.", "max_tokens": 8, "stream": True}
    async with http.stream("POST", "/v1/completions", json=body) as response:
        lines = response.aiter_lines()
        first = await anext(lines)
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        assert text_of(json.loads(first.removeprefix("data: "))) != ""
        hold.release()
        assert [line async for line in lines if line][-1] == "data: [DONE]"


# Refusals


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
    pytest.param({"prompt": "x", "max_tokens": 0}, "max_tokens must be a whole number", id="no tokens"),
    pytest.param({"prompt": "x", "max_tokens": -1}, "max_tokens must be", id="less than no tokens"),
    pytest.param({"prompt": "x", "max_tokens": 10**9}, "max_tokens must be", id="too many tokens"),
    pytest.param({"prompt": "x", "max_tokens": "5"}, "max_tokens must be", id="tokens as text"),
    pytest.param({"prompt": "x", "max_tokens": True}, "max_tokens must be", id="tokens as bool"),
    pytest.param(b'{"prompt": "x", "max_tokens": NaN}', "max_tokens must be", id="NaN tokens"),
    pytest.param(b'{"prompt": "x", "max_tokens": 1e999}', "max_tokens must be", id="infinite tokens"),
    pytest.param({"prompt": "x", "n": 2}, "n must be 1", id="two choices"),
    pytest.param({"prompt": "x", "stream": "no"}, "stream must be a bool", id="stream as text"),
    pytest.param({"prompt": "x", "stop": 5}, "stop must be a string or a list", id="stop as number"),
    pytest.param(
        {"prompt": "x", "stop": ["a", None]}, "stop must be a string or a list", id="stop with null"
    ),
    pytest.param({"prompt": "x", "stop": ["a"] * 65}, "at most 64 strings", id="too many stop strings"),
    pytest.param({"prompt": "x", "ghostfill": []}, "ghostfill must be an object", id="extension as list"),
    pytest.param({"prompt": "x", "ghostfill": {"document": 1}}, "document must be a str", id="document"),
    pytest.param({"prompt": "x", "ghostfill": {"max_ms": 0}}, "max_ms must be a whole number", id="max_ms"),
]
BAD_RULES = [
    pytest.param([], "stop_rules must be an object", id="a list"),
    pytest.param({"shape": "word"}, "must be one of line, block", id="shape"),
    pytest.param({"shape": ["line"]}, "must be one of line, block", id="shape as list"),
    pytest.param({"line_prefix": 5}, "line_prefix must be a str", id="line_prefix"),
    pytest.param({"next_lines": "x"}, "next_lines must be a list of strings", id="next_lines"),
    pytest.param({"next_lines": [1]}, "next_lines must be a list of strings", id="next_lines of numbers"),
    pytest.param({"max_lines": "3"}, "max_lines must be a whole number", id="max_lines"),
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


def asgi(resident: ResidentModel, api_key: str | None = None, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=create_app(resident, api_key))
    return httpx2.AsyncClient(transport=transport, base_url="http://engine", headers=headers)


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


# Cancel


LONG = "".join(f"value_{n} = compute({n}, offset={n * 7})\n" for n in range(10)) + "total = "


@pytest.mark.parametrize("is_stream", [False, True], ids=["answer", "stream"])
@pytest.mark.parametrize("phase", ["first chunk", "prefill", "decode"])
async def test_a_closed_connection_costs_at_most_the_chunk_or_step_in_progress(
    http: httpx2.AsyncClient,
    socket_path: Path,
    resident: ResidentModel,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    is_stream: bool,
) -> None:
    """And the next text is that of a fresh slot. The model is held until the server saw the close."""
    ids = prompt_ids(resident, LONG, SUFFIX)
    chunks = -(-len(ids) // CHUNK)
    assert chunks > 6
    evict_all(resident)
    expected = await post(http, prompt=ids, max_tokens=12)
    evict_all(resident)

    at_pass = {"first chunk": 1, "prefill": 4, "decode": chunks + 3}[phase]
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass, CHUNK)
        body = json.dumps({"prompt": ids, "max_tokens": 200, "stream": is_stream}).encode()
        _, writer = await asyncio.open_unix_connection(str(socket_path))
        head = f"POST /v1/completions HTTP/1.1\r\nhost: e\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        at_close = await counters(http)
        writer.close()
        outcome = await asyncio.to_thread(hold.outcome)
    after = await counters(http)

    assert hold.was_cancelled, "the server noticed the close while the model was held"
    assert outcome.finish_reason is FinishReason.CANCELLED
    extra = {key: after[key] - at_close[key] for key in ("prefill_chunks", "decode_steps", "cancelled")}
    is_decoding = phase == "decode"
    assert extra == {"prefill_chunks": not is_decoding, "decode_steps": is_decoding, "cancelled": 1}
    again = await post(http, prompt=ids, max_tokens=12)
    assert text_of(again) == text_of(expected)
    reused = again["ghostfill"]["timings"]["reused_tokens"]
    assert reused == (len(ids) - 1 if is_decoding else at_pass * CHUNK), "what was computed is kept"


async def test_a_request_closed_while_it_waits_never_reaches_the_model(
    http: httpx2.AsyncClient,
    client: EngineClient,
    resident: ResidentModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our client: cancelling the task closes the connection."""
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1, chunk_tokens=CHUNK)
        first = asyncio.create_task(post(http, prompt=LONG, max_tokens=1))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        waiting = asyncio.create_task(client.complete(CompletionRequest((5, 6, 7))))
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await asyncio.to_thread(hold.jobs[1].cancelled.wait, 60)
        at_release = await counters(http)
        hold.release()
        assert (await asyncio.to_thread(hold.outcome)).finish_reason is FinishReason.BUDGET
        assert (await asyncio.to_thread(hold.outcome)).finish_reason is FinishReason.CANCELLED
    await first
    after = await counters(http)

    assert waiting.cancelled()
    assert after["cancelled"] - at_release["cancelled"] == 1
    chunks = -(-(await first)["ghostfill"]["timings"]["prefilled_tokens"] // CHUNK)
    assert after["prefill_chunks"] - at_release["prefill_chunks"] == chunks, "the first's, and no more"


# Newest wins, and many


async def test_the_newest_request_of_a_document_wins_and_the_older_is_answered(
    http: httpx2.AsyncClient, client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one already runs: it ends with what it has, and says why."""
    ids = tuple(prompt_ids(resident))
    request = CompletionRequest(ids, max_tokens=12, document="file:///a.py")
    expected = await client.complete(request)
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=5)
        older = asyncio.create_task(client.complete(request))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        newer = asyncio.create_task(client.complete(request))
        answers = await asyncio.gather(older, newer)

    assert hold.was_cancelled
    assert answers[0].finish_reason is FinishReason.CANCELLED
    assert expected.text.startswith(answers[0].text)
    assert 0 < answers[0].timings.decoded_tokens < 12
    assert (answers[1].text, answers[1].finish_reason) == (expected.text, expected.finish_reason)


async def test_an_older_request_that_still_waits_is_answered_at_once(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tuple(prompt_ids(resident))
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        running = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///a.py")))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        older = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///b.py")))
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        newer = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///b.py")))

        answer = await older

        assert (answer.text, answer.finish_reason) == ("", FinishReason.CANCELLED)
        assert not running.done(), "the model is still held"
        hold.release()
        assert [c.finish_reason for c in await asyncio.gather(running, newer)] == [FinishReason.BUDGET] * 2


async def test_twenty_clients_at_once_are_all_answered_right(
    socket_path: Path, client: EngineClient, resident: ResidentModel
) -> None:
    prompts = [tuple(prompt_ids(resident, f"def f{n % 4}(a, b):\n    return ", "\n")) for n in range(20)]
    alone = {ids: (await client.complete(CompletionRequest(ids, 6))).text for ids in set(prompts)}
    clients = [EngineClient(socket=socket_path) for _ in prompts]

    answers = await asyncio.gather(
        *(
            client.complete(CompletionRequest(ids, 6, document=f"file:///{n}.py"))
            for n, (client, ids) in enumerate(zip(clients, prompts, strict=True))
        )
    )

    assert [answer.text for answer in answers] == [alone[ids] for ids in prompts]
    assert {answer.finish_reason for answer in answers} <= {FinishReason.BUDGET, FinishReason.EOS}
    for one in clients:
        await one.close()


async def test_a_request_keeps_the_engine_from_being_idle(
    http: httpx2.AsyncClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        request = asyncio.create_task(post(http, prompt="x", max_tokens=1))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        assert resident.idle_seconds == 0
        hold.release()
        await request
    before = resident.idle_seconds
    await http.get("/health")

    assert resident.idle_seconds > before > 0, "health is no use of the model"


# Our client


async def test_the_client_sends_rules_and_reads_a_whole_completion(
    client: EngineClient, resident: ResidentModel
) -> None:
    rules = StopRules(Shape.BLOCK, "    return math.", "", ("print(area(2))",), 3)
    request = CompletionRequest(tuple(prompt_ids(resident)), 30, ("\u2603",), "file:///c.py", rules, 60_000)

    completion = await client.complete(request)

    assert completion.text
    assert completion.timings.prompt_tokens == len(request.prompt_ids)
    assert completion.mean_logprob is not None


async def test_an_error_of_the_model_is_a_refusal_with_its_sentence(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resident.worker is not None

    def broken(*_: Any) -> Any:
        raise RuntimeError("no more atoms")

    with monkeypatch.context() as patch:
        patch.setattr(resident.worker._decoder, "extend", broken)
        with pytest.raises(EngineRefusedError, match=r"failed on this request .*no more atoms"):
            await client.complete(CompletionRequest((5, 6, 7)))

    assert (await client.complete(CompletionRequest((5, 6, 7), 1))).timings.decoded_tokens == 1


@asynccontextmanager
async def canned(*answers: bytes) -> AsyncIterator[str]:
    """The URL of a server that gives these answers, one a connection, the last again and again."""
    coming = itertools.chain(answers, itertools.repeat(answers[-1]))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(coming))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http_answer(status: int, body: Any) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(http_answer(200, b"<html>"), "is no ghostfill engine", id="a web page"),
        pytest.param(http_answer(200, []), "is no ghostfill engine", id="a list"),
        pytest.param(http_answer(200, {"choices": []}), "lacks what ghostfill needs", id="no choices"),
        pytest.param(
            http_answer(200, {"choices": [{"text": "x"}]}), "lacks what ghostfill needs", id="plain OpenAI"
        ),
        pytest.param(http_answer(404, b"<html>"), "answered with status 404", id="another server"),
        pytest.param(http_answer(502, {"detail": 1}), "answered with status 502", id="a gateway"),
        pytest.param(http_answer(400, {"error": {"message": "too long"}}), "^too long$", id="a refusal"),
    ],
)
async def test_an_answer_that_is_none_is_a_refusal(answer: bytes, message: str) -> None:
    async with canned(answer) as url:
        client = EngineClient(url=url)
        with pytest.raises(EngineRefusedError, match=message):
            await client.complete(CompletionRequest((1,)))
        await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closed without a word"),
        pytest.param(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{", id="closed in the middle"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="another protocol"),
        pytest.param(http_answer(503, {"error": {"message": "loading"}}), id="loading again"),
    ],
)
async def test_an_engine_that_does_not_answer_is_unavailable_not_refusing(answer: bytes) -> None:
    async with canned(answer) as url:
        client = EngineClient(url=url)
        with pytest.raises(EngineUnavailableError) as caught:
            await client.complete(CompletionRequest((1,)))
        await client.close()

    assert not isinstance(caught.value, EngineRefusedError)


@pytest.mark.parametrize(
    "url", ["no url", "localhost:8017", "http://[::1", "ftp://x", "http://x:99999", "http://"]
)
async def test_a_url_that_is_none_is_an_unavailable_engine(url: str) -> None:
    backend = RemoteBackend(url)
    with pytest.raises(EngineUnavailableError, match="no engine answers at"):
        await backend.ready()
    await backend.close()


async def test_a_proxy_of_the_environment_sees_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async with canned(http_answer(200, {"state": "seen"})) as url, canned(b"") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        client = EngineClient(url=url)
        assert (await client.health())["state"] == "seen"
        await client.close()


async def test_a_closed_client_can_be_used_again(client: EngineClient) -> None:
    await client.health()
    await client.close()

    assert (await client.health())["state"] == "ready"


# The remote backend


def loading(progress: float) -> bytes:
    return http_answer(200, {"state": "loading", "progress": progress, "model": "m"})


async def test_a_remote_engine_that_loads_is_waited_for_with_progress() -> None:
    told: list[tuple[float, str]] = []
    failed = http_answer(200, {"state": "error", "message": "the model is too large", "progress": 0.2})
    async with canned(loading(0.1), loading(0.2), failed) as url:
        backend = RemoteBackend(url)
        with pytest.raises(EngineUnavailableError, match=r"^the model is too large$"):
            await backend.ready(lambda fraction, message: told.append((fraction, message)))
        await backend.close()

    assert told == [(0.1, "loading m"), (0.2, "loading m")]


async def test_what_is_no_engine_at_a_url_is_said_to_be_none() -> None:
    async with canned(http_answer(200, {"status": "ok"})) as url:
        backend = RemoteBackend(url)
        with pytest.raises(EngineRefusedError, match="no ghostfill engine"):
            await backend.ready()
        await backend.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"protocol": PROTOCOL + 1}, f"speaks protocol {PROTOCOL + 1}, we {PROTOCOL}", id="newer"
        ),
        pytest.param({"fim_format": "later"}, "does not describe itself .*later", id="an unknown format"),
        pytest.param({"pid": None}, "does not describe itself", id="no process"),
    ],
)
async def test_an_engine_of_another_version_is_refused(
    client: EngineClient, change: dict[str, Any], message: str
) -> None:
    health = await client.health() | change

    with pytest.raises(EngineRefusedError, match=f"{message}.*install the same version|{message}"):
        await describe(client, health)


async def test_a_ready_engine_is_described_with_its_layout(
    client: EngineClient, resident: ResidentModel
) -> None:
    info = await describe(client, await client.health())

    assert resident.tokenizer is not None
    assert (info.model, info.device, info.dtype, info.context_length) == ("builtin", "cpu", "float32", 8192)
    assert info.tokenizer.digest == resident.tokenizer.digest
    assert info.layout.fim.name == "builtin"
    assert (info.refusal, info.default_budget_tokens) == ("", 4096)
