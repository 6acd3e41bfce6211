"""Completions over HTTP: answers in OpenAI's shape, and streams that join to them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from service_talk import PREFIX, SUFFIX, events, file_ids, post, prompt_ids, text_of

from engine.build import PROTOCOL, build_id
from engine.client import EngineClient
from engine.model_folder import BUILTIN_FOLDER
from engine.runtime.resident import ResidentModel
from engine.runtime.wire import parse_completion
from engine_http import Hold


async def test_an_answer_has_openais_shape_and_our_figures(
    http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    ids = file_ids(resident)

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
    assert answer["ghostfill"]["alternatives"] == []
    starts = [start for start, _ in answer["ghostfill"]["scores"]]
    assert starts == sorted(starts)
    assert 0 < len(starts) <= 5


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


@pytest.mark.usefixtures("chats")
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
        "order": "spm",
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
