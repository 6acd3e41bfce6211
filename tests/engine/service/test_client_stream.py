"""A completion told while it is decoded: the same answer, cancelled at once, and never half an answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from service_talk import PREFIX, SUFFIX, canned, http_answer, prompt_ids

from engine.api import Completion, CompletionRequest, FinishReason, Shape, StopRules, TextPiece
from engine.client import EngineClient
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.runtime.resident import ResidentModel
from engine_http import Hold


@pytest.mark.parametrize(
    "request_of",
    [
        pytest.param({}, id="plain"),
        pytest.param({"stop": ("\n\n", ") \u2603")}, id="stop strings"),
        pytest.param({"stop_rules": StopRules(Shape.LINE)}, id="a line"),
        pytest.param({"stop_rules": StopRules(Shape.BLOCK, "def f(a):")}, id="a block"),
    ],
)
@pytest.mark.parametrize("prefix", [PREFIX, "def f(a):\n    if a:\n", "s = '😋"])
async def test_a_streamed_completion_equals_the_one_at_once(
    client: EngineClient, resident: ResidentModel, prefix: str, request_of: dict[str, Any]
) -> None:
    """Its figures too, times left out, and what is told joins to its text."""
    for max_tokens in (1, 2, 7, 20):
        request = CompletionRequest(tuple(prompt_ids(resident, prefix, SUFFIX)), max_tokens, **request_of)
        told: list[TextPiece] = []

        at_once, streamed = await client.complete(request), await client.complete(request, told.append)

        assert "".join(piece.text for piece in told) == streamed.text
        assert tuple(score for piece in told for score in piece.scores) == streamed.scores
        assert all(piece.text for piece in told)
        assert without_figures(streamed) == without_figures(at_once)
        assert figures(streamed) == pytest.approx(figures(at_once), abs=0.001)
        assert streamed.timings.decoded_tokens == at_once.timings.decoded_tokens


def without_figures(completion: Completion) -> tuple[Any, ...]:
    starts = [score.start for score in completion.scores]
    return completion.text, completion.finish_reason, starts, completion.end_logprob is None


def figures(completion: Completion) -> list[float]:
    """Rounded by what each pass computed at once, which depends on slots and drafts."""
    return [
        completion.mean_logprob or 0.0,
        *(score.logprob for score in completion.scores),
        completion.end_logprob or 0.0,
    ]


async def test_text_is_told_while_later_steps_are_still_to_come(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    heard = asyncio.Event()

    def on_text(piece: TextPiece) -> None:
        told.append(piece.text)
        heard.set()

    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=4)
        running = asyncio.ensure_future(client.complete(request_of(resident), on_text))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        await asyncio.wait_for(heard.wait(), 60)
        before = "".join(told)
        assert not running.done()
        hold.release()
        completion = await running

    assert completion.text.startswith(before)
    assert len(completion.text) > len(before) > 0


def request_of(resident: ResidentModel) -> CompletionRequest:
    return CompletionRequest(tuple(prompt_ids(resident, "x = math.", "")), 20)


async def test_a_task_cancelled_in_the_middle_of_a_stream_stops_the_engine(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = asyncio.Event()
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=6)
        running = asyncio.ensure_future(client.complete(request_of(resident), lambda _: heard.set()))
        await asyncio.wait_for(heard.wait(), 60)
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        outcome = await asyncio.to_thread(hold.outcome)

    assert running.cancelled()
    assert hold.was_cancelled, "the engine saw it while it was held in a step"
    assert outcome.finish_reason is FinishReason.CANCELLED
    assert (await client.complete(request_of(resident), lambda _: None)).text


async def test_an_error_of_the_listener_is_its_own_and_stops_the_engine(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise KeyError("listener")

    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=6)
        with pytest.raises(KeyError, match="listener"):
            await client.complete(request_of(resident), broken)
        assert (await asyncio.to_thread(hold.outcome)).finish_reason is FinishReason.CANCELLED


async def test_a_connection_is_used_again_after_a_stream(
    client: EngineClient, resident: ResidentModel
) -> None:
    for _ in range(3):
        await client.complete(request_of(resident), lambda _: None)

    transport: Any = client._client()._transport
    assert len(transport._pool.connections) == 1


async def test_an_error_of_the_model_in_the_middle_of_a_stream_is_a_refusal(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resident.worker is not None
    read, left = resident.worker.lane.decoder.read, iter(range(5))

    def breaks(*args: Any) -> Any:
        if next(left, None) is None:
            raise RuntimeError("no more atoms")
        return read(*args)

    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(resident.worker.lane.decoder, "read", breaks)
        with pytest.raises(EngineRefusedError, match=r"failed on this request .*no more atoms"):
            await client.complete(request_of(resident), lambda piece: told.append(piece.text))

    assert told


# What is no stream, or not a whole one


def stream(*events: Any, is_whole: bool = True) -> bytes:
    """The answer of an engine that closes the connection after these events."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    content = "".join(f"data: {line}\n\n" for line in lines).encode()
    size = len(content) + (0 if is_whole else 10)
    return b"HTTP/1.1 200 X\r\ncontent-length: %d\r\n\r\n%s" % (size, content)


PIECE = {"choices": [{"text": "a\u2028b"}], "ghostfill": {"scores": [[0, -0.5]]}}
FIGURES = {
    "finish_reason": "eos",
    "timings": {},
    "mean_logprob": None,
    "scores": [[0, -0.5]],
    "end_logprob": None,
}
LAST = {"choices": [{"text": "c"}], "ghostfill": FIGURES}


async def complete(answer: bytes, told: list[str]) -> Completion:
    async with canned(answer) as url:
        client = EngineClient(url=url)
        try:
            return await client.complete(CompletionRequest((1,)), lambda piece: told.append(piece.text))
        finally:
            await client.close()


async def test_a_whole_stream_is_a_completion() -> None:
    told: list[str] = []

    completion = await complete(stream(PIECE, LAST, "[DONE]"), told)

    assert told == ["a\u2028b", "c"]
    assert (completion.text, completion.scores) == ("a\u2028bc", ((0, -0.5),))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(stream(), id="no event"),
        pytest.param(stream(PIECE), id="no figures"),
        pytest.param(stream(PIECE, "[DONE]"), id="no figures before its end"),
        pytest.param(stream(PIECE, LAST, is_whole=False), id="closed before its end"),
        pytest.param(stream(PIECE, '{"choices'), id="half an object"),
        pytest.param(stream(PIECE, "[1]"), id="no object"),
        pytest.param(stream(PIECE, {"choices": []}), id="no choice"),
        pytest.param(http_answer(200, b"<html>"), id="a web page"),
        pytest.param(http_answer(200, b"data: \xff\n\n"), id="not UTF-8"),
        pytest.param(http_answer(503, {"error": {"message": "loading"}}), id="loading again"),
    ],
)
async def test_a_broken_stream_is_an_unavailable_engine(answer: bytes) -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        await complete(answer, [])

    assert not isinstance(caught.value, EngineRefusedError)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(stream(PIECE, {"error": {"message": "too hot"}}), "^too hot$", id="an error event"),
        pytest.param(http_answer(400, {"error": {"message": "too long"}}), "^too long$", id="a refusal"),
        pytest.param(
            stream({"choices": [{"text": ""}], "ghostfill": {"scores": [], "timings": {}}}),
            "lacks what",
            id="figures that are none",
        ),
    ],
)
async def test_an_error_in_a_stream_is_a_refusal_with_its_sentence(answer: bytes, message: str) -> None:
    with pytest.raises(EngineRefusedError, match=message):
        await complete(answer, [])
