"""Which backend the settings ask for, and where chat goes. Knows the kinds of both; contacts none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Completion, CompletionRequest
from engine.backends.base import Backend, EngineInfo, OnProgress, OnText
from engine.errors import EngineUnavailableError, GhostfillError
from engine.launch import EngineSpec

if TYPE_CHECKING:
    from engine.backends.chat_endpoint import ChatEndpoint
    from engine.backends.endpoint import Endpoint
    from lsp_server.settings import Settings


def backend_for(settings: Settings) -> Backend:
    """The server at `engine.url`, else the resident engine; raises GhostfillError for one we cannot use."""
    if settings.engine.url is None:
        from engine.backends.local import LocalBackend

        return LocalBackend(engine_spec(settings))
    _key("engine", settings.engine.api_key_env)  # missed now rather than at the first request
    if settings.engine.api == "ollama":
        raise GhostfillError(
            "engine.api 'ollama' cannot be used: Ollama takes no token ids. Serve the model's GGUF file with "
            "llama.cpp's llama-server and set engine.api to 'llamacpp'."
        )
    if settings.engine.api == "auto":
        from engine.backends.auto import AutoBackend

        return AutoBackend(_endpoint(settings), lambda api: _remote(settings, api))
    return _remote(settings, settings.engine.api)


def chat_endpoint(settings: Settings) -> ChatEndpoint:
    """Where chat goes: `chat.url`, else the engine that completes; raises GhostfillError."""
    from engine.backends.chat_endpoint import ChatEndpoint

    if settings.chat.url:
        return ChatEndpoint(settings.chat.url, _key("chat", settings.chat.api_key_env))
    if settings.engine.url is not None:
        key = _key("engine", settings.engine.api_key_env)
        return ChatEndpoint(settings.engine.url, key, section="engine")
    return ChatEndpoint(socket=engine_spec(settings).files().socket)


def _key(section: str, variable: str | None) -> str | None:
    """What is in the variable that a section's `apiKeyEnv` names; None where it names none.

    A key that is named must be there: an editor started from a desktop has read no shell's files.
    """
    if variable is None:
        return None
    if variable not in os.environ:
        raise GhostfillError(
            f"{section}.apiKeyEnv names {variable}, which is not in the environment that the editor was "
            "started with: start it from a shell that has it, or set it for your whole session."
        )
    return os.environ[variable]


def _remote(settings: Settings, api: str) -> Backend:
    """The backend that speaks `api`."""
    engine = settings.engine
    if api == "ghostfill":
        from engine.backends.remote import RemoteBackend

        return RemoteBackend(str(engine.url), engine.api_key_env)
    from engine.backends.foreign import ForeignBackend
    from engine.backends.llamacpp import LlamaCppApi
    from engine.backends.openai import OpenAIApi

    made = (LlamaCppApi if api == "llamacpp" else OpenAIApi)(_endpoint(settings))
    return ForeignBackend(made, absolute_model(settings.model), engine.fim_format)


def _endpoint(settings: Settings) -> Endpoint:
    from engine.backends.endpoint import Endpoint

    return Endpoint(str(settings.engine.url), _key("engine", settings.engine.api_key_env))


def engine_spec(settings: Settings) -> EngineSpec:
    """The resident engine that the settings describe."""
    return EngineSpec(
        model=absolute_model(settings.model),
        device=settings.device,
        dtype=settings.dtype,
        fim_format=settings.engine.fim_format,
        idle_minutes=settings.engine.idle_minutes,
        memory_gb=settings.engine.memory_gb,
        trust_remote_code=settings.engine.trust_remote_code,
        quantize=settings.engine.quantize,
    )


def absolute_model(model: str) -> str:
    """A folder's path as one and the same string however it was written; any other name as it is."""
    if not model.startswith("~") and not Path(model).is_absolute():
        return model
    return str(Path(model).expanduser().resolve())


class NoBackend:
    """Stands in where the settings name a backend that cannot be: every call ends with the reason."""

    def __init__(self, reason: str) -> None:
        self._error = EngineUnavailableError(reason)

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Raises the reason."""
        raise self._error

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Raises the reason."""
        raise self._error

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """Nothing is known."""

    def forget(self) -> None:
        """Nothing is known."""

    async def close(self) -> None:
        """Nothing is open."""
