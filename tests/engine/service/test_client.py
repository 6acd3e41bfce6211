"""Our client for an engine, and the remote backend: what each answer, or none, becomes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from service_talk import canned, http_answer, prompt_ids

from engine.api import (
    Completion,
    CompletionRequest,
    FinishReason,
    Priority,
    Shape,
    StopRules,
    Timings,
    TokenScore,
)
from engine.backends.base import describe
from engine.backends.remote import RemoteBackend
from engine.build import PROTOCOL
from engine.client import EngineClient, from_answer, to_body
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.runtime.resident import ResidentModel
from engine.runtime.wire import parse_completion, to_openai


async def test_the_client_sends_rules_and_reads_a_whole_completion(
    client: EngineClient, resident: ResidentModel
) -> None:
    rules = StopRules(Shape.BLOCK, "    return math.", "", ("print(area(2))",), 3)
    request = CompletionRequest(tuple(prompt_ids(resident)), 30, ("\u2603",), "file:///c.py", rules, 60_000)

    completion = await client.complete(request)

    assert completion.text
    assert completion.timings.prompt_tokens == len(request.prompt_ids)
    assert completion.mean_logprob is not None


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(CompletionRequest((5,)), id="defaults"),
        pytest.param(
            CompletionRequest(
                (5, 6),
                7,
                ("a", "b"),
                "file:///a.py",
                StopRules(Shape.BLOCK, "x(", ")", ("y", ""), 3, grows=True, closers=")]"),
                8,
                num_answers=2,
                priority=Priority.CHAT,
                heal="fo\u2028",
                drafts=("bar", "é\n"),
            ),
            id="everything",
        ),
        pytest.param(CompletionRequest((5,), max_tokens=0, priority=Priority.AHEAD), id="only to be read"),
        pytest.param(CompletionRequest((5,), stop_rules=StopRules(closers="")), id="no closers, but known"),
    ],
)
def test_a_request_arrives_as_it_was_sent(resident: ResidentModel, request_: CompletionRequest) -> None:
    assert parse_completion(json.dumps(to_body(request_)).encode(), resident) == (request_, False)


def test_of_drafts_only_what_an_engine_takes_is_sent(resident: ResidentModel) -> None:
    """They are hints, no reason to be refused."""
    sent = CompletionRequest((5,), drafts=("a" * 5000, *"bcdefghij"))

    arrived, _ = parse_completion(json.dumps(to_body(sent)).encode(), resident)

    assert arrived.drafts == ("a" * 4000, *"bcdefgh")


def test_a_completion_arrives_as_it_was_sent() -> None:
    """Log-probabilities of tokens with four digits; alternatives without timings."""
    other = Completion("b", FinishReason.BUDGET, mean_logprob=None, scores=(TokenScore(0, -0.5),))
    completion = Completion(
        "a\u2028é",
        FinishReason.STOP,
        Timings(1.5, 2.5, 3.5, 4, 1, 3, 2, 2, 5, 1),
        -0.123456789,
        (TokenScore(0, -0.1235), TokenScore(1, -12.0)),
        -0.25,
        (other, other),
    )
    exact = replace(completion, scores=(TokenScore(0, -0.12345678), TokenScore(1, -12.0)))

    assert from_answer(json.loads(json.dumps(to_openai("id", "model", exact)))) == completion


async def test_an_error_of_the_model_is_a_refusal_with_its_sentence(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resident.worker is not None

    def broken(*_: Any) -> Any:
        raise RuntimeError("no more atoms")

    with monkeypatch.context() as patch:
        patch.setattr(resident.worker.lane.decoder, "extend", broken)
        with pytest.raises(EngineRefusedError, match=r"failed on this request .*no more atoms"):
            await client.complete(CompletionRequest((5, 6, 7)))

    assert (await client.complete(CompletionRequest((5, 6, 7), 1))).timings.decoded_tokens == 1


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
