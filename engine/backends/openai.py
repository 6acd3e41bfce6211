"""OpenAI's completions as vLLM and SGLang serve them: token ids in, a stream of token ids or text out.

Knows the wire alone. Any server will do whose /v1/completions takes token ids as `prompt`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from engine.api import FinishReason
from engine.backends.base import OnProgress
from engine.backends.endpoint import Endpoint, said_of
from engine.backends.foreign import Served
from engine.backends.streamed_answer import Chunk
from engine.errors import EngineRefusedError, EngineUnavailableError

TEMPERATURE = 0.7
"""Of further answers: the likeliest one is there already."""
_ENDS = {"stop": FinishReason.EOS, "length": FinishReason.BUDGET}


class OpenAIApi:
    """A server with /v1/models and /v1/completions."""

    samples = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._name = ""

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._endpoint.address

    async def served(self, model: str, on_progress: OnProgress | None) -> Served:
        """The model of /v1/models that the setting names, or the only one; raises EngineUnavailableError."""
        answer = await self._endpoint.ask("/v1/models")
        found = answer.get("data")
        entries = [entry for entry in found if "id" in entry] if isinstance(found, list) else []
        entry = self._choose(entries, model)
        self._name = str(entry["id"])
        length = entry.get("max_model_len")
        return Served(self._name, length if isinstance(length, int) and length > 0 else None)

    async def spell(self, ids: Sequence[int]) -> str | None:
        """What /detokenize says, which vLLM and SGLang have."""
        reply = await self._endpoint.look("/detokenize", {"model": self._name, "tokens": list(ids)})
        if reply.status != 200 or not isinstance(reply.body, dict):
            return None
        text = reply.body.get("prompt", reply.body.get("text"))
        return text if isinstance(text, str) else None

    async def chunks(
        self, ids: Sequence[int], max_tokens: int, end_ids: frozenset[int], num_samples: int = 0
    ) -> AsyncGenerator[Chunk]:
        """A streamed completion. Nothing is read ahead: there is no request without an answer here."""
        if not max_tokens:
            yield Chunk("", end=FinishReason.BUDGET)
            return
        body = {
            "model": self._name,
            "prompt": list(ids),
            "max_tokens": max_tokens,
            "stream": True,
            # vLLM refuses several greedy answers, which would be equal.
            "n": num_samples or 1,
            "temperature": TEMPERATURE if num_samples else 0,
            # Else a server may take these from the model's generation_config.json.
            "top_p": 1,
            "repetition_penalty": 1,
            "logprobs": 1,
            "return_token_ids": True,
            "stop_token_ids": sorted(end_ids),
        }
        async with aclosing(self._endpoint.events("/v1/completions", body)) as events:
            async for data in events:
                if data == "[DONE]":
                    return
                for chunk in self._read(data):
                    yield chunk

    async def close(self) -> None:
        """Drop connections."""
        await self._endpoint.close()

    def _choose(self, entries: Sequence[Mapping[str, Any]], model: str) -> Mapping[str, Any]:
        # vLLM lists adapters beside the model they belong to.
        own = [entry for entry in entries if not entry.get("parent")]
        for key in ("id", "root"):
            if named := [entry for entry in entries if entry.get(key) == model]:
                return named[0]
        if len({entry.get("root") or entry["id"] for entry in own}) != 1:
            names = ", ".join(str(entry["id"]) for entry in entries) or "none"
            raise EngineRefusedError(
                f"{self.address} must serve one model, or one named like the setting 'model' ({model!r}); it "
                f"serves {names}."
            )
        return own[0]

    def _read(self, data: str) -> list[Chunk]:
        try:
            event = json.loads(data)
            if "choices" not in event:
                raise EngineUnavailableError(
                    f"{self.address} ended its answer with an error: {said_of(event) or data[:100]}"
                )
            return [self._chunk(choice) for choice in event["choices"]]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineUnavailableError(
                f"{self.address} streams what is no completion ({error!r}): correct engine.api."
            ) from error

    def _chunk(self, choice: Mapping[str, Any]) -> Chunk:
        reason = choice.get("finish_reason")
        if reason is not None and reason not in _ENDS:
            raise EngineUnavailableError(f"{self.address} ended its answer early ({reason})")
        ids = choice.get("token_ids")
        return Chunk(
            # The ids rather than the text, which some servers' tokenizers spell without its spaces.
            None if isinstance(ids, list) else str(choice.get("text") or ""),
            tuple(ids or ()),
            tuple((choice.get("logprobs") or {}).get("token_logprobs") or ()),
            int(choice.get("index", 0)),
            None if reason is None else _ENDS[reason],
        )
