"""llama.cpp's own server, `llama-server`: its /completion with token ids, its prompt cache, its /props.

Knows the wire alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import PurePath
from typing import Any

from engine.api import FinishReason
from engine.backends.base import OnProgress
from engine.backends.endpoint import Endpoint, Reply, said_of
from engine.backends.foreign import Served
from engine.backends.streamed_answer import Chunk
from engine.errors import EngineRefusedError, EngineUnavailableError

POLL_SECONDS = 0.5
_ENDS = {"eos": FinishReason.EOS, "word": FinishReason.EOS, "limit": FinishReason.BUDGET}


class LlamaCppApi:
    """A llama-server with one model."""

    samples = False

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._endpoint.address

    async def served(self, model: str, on_progress: OnProgress | None) -> Served:
        """What /props says, once /health says that the model is loaded; raises EngineUnavailableError."""
        while is_loading(reply := await self._endpoint.look("/health")):
            if on_progress is not None:
                on_progress(0.0, f"{self.address} is loading its model")
            await asyncio.sleep(POLL_SECONDS)
        if reply.status != 200:
            raise self._endpoint.refusal(reply, "/health")
        props = await self._endpoint.ask("/props")
        settings = props.get("default_generation_settings")
        if not isinstance(settings, dict):
            raise EngineRefusedError(
                f"what answers at {self.address} is no llama-server with a model (its /props lacks the "
                "settings of one): correct engine.api, or start it with '-m FILE.gguf'."
            )
        # Of one slot: what a single request may take.
        length = settings.get("n_ctx")
        name = props.get("model_alias") or PurePath(str(props.get("model_path") or model)).name
        return Served(str(name), length if isinstance(length, int) and length > 0 else None)

    async def spell(self, ids: Sequence[int]) -> str | None:
        """What /detokenize says."""
        reply = await self._endpoint.look("/detokenize", {"tokens": list(ids)})
        text = reply.body.get("content") if isinstance(reply.body, dict) else None
        return text if isinstance(text, str) else None

    async def chunks(
        self, ids: Sequence[int], max_tokens: int, end_ids: frozenset[int], num_samples: int = 0
    ) -> AsyncGenerator[Chunk]:
        """The likeliest answer; without tokens, only the prompt is read into a slot."""
        body = {
            "prompt": list(ids),
            "n_predict": max_tokens,
            "cache_prompt": True,
            "stream": True,
            "temperature": 0,
            # No other sampler: a penalty would change what is likeliest.
            "samplers": ["top_k"],
            "top_k": 1,
            "n_probs": 1,
            "timings_per_token": True,
        }
        async with aclosing(self._endpoint.events("/completion", body)) as events:
            async for data in events:
                if data != "[DONE]":
                    yield self._chunk(data)

    async def close(self) -> None:
        """Drop connections."""
        await self._endpoint.close()

    def _chunk(self, data: str) -> Chunk:
        try:
            event = json.loads(data)
            if "content" not in event:
                raise EngineUnavailableError(
                    f"{self.address} ended its answer with an error: {said_of(event) or data[:100]}"
                )
            timings = event.get("timings") or {}
            return Chunk(
                # Its text, not its ids: of a character in several tokens it sends the last one's id alone.
                str(event["content"]),
                tuple(event.get("tokens") or ()),
                # The last event may list all of them once more.
                () if event.get("stop") else _logprobs(event),
                end=_end(event),
                num_reused=timings.get("cache_n"),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise EngineUnavailableError(
                f"{self.address} streams what is no completion ({error!r}): correct engine.api."
            ) from error


def is_loading(reply: Reply) -> bool:
    """Whether a reply is a llama-server's that loads its model, and no gateway's."""
    error = reply.body.get("error") if reply.status == 503 and isinstance(reply.body, dict) else None
    return isinstance(error, dict) and error.get("type") == "unavailable_error"


def _logprobs(event: dict[str, Any]) -> tuple[float | None, ...]:
    # Older servers give probabilities in another shape, which is not read.
    return tuple(each.get("logprob") for each in event.get("completion_probabilities") or ())


def _end(event: dict[str, Any]) -> FinishReason | None:
    if not event.get("stop"):
        return None
    return _ENDS.get(str(event.get("stop_type")), FinishReason.EOS)
