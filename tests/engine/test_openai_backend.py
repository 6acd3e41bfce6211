"""vLLM, SGLang and their like as backends: the same completions, and every fault is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from engine.api import CompletionRequest, FinishReason, Shape, StopRules, TextPiece
from engine.backends.endpoint import Endpoint
from engine.backends.foreign import ForeignBackend
from engine.backends.openai import OpenAIApi
from engine.errors import EngineRefusedError, EngineUnavailableError, GhostfillError
from engine.runtime.sink import TextSink
from engine.stopping import Stopper
from foreign_http import END_ID, TOKENIZER, VllmServer, logprob_of, serving

PROMPT = tuple(TOKENIZER.encode("def total(items):\n    return "))
SCRIPTS = (
    "sum(items)",
    "sum(item.price for item in items)\n\n\ndef other():\n    pass\n",
    "'😋 naïve 日本語'  # ok\n    y = 1",
    "",
    "a" * 200,
)
RULES = (None, StopRules(line_prefix="    return "), StopRules(Shape.BLOCK, "    return ", max_lines=3))


def request(text: str = "", **more: Any) -> CompletionRequest:
    return CompletionRequest((*PROMPT, *TOKENIZER.encode(text)), **more)


@asynccontextmanager
async def backend_of(server: VllmServer, model: str = "builtin") -> AsyncIterator[ForeignBackend]:
    async with serving(server.routes()) as url:
        backend = ForeignBackend(OpenAIApi(Endpoint(url, "key")), model)
        try:
            yield backend
        finally:
            await backend.close()


@asynccontextmanager
async def ready(server: VllmServer) -> AsyncIterator[ForeignBackend]:
    async with backend_of(server) as backend:
        await backend.ready()
        yield backend


def by_the_sink(
    script: str, rules: StopRules | None, stop: tuple[str, ...]
) -> tuple[TextSink, list[TextPiece]]:
    """The oracle: what our own engine makes of the same tokens."""
    pieces: list[TextPiece] = []
    sink = TextSink(TOKENIZER, Stopper(rules, stop), pieces.append)
    for number, token_id in enumerate(TOKENIZER.encode(script)):
        if sink(token_id, logprob_of(number)):
            break
    return sink, pieces


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("tokens_per_event", [1, 3])
async def test_texts_and_scores_are_those_that_our_engine_would_give(
    rules: StopRules | None, tokens_per_event: int
) -> None:
    server = VllmServer()
    server.tokens_per_event = tokens_per_event
    async with ready(server) as backend:
        for script in SCRIPTS:
            server.script, told = script, []
            sink, _ = by_the_sink(script, rules, ("other",))
            completion = await backend.complete(
                request(max_tokens=500, stop_rules=rules, stop=("other",)), told.append
            )

            assert completion.text == sink.text == "".join(piece.text for piece in told)
            assert completion.scores == sink.scores == tuple(s for piece in told for s in piece.scores)
            if completion.finish_reason is FinishReason.STOP:
                assert completion.end_logprob == sink.end_logprob
                assert completion.mean_logprob == sink.mean_logprob
            else:  # the mark at the end counts too
                assert completion.end_logprob == logprob_of(len(TOKENIZER.encode(script)))


@pytest.mark.parametrize("rules", RULES)
async def test_a_server_that_gives_text_alone_serves_as_well(rules: StopRules | None) -> None:
    server = VllmServer()
    server.gives_ids = server.gives_logprobs = False
    async with ready(server) as backend:
        for script in SCRIPTS:
            server.script = script
            completion = await backend.complete(request(max_tokens=500, stop_rules=rules))

            assert completion.text == by_the_sink(script, rules, ())[0].text
            assert (completion.scores, completion.mean_logprob) == ((), None)


async def test_tokens_of_an_event_without_ids_begin_where_its_text_does() -> None:
    server = VllmServer("one two three four")
    server.gives_ids, server.tokens_per_event = False, 2
    async with ready(server) as backend:
        completion = await backend.complete(request())

    starts = [score.start for score in completion.scores]
    assert starts[0] == 0
    assert starts[::2] == [*dict.fromkeys(starts)]
    assert [score.logprob for score in completion.scores] == [logprob_of(n) for n in range(len(starts))]


async def test_the_server_gets_the_whole_prefix_and_nothing_it_does_not_know() -> None:
    server = VllmServer("x")
    async with ready(server) as backend:
        await backend.complete(
            request(heal="su", document="d", drafts=("sum(items)",), stop=("\n\n",), max_tokens=7)
        )

    (body,) = server.bodies
    assert body["prompt"] == [*PROMPT, *TOKENIZER.encode("su")]
    assert (body["model"], body["max_tokens"], body["temperature"], body["n"]) == ("served", 7, 0, 1)
    assert END_ID in body["stop_token_ids"]
    assert not body.keys() & {"ghostfill", "stop", "document", "priority", "suffix"}


async def test_a_stop_rule_ends_the_servers_work() -> None:
    server = VllmServer("one\ntwo\nthree\n")
    server.steps = asyncio.Semaphore(3)
    async with ready(server) as backend:
        completion = await backend.complete(request(stop_rules=StopRules()))
        await server.was_left.wait()

    assert (completion.text, completion.finish_reason) == ("one", FinishReason.STOP)
    assert server.num_sent <= 3


async def test_cancelling_ends_the_servers_work() -> None:
    server = VllmServer("one two three")
    server.steps = asyncio.Semaphore(1)
    has_begun = asyncio.Event()
    async with ready(server) as backend:
        task = asyncio.ensure_future(backend.complete(request(), lambda piece: has_begun.set()))
        await has_begun.wait()
        task.cancel()
        await server.was_left.wait()
        with pytest.raises(asyncio.CancelledError):
            await task

        server.steps = None
        assert (await backend.complete(request())).text == "one two three"


async def test_at_the_deadline_there_is_what_came_until_then() -> None:
    server = VllmServer("one two three")
    server.steps = asyncio.Semaphore(1)
    async with ready(server) as backend:
        completion = await backend.complete(request(max_ms=400))
        await server.was_left.wait()

    assert completion.finish_reason is FinishReason.DEADLINE
    assert completion.text == TOKENIZER.decode(TOKENIZER.encode("one two three")[:1])


async def test_at_the_budget_the_answer_ends() -> None:
    async with ready(VllmServer("one two three four five")) as backend:
        completion = await backend.complete(request(max_tokens=2))

    assert completion.finish_reason is FinishReason.BUDGET
    assert completion.timings.decoded_tokens == 2
    assert completion.timings.prompt_tokens == len(PROMPT)


async def test_no_token_is_asked_for_to_read_ahead() -> None:
    server = VllmServer("x")
    async with ready(server) as backend:
        completion = await backend.complete(request(max_tokens=0))

    assert (completion.text, server.bodies) == ("", [])


async def test_further_answers_are_drawn_at_random_and_differ_from_the_likeliest() -> None:
    server = VllmServer("one")
    server.samples = ["two\nx", " one\nx", "two \nx"]
    async with ready(server) as backend:
        completion = await backend.complete(request(num_answers=4, stop_rules=StopRules()))

    assert completion.text == "one"
    assert [each.text for each in completion.alternatives] == ["two"]
    assert [(body["n"], body["temperature"] > 0) for body in server.bodies] == [(1, False), (3, True)]


async def test_a_refusal_of_further_answers_leaves_the_first() -> None:
    server = VllmServer("one")
    server.max_n = 1
    async with ready(server) as backend:
        completion = await backend.complete(request(num_answers=3))

    assert (completion.text, completion.alternatives) == ("one", ())


async def test_of_several_models_the_setting_names_one() -> None:
    server = VllmServer()
    server.models = [{"id": "a", "root": "org/a"}, {"id": "b", "root": "builtin", "max_model_len": 512}]
    async with backend_of(server) as backend:
        info = await backend.ready()
        assert (info.model, info.context_length) == ("b", 512)

        server.models[1]["root"] = "org/b"
        backend.forget()
        with pytest.raises(EngineRefusedError, match="it serves a, b"):
            await backend.ready()


async def test_adapters_beside_a_model_are_not_taken_for_it() -> None:
    server = VllmServer()
    server.models.insert(0, {"id": "lora", "root": "/lora", "parent": "served"})
    async with backend_of(server) as backend:
        assert (await backend.ready()).model == "served"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (JSONResponse({"error": "Unauthorized"}, 401), EngineRefusedError, "Unauthorized; engine.apiKeyEnv"),
        (JSONResponse({"detail": "Not Found"}, 404), EngineRefusedError, "engine.api must say"),
        (JSONResponse({"error": {"message": "too long"}}, 400), EngineRefusedError, "400: too long"),
        (Response("Bad gateway", 502), EngineUnavailableError, "is not ready"),
        (
            Response('data: {"error": {"message": "out of memory"}}\n\n'),
            EngineUnavailableError,
            "out of memory",
        ),
        (Response("data: nonsense\n\n"), EngineUnavailableError, "correct engine.api"),
        (Response("data: [DONE]\n\n"), EngineUnavailableError, "broke off"),
        (
            Response('data: {"choices": [{"text": "", "finish_reason": "abort"}]}\n\n'),
            EngineUnavailableError,
            "abort",
        ),
    ],
)
async def test_a_fault_is_told_in_a_sentence(reply: Response, kind: type[GhostfillError], words: str) -> None:
    server = VllmServer()
    server.replies["/v1/completions"] = reply
    async with ready(server) as backend:
        with pytest.raises(EngineUnavailableError, match=words) as raised:
            await backend.complete(request())

    assert type(raised.value) is kind
