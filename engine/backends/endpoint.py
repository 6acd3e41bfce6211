"""A server at the URL that the user configured, or at a Unix socket: JSON questions and streams of events.

Knows no particular API; says what to do when it is refused. Nothing but that address is ever contacted.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.client import reaching
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.events import read_events

if TYPE_CHECKING:
    import httpx2

ANSWER_SECONDS = 120
"""Without a word: a long prompt on a slow machine."""
ASK_SECONDS = 10
CONNECT_SECONDS = 5
MAX_MESSAGE_CHARS = 300


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: Any
    """None if it is no JSON."""


class Endpoint:
    """One server. Not bound to an event loop until its first request."""

    def __init__(self, url: str = "", api_key: str | None = None, *, socket: Path | None = None) -> None:
        # OpenAI's clients want the version in the address; people copy it from there.
        self.address = str(socket) if socket else url.rstrip("/").removesuffix("/v1")
        self._socket = socket
        self.patience_seconds: float = ANSWER_SECONDS
        """So long a stream may say nothing."""
        # As bytes: a key may hold any character.
        self._headers = {b"authorization": b"Bearer " + api_key.strip().encode()} if api_key else {}
        self._http: httpx2.AsyncClient | None = None

    @property
    def unreachable(self) -> str:
        """The error where nobody answers."""
        return f"no server answers at {self.address}"

    async def look(self, path: str, body: dict[str, Any] | None = None) -> Reply:
        """What stands at `path`, whatever its status; raises EngineUnavailableError if nobody answers."""
        import httpx2

        timeout = httpx2.Timeout(ASK_SECONDS, connect=CONNECT_SECONDS)
        with reaching(self.unreachable):
            response = await self._client().request(
                "GET" if body is None else "POST", self._url(path), json=body, timeout=timeout
            )
        return _reply(response)

    async def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The object at `path`; raises EngineUnavailableError."""
        reply = await self.look(path, body)
        if reply.status != 200 or not isinstance(reply.body, dict):
            raise self.refusal(reply, path)
        return reply.body

    async def events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[str]:
        """The data of a streamed answer's events. Closing the generator closes the connection."""
        import httpx2

        timeout = httpx2.Timeout(self.patience_seconds, connect=CONNECT_SECONDS)
        with reaching(self.unreachable):
            async with self._client().stream("POST", self._url(path), json=body, timeout=timeout) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise self.refusal(_reply(response), path)
                with reaching(f"the answer of {self.address} broke off"):
                    async for data in read_events(response.aiter_bytes()):
                        yield data

    def refusal(self, reply: Reply, path: str) -> EngineUnavailableError:
        """The error for an answer that is not the one asked for."""
        said = said_of(reply.body)
        because = f": {said}" if said else ""
        match reply.status:
            case 401 | 403:
                return EngineRefusedError(
                    f"{self.address} wants another key{because}; engine.apiKeyEnv names the environment "
                    "variable that holds it."
                )
            case 404:
                return EngineRefusedError(
                    f"{self.address} has no {path}{because}; engine.api must say what is served there "
                    "('openai' for vLLM and SGLang, 'llamacpp' for llama-server)."
                )
            case 502 | 503 | 504:
                # It is still loading, or a gateway stands before a server that is not there.
                return EngineUnavailableError(f"{self.address} is not ready{because}")
            case 200:
                return EngineRefusedError(
                    f"{self.address} answers {path} with no JSON object: correct engine.url and engine.api."
                )
            case status:
                return EngineRefusedError(f"{self.address} answered {path} with status {status}{because}")

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()

    def _url(self, path: str) -> str:
        return f"http://engine{path}" if self._socket else self.address + path

    def _client(self) -> httpx2.AsyncClient:
        if self._http is None:
            import httpx2

            # trust_env off: a proxy from the environment must not see code.
            transport = httpx2.AsyncHTTPTransport(uds=str(self._socket)) if self._socket else None
            self._http = httpx2.AsyncClient(transport=transport, headers=self._headers, trust_env=False)
        return self._http


def said_of(body: Any) -> str:
    """A server's own words for what went wrong, in the shapes that servers have for it; empty if none."""
    while isinstance(body, dict):
        body = body.get("error") or body.get("message") or body.get("detail")
    return "" if body is None else str(body)[:MAX_MESSAGE_CHARS]


def _reply(response: httpx2.Response) -> Reply:
    try:
        return Reply(response.status_code, response.json())
    except ValueError:
        return Reply(response.status_code, None)
