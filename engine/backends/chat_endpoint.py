"""A server that chats: what it refuses is told with the settings that led to it. Knows no models."""

from __future__ import annotations

import re
from pathlib import Path

from engine.backends.endpoint import Endpoint, Reply, said_of
from engine.errors import EngineRefusedError, EngineUnavailableError

_TOO_LONG = re.compile(r"context.(length|size|window)|max_model_len|too (long|large)", re.IGNORECASE)


class ChatEndpoint(Endpoint):
    """One server, at the `url` of a section of the settings, or our engine at its socket."""

    def __init__(
        self,
        url: str = "",
        api_key: str | None = None,
        *,
        section: str = "chat",
        socket: Path | None = None,
    ) -> None:
        super().__init__(url, api_key, socket=socket)
        self._section = section
        self.is_ours = socket is not None
        """It is our engine, whose words say what to do."""

    @property
    def unreachable(self) -> str:
        """The error where nobody answers."""
        if self.is_ours:
            return f"the engine does not answer at {self.address}"
        return f"no server answers at {self.address}: start it, or correct {self._section}.url"

    def refusal(self, reply: Reply, path: str) -> EngineUnavailableError:
        """The error for an answer that is not the one asked for."""
        said = said_of(reply.body)
        if reply.status in (429, 502, 503, 504):
            return EngineUnavailableError(said if self.is_ours and said else self._not_ready(said))
        if self.is_ours and said:
            return EngineRefusedError(said)
        return EngineRefusedError(f"{self.address} {self._why(reply.status, path, said)}")

    def _not_ready(self, said: str) -> str:
        return f"{self.address} is not ready{f': {said}' if said else ''}; try again in a moment"

    def _why(self, status: int, path: str, said: str) -> str:
        because = f": {said}" if said else ""
        if status in (401, 403):
            variable = f"{self._section}.apiKeyEnv names the environment variable that holds it"
            return f"wants another key{because}; {variable}"
        if 300 <= status < 400:
            return f"sends {path} on to another address, which is not followed; correct {self._section}.url"
        if _TOO_LONG.search(said):
            return f"cannot read so much{because}; select less, or make context.budgetTokens smaller"
        if status == 404 and "model" in said.lower():
            return f"does not have the model{because}; correct chat.model"
        if status in (200, 404, 405):
            return f"has no {path} as OpenAI has it{because}; correct {self._section}.url"
        return f"answered {path} with status {status}{because}"
