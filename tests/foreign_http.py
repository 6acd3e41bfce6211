"""Servers that are not ours, in the test's own event loop: vLLM and llama.cpp, as they are documented.

They have the built-in tokenizer and say `script`; `steps`, where there is one, is acquired before each event.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.fake import builtin_info

TOKENIZER = builtin_info().tokenizer
FIM = builtin_info().layout.fim
END_ID = TOKENIZER.mark_id(FIM.stops[0])


@asynccontextmanager
async def serving(routes: Sequence[Route]) -> AsyncIterator[str]:
    """The address of a server with these routes, until the block ends."""
    config = uvicorn.Config(
        Starlette(routes=list(routes)), log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # from here on connections wait; none is refused
        task = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def logprob_of(number: int) -> float:
    """Of an answer's n-th token."""
    return -0.25 * (number + 1)


class ScriptedServer:
    """What both kinds have in common."""

    def __init__(self, script: str = "") -> None:
        self.script = script
        self.bodies: list[dict[str, Any]] = []
        self.steps: asyncio.Semaphore | None = None
        self.num_sent = 0
        self.was_left = asyncio.Event()
        """The client closed the connection before the answer's end."""
        self.shift = 0
        """Of all ids, as in another vocabulary."""
        self.replies: dict[str, Response] = {}
        """Instead of the usual ones, by path."""

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def route(self, path: str, answer: Any, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            if path in self.replies:
                return self.replies[path]
            return answer(json.loads(await request.body())) if method == "POST" else answer()

        return Route(path, endpoint, methods=[method])

    def spelled(self, body: dict[str, Any]) -> str:
        return TOKENIZER.decode([token_id + self.shift for token_id in body["tokens"]])

    def ids(self) -> list[int]:
        return [*TOKENIZER.encode(self.script), END_ID]

    def stream(self, events: Iterator[Any]) -> StreamingResponse:
        return StreamingResponse(self._paced(events), media_type="text/event-stream")

    async def _paced(self, events: Iterator[Any]) -> AsyncIterator[str]:
        has_ended = False
        try:
            yield ": a comment, as servers send while they read a prompt\n\n"
            for event in events:
                if self.steps is not None:
                    await self.steps.acquire()
                self.num_sent += 1
                yield f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n"
                await asyncio.sleep(0)
            has_ended = True
        finally:
            if not has_ended:
                self.was_left.set()


class VllmServer(ScriptedServer):
    """vLLM's API server; SGLang's differs in nothing that is asked for here but /detokenize."""

    def __init__(self, script: str = "") -> None:
        super().__init__(script)
        self.models: list[dict[str, Any]] = [{"id": "served", "root": "org/served", "max_model_len": 2048}]
        self.gives_ids = True
        self.gives_logprobs = True
        self.tokens_per_event = 1
        self.samples: list[str] = []
        """Said where random answers are wanted."""
        self.max_n = 8

    def routes(self) -> list[Route]:
        return [
            self.route("/health", Response),
            self.route("/v1/models", lambda: JSONResponse({"object": "list", "data": self.models})),
            self.route("/detokenize", lambda body: JSONResponse({"prompt": self.spelled(body)}), "POST"),
            self.route("/v1/completions", self._complete, "POST"),
        ]

    def _complete(self, body: dict[str, Any]) -> Response:
        self.bodies.append(body)
        if body["model"] not in [entry["id"] for entry in self.models]:
            message = f"The model `{body['model']}` does not exist."
            return JSONResponse({"error": {"message": message, "code": 404}}, 404)
        if body["n"] > 1 and body["temperature"] == 0:
            return JSONResponse({"error": {"message": "n must be 1 when using greedy sampling"}}, 400)
        if body["n"] > self.max_n:
            return JSONResponse({"error": {"message": f"n must be at most {self.max_n}"}}, 400)
        if body["max_tokens"] < 1:
            return JSONResponse({"error": {"message": "max_tokens must be at least 1"}}, 400)
        return self.stream(self._events(body))

    def _events(self, body: dict[str, Any]) -> Iterator[Any]:
        for index in range(body["n"]):
            self.script = self.samples[index] if body["temperature"] else self.script
            yield from self._answer(index, body)
        yield "[DONE]"

    def _answer(self, index: int, body: dict[str, Any]) -> Iterator[Any]:
        ids = self.ids()
        is_cut = len(ids) > body["max_tokens"]
        ids, told = ids[: body["max_tokens"]], ""
        for start in range(0, len(ids), self.tokens_per_event):
            stop = min(start + self.tokens_per_event, len(ids))
            text = TOKENIZER.decode(ids[:stop]).rstrip("\ufffd")
            choice: dict[str, Any] = {"index": index, "text": text[len(told) :], "finish_reason": None}
            told = text
            if stop == len(ids):
                choice["finish_reason"] = "length" if is_cut else "stop"
            if self.gives_ids and body["return_token_ids"]:
                choice["token_ids"] = ids[start:stop]
            if self.gives_logprobs and body["logprobs"]:
                choice["logprobs"] = {"token_logprobs": [logprob_of(n) for n in range(start, stop)]}
            yield {"object": "text_completion", "model": body["model"], "choices": [choice]}


class LlamaServer(ScriptedServer):
    """llama.cpp's llama-server."""

    def __init__(self, script: str = "") -> None:
        super().__init__(script)
        self.num_loading = 0
        """Times that /health still says so."""
        self.props: dict[str, Any] = {
            "model_alias": "model.gguf",
            "model_path": "/models/model.gguf",
            "total_slots": 2,
            "default_generation_settings": {"n_ctx": 1024},
        }
        self.num_cached = 5

    def routes(self) -> list[Route]:
        return [
            self.route("/health", self._health),
            self.route("/props", lambda: JSONResponse(self.props)),
            self.route(
                "/v1/models", lambda: JSONResponse({"object": "list", "data": [{"id": "model.gguf"}]})
            ),
            self.route("/detokenize", lambda body: JSONResponse({"content": self.spelled(body)}), "POST"),
            self.route("/completion", self._complete, "POST"),
        ]

    def _health(self) -> Response:
        if self.num_loading:
            self.num_loading -= 1
            error = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
            return JSONResponse({"error": error}, 503)
        return JSONResponse({"status": "ok"})

    def _complete(self, body: dict[str, Any]) -> Response:
        self.bodies.append(body)
        return self.stream(self._events(body))

    def _events(self, body: dict[str, Any]) -> Iterator[Any]:
        ids = self.ids()
        is_cut = len(ids) > body["n_predict"]
        ids = ids[: body["n_predict"]]
        timings = {"cache_n": self.num_cached, "prompt_n": len(body["prompt"]) - self.num_cached}
        told = ""
        for number, token_id in enumerate(ids):
            text = TOKENIZER.decode(ids[: number + 1])
            if text.endswith("\ufffd"):
                continue  # an event holds whole characters, of the last token alone it says more
            yield {
                "content": text[len(told) :],
                "tokens": [token_id],
                "stop": False,
                "completion_probabilities": [{"logprob": logprob_of(number)}] if body["n_probs"] else [],
                "timings": timings,
            }
            told = text
        yield {
            "content": "",
            "tokens": [],
            "stop": True,
            "stop_type": "limit" if is_cut else "eos",
            "timings": timings,
        }
