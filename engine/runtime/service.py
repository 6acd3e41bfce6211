"""The engine's HTTP routes: OpenAI's completions, health, metrics and the tokenizer, over one resident model.

Knows requests and the loaded model; knows no workspaces. Cancel is the client closing its connection.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.api import Completion, CompletionRequest, TextPiece
from engine.errors import GhostfillError
from engine.runtime.mailbox import Job, Outcome
from engine.runtime.metrics import PROMETHEUS_TYPE, to_prometheus
from engine.runtime.resident import ResidentModel
from engine.runtime.sink import AlternativeTexts, TextSink
from engine.runtime.wire import parse_completion, to_openai
from engine.stopping import Stopper

log = logging.getLogger("ghostfill.engine")
TELL_SECONDS = 0.02
"""Text is told no more often, but for line ends: to wake the loop for each token slows the model's thread."""


def create_app(resident: ResidentModel, api_key: str | None = None) -> Starlette:
    """The ASGI application around a model that may still be loading."""
    service = _Service(resident, api_key)
    return Starlette(
        routes=[
            Route("/health", service.health),
            Route("/metrics", service.metrics),
            Route("/tokenizer.json", service.tokenizer),
            Route("/v1/models", service.models),
            Route("/v1/completions", service.completions, methods=["POST"]),
            Route("/v1/cached", service.cached, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error},
    )


class _Service:
    def __init__(self, resident: ResidentModel, api_key: str | None) -> None:
        self._resident = resident
        self._authorization = None if api_key is None else f"Bearer {api_key}".encode()

    async def health(self, request: Request) -> Response:
        self._check_key(request)
        return JSONResponse(self._resident.health())

    async def metrics(self, request: Request) -> Response:
        self._check_key(request)
        return PlainTextResponse(to_prometheus(self._resident.figures()), media_type=PROMETHEUS_TYPE)

    async def tokenizer(self, request: Request) -> Response:
        self._check_key(request)
        tokenizer = self._resident.tokenizer
        if tokenizer is None:
            raise self._not_ready()
        return PlainTextResponse(tokenizer.source, media_type="application/json")

    async def models(self, request: Request) -> Response:
        self._check_key(request)
        entry = {"id": self._resident.name, "object": "model", "owned_by": "ghostfill"}
        return JSONResponse({"object": "list", "data": [entry]})

    async def cached(self, request: Request) -> Response:
        """Looks only: no slot moves, no pass runs, and the engine's idle time goes on."""
        self._check_key(request)
        if self._resident.worker is None:
            raise self._not_ready()
        wanted, _ = await self._parsed(request)
        return JSONResponse({"tokens": self._resident.worker.cached_tokens(wanted.prompt_ids)})

    async def completions(self, request: Request) -> Response:
        self._check_key(request)
        if self._resident.worker is None:
            raise self._not_ready()
        wanted, is_stream = await self._parsed(request)
        if self._resident.options.log_prompts and self._resident.tokenizer is not None:
            log.info("prompt %r", self._resident.tokenizer.decode(wanted.prompt_ids))
        run = _Run(self._resident, wanted, is_stream=is_stream)
        if is_stream:
            return StreamingResponse(run.events(request), media_type="text/event-stream")
        return await run.answer(request)

    async def _parsed(self, request: Request) -> tuple[CompletionRequest, bool]:
        try:
            return parse_completion(await request.body(), self._resident)
        except GhostfillError as error:
            raise HTTPException(400, str(error)) from error
        except ClientDisconnect as error:
            raise HTTPException(499) from error  # nobody is there to read it

    def _not_ready(self) -> HTTPException:
        return HTTPException(503, self._resident.message or "the model is still loading")

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode("latin-1")
        if self._authorization is not None and not hmac.compare_digest(given, self._authorization):
            raise HTTPException(401, "a valid API key is needed: set engine.apiKeyEnv")


class _Run:
    """One completion on its way through the worker, watched for the client's leaving."""

    def __init__(self, resident: ResidentModel, wanted: CompletionRequest, *, is_stream: bool) -> None:
        assert resident.tokenizer is not None
        self._resident = resident
        self._id = f"cmpl-{uuid.uuid4().hex}"
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[TextPiece | Outcome] = asyncio.Queue()
        tokenizer = resident.tokenizer

        def new_sink(on_text: Callable[[TextPiece], None] | None = None) -> TextSink:
            return TextSink(tokenizer, Stopper(wanted.stop_rules, wanted.stop), on_text, wanted.heal)

        self._held: list[TextPiece] = []
        self._told_at = 0.0
        self._sink = new_sink(self._put_text if is_stream else None)
        self._others = AlternativeTexts(self._sink, new_sink, wanted.num_answers - 1)
        first, *others = wanted.drafts or ("",)
        # The first is what the model may say from its start on, and it says what is healed before.
        drafts = (wanted.heal + first if first else "", *others)
        draft_ids = tuple(tuple(tokenizer.encode(text)) for text in drafts)
        self._job = Job(wanted, self._sink, self._put, threading.Event(), self._others, draft_ids)

    async def answer(self, request: Request) -> Response:
        """One JSON object at the end."""
        async with aclosing(self._results(request)) as results:
            async for item in results:
                if isinstance(item, Outcome):
                    if item.error is not None:
                        raise HTTPException(500, item.error)
                    return JSONResponse(self._openai(self._completion(item, self._sink.text)))
        return Response(status_code=499)  # nobody is there to read it

    async def events(self, request: Request) -> AsyncGenerator[str]:
        """Server-sent events: text as it is settled, then what was held back and the figures."""
        num_sent = 0
        async with aclosing(self._results(request)) as results:
            async for item in results:
                if isinstance(item, TextPiece):
                    num_sent += len(item.text)
                    yield _event(self._openai(item))
                elif item.error is not None:
                    yield _event(_error_object(500, item.error))
                else:
                    yield _event(self._openai(self._completion(item, self._sink.text[num_sent:])))
        yield "data: [DONE]\n\n"

    async def _results(self, request: Request) -> AsyncGenerator[TextPiece | Outcome]:
        """Submits the job; its texts, then its outcome. Ends early, cancelling it, when the client leaves."""
        worker = self._resident.worker
        assert worker is not None
        gone = asyncio.ensure_future(_wait_for_disconnect(request))
        # By callback, not only when this generator is asked again: a slow reader must not delay the cancel.
        gone.add_done_callback(lambda _: self._job.cancelled.set())
        with self._resident.in_use():
            try:
                worker.submit(self._job)
                is_last = False
                while not is_last:
                    item = asyncio.ensure_future(self._items.get())
                    await asyncio.wait((gone, item), return_when=asyncio.FIRST_COMPLETED)
                    if not item.done():
                        item.cancel()
                        return
                    is_last = isinstance(item.result(), Outcome)
                    yield item.result()
            finally:
                gone.cancel()

    def _put_text(self, piece: TextPiece) -> None:
        """Called in the model's thread; what is held at the end comes with the outcome."""
        self._held.append(piece)
        now = time.monotonic()
        if "\n" in piece.text or now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            scores = tuple(score for each in self._held for score in each.scores)
            self._put(TextPiece("".join(each.text for each in self._held), scores))
            self._held.clear()

    def _put(self, item: TextPiece | Outcome) -> None:
        """Called in the model's thread."""
        with suppress(RuntimeError):  # the loop is closed: the engine is going down
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    def _completion(self, outcome: Outcome, text: str) -> Completion:
        return Completion(
            text=text,
            finish_reason=outcome.finish_reason,
            timings=outcome.timings,
            mean_logprob=self._sink.mean_logprob,
            scores=self._sink.scores,
            end_logprob=self._sink.end_logprob if outcome.end_logprob is None else outcome.end_logprob,
            alternatives=tuple(self._others.completions),
        )

    def _openai(self, part: TextPiece | Completion) -> dict[str, Any]:
        return to_openai(self._id, self._resident.name, part)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _http_error(request: Request, error: Exception) -> Response:
    """Every error in OpenAI's shape."""
    assert isinstance(error, HTTPException)
    return JSONResponse(_error_object(error.status_code, error.detail), status_code=error.status_code)


def _error_object(status: int, message: str) -> dict[str, Any]:
    kinds = {401: "authentication_error", 500: "engine_error", 503: "unavailable"}
    return {"error": {"message": message, "type": kinds.get(status, "invalid_request_error")}}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
