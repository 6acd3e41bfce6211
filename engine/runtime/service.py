"""The engine's HTTP routes: OpenAI's completions, health, metrics and the tokenizer, over one resident model.

Knows requests and the loaded model; knows no workspaces, and of chat only the route. Cancel is the client
closing its connection.
"""

from __future__ import annotations

import hmac
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.api import Completion, CompletionRequest, TextPiece
from engine.errors import GhostfillError
from engine.runtime.chat_service import ChatService
from engine.runtime.client_job import ClientJob, watched
from engine.runtime.http_shapes import DONE, GONE, error_object, event, http_error
from engine.runtime.mailbox import Outcome
from engine.runtime.metrics import PROMETHEUS_TYPE, to_prometheus
from engine.runtime.resident import ResidentModel
from engine.runtime.wire import parse_completion, to_openai

log = logging.getLogger("ghostfill.engine")


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
            Route("/v1/chat/completions", service.chat, methods=["POST"]),
        ],
        exception_handlers={HTTPException: http_error},
    )


class _Service:
    def __init__(self, resident: ResidentModel, api_key: str | None) -> None:
        self._resident = resident
        self._chat = ChatService(resident)
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
        return JSONResponse({"object": "list", "data": self._resident.models()})

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

    async def chat(self, request: Request) -> Response:
        self._check_key(request)
        if self._resident.worker is None:
            raise self._not_ready()
        return await self._chat.answer(request)

    async def _parsed(self, request: Request) -> tuple[CompletionRequest, bool]:
        try:
            return parse_completion(await request.body(), self._resident)
        except GhostfillError as error:
            raise HTTPException(400, str(error)) from error
        except ClientDisconnect as error:
            raise HTTPException(GONE) from error  # nobody is there to read it

    def _not_ready(self) -> HTTPException:
        return HTTPException(503, self._resident.message or "the model is still loading")

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode("latin-1")
        if self._authorization is not None and not hmac.compare_digest(given, self._authorization):
            raise HTTPException(401, "a valid API key is needed: set engine.apiKeyEnv")


class _Run:
    """One completion and its answer."""

    def __init__(self, resident: ResidentModel, wanted: CompletionRequest, *, is_stream: bool) -> None:
        assert resident.tokenizer is not None
        self._resident = resident
        self._id = f"cmpl-{uuid.uuid4().hex}"
        self._job = ClientJob(resident.tokenizer, wanted, is_stream=is_stream)

    async def answer(self, request: Request) -> Response:
        """One JSON object at the end."""
        async with aclosing(self._results(request)) as results:
            async for item in results:
                if isinstance(item, Outcome):
                    if item.error is not None:
                        raise HTTPException(500, item.error)
                    return JSONResponse(self._openai(self._job.completion(item)))
        return Response(status_code=GONE)

    async def events(self, request: Request) -> AsyncGenerator[str]:
        """Server-sent events: text as it is settled, then what was held back and the figures."""
        num_sent = 0
        async with aclosing(self._results(request)) as results:
            async for item in results:
                if isinstance(item, TextPiece):
                    num_sent += len(item.text)
                    yield event(self._openai(item))
                elif item.error is not None:
                    yield event(error_object(HTTPException(500, item.error)))
                else:
                    whole = self._job.completion(item)
                    yield event(self._openai(replace(whole, text=whole.text[num_sent:])))
        yield DONE

    async def _results(self, request: Request) -> AsyncGenerator[TextPiece | Outcome]:
        worker = self._resident.worker
        assert worker is not None
        with watched(request) as gone, self._resident.in_use():
            async with aclosing(self._job.results(worker, gone)) as results:
                async for item in results:
                    if item is not None:
                        yield item

    def _openai(self, part: TextPiece | Completion) -> dict[str, Any]:
        return to_openai(self._id, self._resident.name, part)
