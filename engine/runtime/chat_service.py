"""`POST /v1/chat/completions`: waits for the chat model, then for its answer, and says something meanwhile.

Knows requests and chat models; knows no workspaces. Cancel is the client closing its connection.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from engine.api import ChatRequest, Completion, CompletionRequest, Priority, Role, TextPiece
from engine.errors import GhostfillError
from engine.runtime.chat_model import ChatBusyError, ChatModel, Stay, UnknownChatModelError
from engine.runtime.chat_wire import ChatAnswers, ChatBody, parse_chat
from engine.runtime.client_job import ClientJob, watched
from engine.runtime.http_shapes import DONE, GONE, error_object, event
from engine.runtime.json_body import BadRequestError
from engine.runtime.mailbox import Outcome
from engine.runtime.resident import ResidentModel

log = logging.getLogger("ghostfill.engine")
LOADING_SECONDS = 0.5
"""So often a stream tells how much of the model is loaded."""
SILENT_SECONDS = 5.0
"""A stream says nothing for no longer, so that nobody takes the connection for dead."""


class Loading(NamedTuple):
    """How much of the model is there."""

    fraction: float


Event: TypeAlias = "Loading | TextPiece | Completion | None"
"""What comes on the way to an answer, which is the last; None says that it takes its time."""


class ChatService:
    """Chat over the models that one engine has."""

    def __init__(self, resident: ResidentModel) -> None:
        self._resident = resident

    async def answer(self, request: Request) -> Response:
        """The response to a request whose key is right, the completion model being ready."""
        try:
            body = parse_chat(await request.body())
            name = self._resident.chat.check(body.model)
        except (BadRequestError, UnknownChatModelError) as error:
            raise _http(error) from error
        except ClientDisconnect as error:
            raise HTTPException(GONE) from error
        answers = ChatAnswers(f"chatcmpl-{uuid.uuid4().hex}", name)
        if body.is_stream:
            stream = self._stream(request, body, answers)
            return StreamingResponse(stream, media_type="text/event-stream")
        async with aclosing(self._events(request, body)) as events:
            async for item in events:
                if isinstance(item, Completion):
                    return JSONResponse(answers.whole(item))
        return Response(status_code=GONE)

    async def _stream(self, request: Request, body: ChatBody, answers: ChatAnswers) -> AsyncGenerator[str]:
        num_sent = 0
        yield event(answers.piece(role=Role.ASSISTANT))
        try:
            async with aclosing(self._events(request, body)) as events:
                async for item in events:
                    if isinstance(item, Completion):
                        yield event(answers.last(item, item.text[num_sent:]))
                    elif isinstance(item, TextPiece):
                        num_sent += len(item.text)
                        yield event(answers.piece(item.text))
                    else:
                        yield event(answers.piece() if item is None else answers.loading(item.fraction))
        except HTTPException as error:
            yield event(error_object(error))
        yield DONE

    async def _events(self, request: Request, body: ChatBody) -> AsyncGenerator[Event]:
        """Ends early when the client leaves; raises HTTPException where there is no answer."""
        with watched(request) as gone, self._resident.in_use():
            try:
                with self._resident.chat.use(body.model) as stay:
                    loaded = asyncio.wrap_future(stay.loaded)
                    while not stay.loaded.done() and not gone.done():
                        yield Loading(stay.progress)
                        await asyncio.wait(
                            (loaded, gone), timeout=LOADING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                        )
                    if gone.done():
                        return
                    job = await self._job(_ready(stay), body)
                    async with aclosing(self._results(job, gone)) as results:
                        async for item in results:
                            yield item
            except GhostfillError as error:
                raise _http(error) from error

    async def _job(self, model: ChatModel, body: ChatBody) -> ClientJob:
        # Not on the event loop: a template is a program, and messages may be long.
        ids = await asyncio.to_thread(model.template.encode, body.request.messages)
        if self._resident.options.log_prompts:
            log.info("chat prompt %r", [(str(each.role), each.content) for each in body.request.messages])
        return ClientJob(
            model.tokenizer,
            _to_completion(body.request, ids, model),
            is_stream=body.is_stream,
            lane=model.lane,
            chunk_tokens=model.lane.decoder.polite_chunk_tokens,
        )

    async def _results(
        self, job: ClientJob, gone: asyncio.Future[None]
    ) -> AsyncGenerator[TextPiece | Completion | None]:
        worker = self._resident.worker
        assert worker is not None
        async with aclosing(job.results(worker, gone, SILENT_SECONDS)) as results:
            async for item in results:
                if isinstance(item, Outcome):
                    if item.error is not None:
                        raise HTTPException(500, item.error)
                    yield job.completion(item)
                else:
                    yield item


def _ready(stay: Stay) -> ChatModel:
    if stay.model is None:
        raise HTTPException(500 if stay.is_our_fault else 400, stay.message)
    return stay.model


def _to_completion(request: ChatRequest, ids: list[int], model: ChatModel) -> CompletionRequest:
    """Raises BadRequestError if the prompt leaves no room for an answer."""
    room = model.lane.longest - len(ids)
    if room <= 0:
        raise BadRequestError(
            f"the messages take {len(ids)} tokens, but {model.name} has room for {model.lane.longest} here, "
            "which also hold the answer: send less"
        )
    return CompletionRequest(
        prompt_ids=tuple(ids),
        max_tokens=min(request.max_tokens, room),
        stop=request.stop,
        priority=Priority.CHAT,
    )


def _http(error: GhostfillError) -> HTTPException:
    status = {UnknownChatModelError: 404, ChatBusyError: 503}.get(type(error), 400)
    return HTTPException(status, str(error))
