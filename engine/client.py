"""An engine over HTTP, seen from a client: health, tokenizer, completions. Cancel is cancelling the task.

Knows the wire; knows neither how an engine is started nor what a prompt means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.api import Completion, CompletionRequest, FinishReason, Timings
from engine.errors import EngineRefusedError, EngineUnavailableError

if TYPE_CHECKING:
    import httpx2

ANSWER_SECONDS = 120
"""For a completion: a long prompt on a slow CPU."""
HEALTH_SECONDS = 10
CONNECT_SECONDS = 5
CACHED_SECONDS = 2
"""It is a look at lists of ids: an engine that takes longer hangs."""


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

    async def complete(self, request: CompletionRequest) -> Completion:
        """Run one request; raises EngineUnavailableError or EngineRefusedError.

        Cancelling the awaiting task closes the connection, which stops the engine's work on it.
        """
        response = await self._send("POST", "/v1/completions", ANSWER_SECONDS, to_body(request))
        return from_answer(self._object(response))

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
        import httpx2

        timeout = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        try:
            response = await self._client().request(method, self._url + path, json=body, timeout=timeout)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            why = str(error) or type(error).__name__
            raise EngineUnavailableError(f"no engine answers at {self.address} ({why})") from error
        if response.status_code == 200:
            return response
        message = self._refusal(response)
        # 503: it is still loading, or loading again after somebody restarted it.
        raise (EngineUnavailableError if response.status_code == 503 else EngineRefusedError)(message)

    def _client(self) -> httpx2.AsyncClient:
        if self._http is None:
            import httpx2

            # trust_env off: a proxy from the environment must not see code.
            transport = httpx2.AsyncHTTPTransport(uds=str(self._socket)) if self._socket else None
            self._http = httpx2.AsyncClient(transport=transport, headers=self._headers, trust_env=False)
        return self._http

    def _refusal(self, response: httpx2.Response) -> str:
        try:
            return str(response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return f"{self.address} answered with status {response.status_code}"

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
    extension: dict[str, Any] = {"document": request.document, "max_ms": request.max_ms}
    if request.stop_rules is not None:
        extension["stop_rules"] = asdict(request.stop_rules)
    return {
        "prompt": list(request.prompt_ids),
        "max_tokens": request.max_tokens,
        "stop": list(request.stop),
        "temperature": 0,
        "ghostfill": {key: value for key, value in extension.items() if value is not None},
    }


def from_answer(answer: Mapping[str, Any]) -> Completion:
    """The completion in an answer; raises EngineRefusedError if it is not one."""
    try:
        extension = answer["ghostfill"]
        return Completion(
            text=str(answer["choices"][0]["text"]),
            finish_reason=FinishReason(extension["finish_reason"]),
            timings=Timings(**extension["timings"]),
            mean_logprob=extension["mean_logprob"],
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise EngineRefusedError(f"the engine's answer lacks what ghostfill needs ({error!r})") from error
