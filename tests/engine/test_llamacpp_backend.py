"""llama.cpp's server as a backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from engine.api import CompletionRequest, FinishReason, Shape, StopRules
from engine.backends import llamacpp
from engine.backends.endpoint import Endpoint
from engine.backends.foreign import ForeignBackend
from engine.backends.llamacpp import LlamaCppApi
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.stopping import Stopper
from foreign_http import END_ID, TOKENIZER, LlamaServer, logprob_of, serving

PROMPT = tuple(TOKENIZER.encode("def total(items):\n    return "))


@asynccontextmanager
async def backend_of(server: LlamaServer) -> AsyncIterator[ForeignBackend]:
    async with serving(server.routes()) as url:
        backend = ForeignBackend(LlamaCppApi(Endpoint(url)), "builtin")
        try:
            yield backend
        finally:
            await backend.close()


@pytest.mark.parametrize("rules", [None, StopRules(Shape.BLOCK, "    return ", max_lines=2)])
@pytest.mark.parametrize("script", ["sum(items)", "'😋 naïve 日本語'\n    y = 1\n    z = 2\n", ""])
async def test_the_answer_is_the_stream_up_to_where_the_stop_rules_cut_it(
    rules: StopRules | None, script: str
) -> None:
    told: list[str] = []
    stopper = Stopper(rules)  # the oracle: character by character
    is_stopped = any(stopper.feed(char) for char in script)
    async with backend_of(LlamaServer(script)) as backend:
        await backend.ready()
        completion = await backend.complete(
            CompletionRequest(PROMPT, stop_rules=rules), lambda piece: told.append(piece.text)
        )

    assert completion.text == "".join(told) == stopper.text
    assert completion.finish_reason is (FinishReason.STOP if is_stopped else FinishReason.EOS)
    if not is_stopped:
        ids = TOKENIZER.encode(script)
        whole = [n for n in range(len(ids)) if not TOKENIZER.decode(ids[: n + 1]).endswith("\ufffd")]
        assert [score.logprob for score in completion.scores] == [logprob_of(n) for n in whole]
        assert completion.end_logprob == logprob_of(len(ids))


async def test_the_prompt_is_sent_whole_as_ids_to_be_kept_in_a_slot() -> None:
    server = LlamaServer("x")
    async with backend_of(server) as backend:
        await backend.ready()
        completion = await backend.complete(
            CompletionRequest(PROMPT, heal="su", document="d", drafts=("sum",), num_answers=3, max_tokens=9)
        )

    (body,) = server.bodies
    assert body["prompt"] == [*PROMPT, *TOKENIZER.encode("su")]
    assert (body["n_predict"], body["cache_prompt"], body["top_k"]) == (9, True, 1)
    assert completion.alternatives == ()
    assert completion.timings.reused_tokens == server.num_cached
    assert completion.timings.prefilled_tokens == len(body["prompt"]) - server.num_cached


async def test_without_tokens_the_prompt_is_read_ahead() -> None:
    server = LlamaServer("x")
    async with backend_of(server) as backend:
        await backend.ready()
        completion = await backend.complete(CompletionRequest(PROMPT, max_tokens=0))

    assert (completion.text, completion.finish_reason) == ("", FinishReason.BUDGET)
    assert [(body["prompt"], body["n_predict"]) for body in server.bodies] == [([*PROMPT], 0)]


async def test_a_mark_that_the_server_does_not_know_as_an_end_is_one() -> None:
    server = LlamaServer()
    server.ids = lambda: [*TOKENIZER.encode("one"), END_ID, *TOKENIZER.encode(" two")]  # type: ignore[method-assign]
    async with backend_of(server) as backend:
        await backend.ready()
        completion = await backend.complete(CompletionRequest(PROMPT))

    assert (completion.text, completion.finish_reason) == ("one", FinishReason.EOS)


async def test_cancelling_ends_the_servers_work() -> None:
    server = LlamaServer("one two three")
    server.steps = asyncio.Semaphore(1)
    has_begun = asyncio.Event()
    async with backend_of(server) as backend:
        await backend.ready()
        task = asyncio.ensure_future(
            backend.complete(CompletionRequest(PROMPT), lambda piece: has_begun.set())
        )
        await has_begun.wait()
        task.cancel()
        await server.was_left.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_model_that_loads_is_waited_for_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamacpp, "POLL_SECONDS", 0)
    server = LlamaServer()
    server.num_loading = 3
    told: list[str] = []
    async with backend_of(server) as backend:
        info = await backend.ready(lambda fraction, message: told.append(message))

    assert len(told) == 3
    assert (info.model, info.context_length, info.layout.fim.context_length) == ("model.gguf", 1024, 1024)


async def test_a_gateway_without_a_server_behind_it_is_not_waited_for() -> None:
    server = LlamaServer()
    server.replies["/health"] = Response("no upstream", 503)
    async with backend_of(server) as backend:
        with pytest.raises(EngineUnavailableError, match="is not ready"):
            await backend.ready()


@pytest.mark.parametrize(
    ("path", "reply", "words"),
    [
        (
            "/props",
            JSONResponse({"error": {"message": "Invalid API Key"}}, 401),
            "Invalid API Key; engine.apiKeyEnv",
        ),
        ("/props", JSONResponse({"detail": "Not Found"}, 404), "has no /props.*engine.api"),
        ("/props", JSONResponse({"role": "router"}), "no llama-server with a model.*-m FILE.gguf"),
        ("/props", Response("<html>"), "no JSON object"),
    ],
)
async def test_what_is_no_llama_server_is_told_in_a_sentence(path: str, reply: Response, words: str) -> None:
    server = LlamaServer()
    server.replies[path] = reply
    async with backend_of(server) as backend:
        with pytest.raises(EngineRefusedError, match=words):
            await backend.ready()


async def test_another_vocabulary_is_refused() -> None:
    server = LlamaServer()
    server.shift = 7
    async with backend_of(server) as backend:
        with pytest.raises(EngineRefusedError, match="another vocabulary than 'builtin'"):
            await backend.ready()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ('{"error": {"code": 500, "message": "context is full"}}', "context is full"),
        ('{"choices": []}', "ended its answer with an error"),
        ("nothing", "correct engine.api"),
    ],
)
async def test_a_stream_that_is_no_completion_is_told(event: str, words: str) -> None:
    server = LlamaServer()
    server._events = lambda body: iter([event])  # type: ignore[method-assign]
    async with backend_of(server) as backend:
        await backend.ready()
        with pytest.raises(EngineUnavailableError, match=words):
            await backend.complete(CompletionRequest(PROMPT))


async def test_a_prompt_that_does_not_fit_is_refused_with_the_servers_words() -> None:
    server = LlamaServer()
    error: dict[str, Any] = {"code": 400, "message": "exceeds the available context size"}
    server.replies["/completion"] = JSONResponse({"error": error}, 400)
    async with backend_of(server) as backend:
        await backend.ready()
        with pytest.raises(EngineRefusedError, match="400: exceeds the available context size"):
            await backend.complete(CompletionRequest(PROMPT))
