"""A chat server in a thread of its own, scripted: OpenAI's /v1/chat/completions as servers speak it.

    with chat_server(lambda messages: "the answer") as server:  # server.url

Other requests of theirs are answered with 404. Knows nothing of who asks.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.fake import in_words

PATIENCE_S = 60
Messages = list[dict[str, str]]


class FakeChatServer:
    """What it says, what it does wrong, and what it was asked. Set attributes before it is asked."""

    def __init__(self, answer: Callable[[Messages], str]) -> None:
        self.url = ""
        self.answer = answer
        """From the messages of a request to the whole answer."""
        self.pieces: Callable[[str], list[str]] = in_words
        """How an answer is cut into events."""
        self.models: list[dict[str, Any]] = [{"id": "instruct", "object": "model"}]
        """What /v1/models lists; others are unknown."""
        self.api_key: str | None = None
        """Without it nobody is answered."""
        self.finish_reason: str | None = "stop"
        """Of the last chunk; None: no chunk says it."""
        self.thought: list[str] = []
        """`reasoning_content` before the answer."""
        self.before: list[Any] = []
        """Events before the first piece: chunks, or text as it goes over the wire."""
        self.after: list[Any] = ["data: [DONE]\n\n"]
        """Likewise, behind the chunk with the finish reason."""
        self.extension: dict[str, Any] | None = None
        """The last chunk's object `ghostfill`."""
        self.replies: dict[str, Response] = {}
        """Instead of the usual ones, by path."""
        self.breaks_after: int | None = None
        """The connection breaks after so many pieces."""
        self.bodies: list[dict[str, Any]] = []
        """Of chat requests, in order."""
        self.headers: list[dict[str, str]] = []
        """Of every request."""
        self.paths: list[str] = []
        self.was_asked = threading.Event()
        """A chat request has come."""
        self.was_left = threading.Event()
        """A client closed its connection before the answer's end."""
        self.num_left = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self._steps: asyncio.Semaphore | None = None

    @property
    def prompts(self) -> list[str]:
        """All text of each chat request."""
        return ["\n".join(str(message["content"]) for message in body["messages"]) for body in self.bodies]

    def hold(self) -> None:
        """From now on each event waits for `let`."""
        self._steps = asyncio.Semaphore(0)

    def let(self, events: int = 1) -> None:
        """Let so many events go, now or when they come."""
        assert self.loop is not None
        assert self._steps is not None
        for _ in range(events):
            self.loop.call_soon_threadsafe(self._steps.release)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/models", self._models),
            Route("/v1/chat/completions", self._chat, methods=["POST"]),
            Route("/{path:path}", self._anything, methods=["GET", "POST"]),
        ]

    async def _anything(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"detail": "Not Found"}, 404)

    async def _models(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse({"object": "list", "data": self.models})

    async def _chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if (refusal := self._refused(request)) is not None:
            return refusal
        self.bodies.append(body)
        self.was_asked.set()
        if body["model"] not in [model["id"] for model in self.models]:
            message = f"The model `{body['model']}` does not exist."
            return JSONResponse({"error": {"message": message, "type": "NotFoundError"}}, 404)
        events = self._events(self.answer(body["messages"]))
        return StreamingResponse(self._paced(events), media_type="text/event-stream")

    def _refused(self, request: Request) -> Response | None:
        self.paths.append(request.url.path)
        self.headers.append(dict(request.headers))
        if self.api_key is not None and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return JSONResponse({"error": {"message": "Invalid API key", "code": 401}}, 401)
        return self.replies.get(request.url.path)

    def _events(self, answer: str) -> Iterator[Any]:
        yield _chunk({"role": "assistant", "content": ""})
        yield from self.before
        for thought in self.thought:
            yield _chunk({"reasoning_content": thought})
        for number, piece in enumerate(self.pieces(answer)):
            if number == self.breaks_after:
                raise ConnectionError("as the test wants it")
            yield _chunk({"content": piece})
        if self.finish_reason is not None:
            last = _chunk({}, self.finish_reason)
            yield last if self.extension is None else last | {"ghostfill": self.extension}
        yield from self.after

    async def _paced(self, events: Iterator[Any]) -> AsyncIterator[str]:
        try:
            yield ": a comment, as servers send while they read a prompt\n\n"
            for event in events:
                if self._steps is not None:
                    await self._steps.acquire()
                yield event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n"
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.num_left += 1
            self.was_left.set()
            raise


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chat-1", "object": "chat.completion.chunk", "model": "instruct", "choices": [choice]}


@contextmanager
def chat_server(
    answer: Callable[[Messages], str] = lambda messages: "An answer.", at: Path | None = None
) -> Iterator[FakeChatServer]:
    """A running server, at `url` or at a Unix socket, until the block ends."""
    fake = FakeChatServer(answer)
    config = uvicorn.Config(
        Starlette(routes=fake.routes()), log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.socket(socket.AF_INET if at is None else socket.AF_UNIX) as listener:
        listener.bind(("127.0.0.1", 0) if at is None else str(at))
        listener.listen()  # from here on connections wait; none is refused
        if at is None:
            fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        is_up = threading.Event()

        async def serve() -> None:
            fake.loop = asyncio.get_running_loop()
            is_up.set()
            await server.serve(sockets=[listener])

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name="fake chat server")
        thread.start()
        assert is_up.wait(PATIENCE_S)
        try:
            yield fake
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server did not shut down"
