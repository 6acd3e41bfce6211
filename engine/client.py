"""An engine over HTTP, seen from a client: health, tokenizer, completions. Cancel is cancelling the task.

Knows the wire; knows neither how an engine is started nor what a prompt means.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.api import (
    MAX_DRAFT_CHARS,
    MAX_DRAFTS,
    Completion,
    CompletionRequest,
    FinishReason,
    TextPiece,
    Timings,
    TokenScore,
)
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.events import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

OnText = Callable[[TextPiece], None]
"""Called with text of a completion as it is decoded, in order."""

ANSWER_SECONDS = 120
"""For a completion: a long prompt on a slow CPU."""
HEALTH_SECONDS = 10
CONNECT_SECONDS = 5
CACHED_SECONDS = 2
"""It is a look at lists of ids: an engine that takes longer hangs."""


@contextmanager
def reaching(failure: str) -> Iterator[None]:
    """What the HTTP client raises becomes EngineUnavailableError, `failure` and why."""
    import httpx2

    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        is_silent = isinstance(error, httpx2.ReadTimeout)
        why = "it said nothing for too long" if is_silent else str(error) or type(error).__name__
        raise EngineUnavailableError(f"{failure} ({why})") from error


class EngineClient:
    """One engine at a Unix socket or a URL. Not bound to an event loop until its first request."""

    def __init__(
        self, *, socket: Path | None = None, url: str | None = None, api_key: str | None = None
    ) -> None:
        self._socket = socket
        self._url = (url or "http://engine").rstrip("/")
        # As bytes: a key may hold any character.
        self._headers = {b"authorization": b"Bearer " + api_key.strip().encode()} if api_key else {}
        self._http: httpx2.AsyncClient | None = None

    @property
    def address(self) -> str:
        """For messages: where the engine is expected."""
        return str(self._socket) if self._socket else self._url

    async def health(self) -> dict[str, Any]:
        """What the engine is and whether it is ready; raises EngineUnavailableError."""
        return self._object(await self._send("GET", "/health", HEALTH_SECONDS))

    async def tokenizer_json(self) -> str:
        """The text of the engine's tokenizer.json; raises EngineUnavailableError."""
        return (await self._send("GET", "/tokenizer.json", HEALTH_SECONDS)).text

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Run one request; raises EngineUnavailableError or EngineRefusedError.

        Cancelling the awaiting task closes the connection, which stops the engine's work on it. `on_text` is
        told the text as it is decoded; of several answers the first, when all are there.
        """
        if on_text is not None and request.num_answers == 1:
            return await self._stream(request, on_text)
        response = await self._send("POST", "/v1/completions", ANSWER_SECONDS, to_body(request))
        completion = from_answer(self._object(response))
        if on_text is not None and completion.text:
            on_text(TextPiece(completion.text, completion.scores))
        return completion

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int:
        """How many leading tokens of a prompt are in a slot now; raises as `complete` does."""
        body = {"prompt": list(prompt_ids)}
        answer = self._object(await self._send("POST", "/v1/cached", CACHED_SECONDS, body))
        tokens = answer.get("tokens")
        if type(tokens) is not int:
            raise EngineRefusedError(f"{self.address} does not say what it has cached: {answer!r:.100}")
        return tokens

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()

    async def _send(
        self, method: str, path: str, seconds: float, body: dict[str, Any] | None = None
    ) -> httpx2.Response:
        with reaching(f"no engine answers at {self.address}"):
            response = await self._client().request(
                method, self._url + path, json=body, timeout=_timeout(seconds)
            )
        if response.status_code != 200:
            raise self._refusal(response)
        return response

    async def _stream(self, request: CompletionRequest, on_text: OnText) -> Completion:
        """The completion of a streamed answer, whose last event holds the figures."""
        completion: Completion | None = None
        told = ""
        # To the very end, so that the connection can be used again.
        async with aclosing(self._events(to_body(request) | {"stream": True})) as events:
            async for data in events:
                if data != "[DONE]":
                    piece, figures = _piece(data, len(told))
                    told += piece.text
                    if piece.text:
                        on_text(piece)
                    if figures is not None:
                        completion = replace(figures, text=told)
        if completion is None:
            raise EngineUnavailableError(f"the answer of {self.address} broke off")
        return completion

    async def _events(self, body: dict[str, Any]) -> AsyncGenerator[str]:
        """The data of a streamed answer's events."""
        with reaching(f"no engine answers at {self.address}"):
            async with self._client().stream(
                "POST", self._url + "/v1/completions", json=body, timeout=_timeout(ANSWER_SECONDS)
            ) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise self._refusal(response)
                async for data in read_events(response.aiter_bytes()):
                    yield data

    def _client(self) -> httpx2.AsyncClient:
        if self._http is None:
            import httpx2

            # trust_env off: a proxy from the environment must not see code.
            transport = httpx2.AsyncHTTPTransport(uds=str(self._socket)) if self._socket else None
            self._http = httpx2.AsyncClient(transport=transport, headers=self._headers, trust_env=False)
        return self._http

    def _refusal(self, response: httpx2.Response) -> EngineUnavailableError:
        try:
            message = str(response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            message = f"{self.address} answered with status {response.status_code}"
        # 503: it is still loading, or loading again after somebody restarted it.
        return EngineUnavailableError(message) if response.status_code == 503 else EngineRefusedError(message)

    def _object(self, response: httpx2.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise EngineRefusedError(f"{self.address} is no ghostfill engine: its answer is not an object")
        return answer


def to_body(request: CompletionRequest) -> dict[str, Any]:
    """The JSON body for a request."""
    extension: dict[str, Any] = {
        "document": request.document,
        "max_ms": request.max_ms,
        "priority": str(request.priority),
        "heal": request.heal or None,
        "drafts": [text[:MAX_DRAFT_CHARS] for text in request.drafts[:MAX_DRAFTS]] or None,
    }
    if request.stop_rules is not None:
        extension["stop_rules"] = asdict(request.stop_rules)
    return {
        "prompt": list(request.prompt_ids),
        "max_tokens": request.max_tokens,
        "stop": list(request.stop),
        "n": request.num_answers,
        "temperature": 0,
        "ghostfill": {key: value for key, value in extension.items() if value is not None},
    }


def from_answer(answer: Mapping[str, Any]) -> Completion:
    """The completion in an answer; raises EngineRefusedError if it is not one."""
    try:
        extension, (first, *others) = answer["ghostfill"], answer["choices"]
        further = zip(others, extension.get("alternatives", ()), strict=True)
        return replace(
            _one_answer(first, extension),
            timings=Timings(**extension["timings"]),
            alternatives=tuple(_one_answer(choice, figures) for choice, figures in further),
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise EngineRefusedError(f"the engine's answer lacks what ghostfill needs ({error!r})") from error


def _one_answer(choice: Mapping[str, Any], figures: Mapping[str, Any]) -> Completion:
    return Completion(
        text=str(choice["text"]),
        finish_reason=FinishReason(figures["finish_reason"]),
        mean_logprob=figures["mean_logprob"],
        scores=_scores(figures),
        end_logprob=figures["end_logprob"],
    )


def _scores(figures: Mapping[str, Any]) -> tuple[TokenScore, ...]:
    return tuple(TokenScore(int(start), float(logprob)) for start, logprob in figures["scores"])


def _piece(data: str, num_told: int) -> tuple[TextPiece, Completion | None]:
    """An event's piece of text behind what was told and, of the last one, the completion without its text.

    Raises EngineUnavailableError if it is broken.
    """
    try:
        event = json.loads(data)
        if "error" in event:
            raise EngineRefusedError(str(event["error"]["message"]))
        figures = event["ghostfill"]
        scores = tuple(score for score in _scores(figures) if score.start >= num_told)
        piece = TextPiece(str(event["choices"][0]["text"]), scores)
        return piece, None if figures.keys() == {"scores"} else from_answer(event)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineUnavailableError(f"the engine streams what is no completion ({error!r})") from error


def _timeout(seconds: float) -> httpx2.Timeout:
    import httpx2

    return httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
