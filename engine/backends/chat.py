"""An instruct model behind OpenAI's /v1/chat/completions: vLLM, llama-server, Ollama, a ghostfill engine.

Knows what these say differently; knows neither what is asked for nor where the address comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from engine.api import ChatAnswer, ChatRequest
from engine.backends.chat_endpoint import ChatEndpoint
from engine.backends.chat_stream import ChatStream
from engine.errors import EngineRefusedError, EngineUnavailableError

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
END_SECONDS = 1.0
"""From the end of an answer to that of its stream, which some servers leave open."""


class ChatModel(NamedTuple):
    """What a server says of its instruct model."""

    name: str
    context_length: int | None
    """Prompt and answer together; None if it does not say."""


class ChatClient:
    """One instruct model; without a `model` it is the one that the server has."""

    def __init__(self, endpoint: ChatEndpoint, model: str | None) -> None:
        self._endpoint = endpoint
        self._model = model

    async def find(self) -> ChatModel:
        """What there is to ask; raises EngineUnavailableError. Nothing is loaded for it."""
        reply = await self._endpoint.look(MODELS)
        data = reply.body.get("data") if isinstance(reply.body, dict) else None
        listed = data if isinstance(data, list) else []
        entries = [each for each in listed if isinstance(each, dict) and "id" in each]
        if self._model is None:
            if reply.status != 200:
                raise self._endpoint.refusal(reply, MODELS)
            entry = self._only(entries)
        else:
            # vLLM's `root` is the name on the hub of what is served under another one. A model that is not
            # listed may be there all the same: our engine loads what it is asked for.
            named = [each for key in ("id", "root") for each in entries if each.get(key) == self._model]
            entry = named[0] if named else {"id": self._model}
        return ChatModel(str(entry["id"]), await self._context_length(entry))

    async def ask(
        self,
        model: str,
        request: ChatRequest,
        on_text: Callable[[str], None],
        on_loading: Callable[[float], None],
    ) -> ChatAnswer:
        """Ask, and read along; raises EngineUnavailableError. Cancelling the task closes the connection.

        `on_loading` is told how much of the model is there, where it has to load: in the end 1.
        """
        answer = ChatStream(self._endpoint, request.max_tokens, on_text, on_loading)
        async with aclosing(self._endpoint.events(CHAT, _body(model, request))) as events:
            async for data in events:
                answer.take(data)
                if answer.has_ended:
                    await _read_to_the_end(events)
                    break
        return answer.answer()

    async def close(self) -> None:
        """Drop connections."""
        await self._endpoint.close()

    def _only(self, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        # vLLM lists adapters beside the model they belong to, our engine its completion model.
        chats = [each for each in entries if not each.get("parent") and _may_chat(each)]
        if len(chats) != 1:
            names = ", ".join(str(each["id"]) for each in chats) or "none"
            raise EngineRefusedError(
                f"chat.model must name one of the instruct models that {self._endpoint.address} has: {names}"
            )
        return chats[0]

    async def _context_length(self, entry: Mapping[str, Any]) -> int | None:
        length = entry.get("max_model_len")
        if entry.get("owned_by") == "llamacpp":
            props = (await self._endpoint.look("/props")).body
            generation = props.get("default_generation_settings") if isinstance(props, dict) else None
            length = generation.get("n_ctx") if isinstance(generation, dict) else None
        return length if isinstance(length, int) and length > 0 else None


def _may_chat(entry: Mapping[str, Any]) -> bool:
    """Only our engine says which of its models do."""
    extension = entry.get("ghostfill")
    return bool(extension.get("chat", True)) if isinstance(extension, Mapping) else True


async def _read_to_the_end(events: AsyncIterator[str]) -> None:
    """So that the connection can be used again; the answer is not lost where that goes wrong."""
    with suppress(TimeoutError, EngineUnavailableError):
        async with asyncio.timeout(END_SECONDS):
            async for _ in events:
                pass


def _body(model: str, request: ChatRequest) -> dict[str, Any]:
    body = {
        "model": model,
        "messages": [{"role": str(each.role), "content": each.content} for each in request.messages],
        "max_tokens": request.max_tokens,
        "stream": True,
        "temperature": 0,
        "top_p": 1,  # else a server may take it from the model's generation_config.json
    }
    return body | {"stop": list(request.stop)} if request.stop else body
