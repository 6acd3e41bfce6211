"""One streamed answer of an instruct model, chunk by chunk, in every dialect. Knows no HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.api import ChatAnswer, FinishReason, Timings
from engine.backends.chat_endpoint import ChatEndpoint
from engine.backends.endpoint import said_of
from engine.backends.thinking import WithoutThinking, behind_thought
from engine.errors import EngineRefusedError, EngineUnavailableError

MAX_TOKEN_CHARS = 64
"""More than tokens have on average: a server that goes on past `max_tokens` is left."""
_ENDS = {"stop": FinishReason.EOS, "length": FinishReason.BUDGET}
_FAULTS = {
    "content_filter": "its content filter ended the answer",
    "tool_calls": "it called a tool instead of answering",
    "function_call": "it called a function instead of answering",
}


class ChatStream:
    """Takes the data of events until it `has_ended`; what cannot be used raises EngineUnavailableError."""

    def __init__(
        self,
        endpoint: ChatEndpoint,
        max_tokens: int,
        on_text: Callable[[str], None],
        on_loading: Callable[[float], None],
    ) -> None:
        self._endpoint = endpoint
        self._address = "the engine" if endpoint.is_ours else endpoint.address
        self._max_tokens = max_tokens
        self._on_text = on_text
        self._on_loading = on_loading
        self._is_loading = False
        self._spoken = WithoutThinking()
        self._text = ""
        self._num_chars = 0
        self._is_thinking = False
        """It has told thoughts, and no answer yet."""
        self._reason: FinishReason | None = None
        self._timings: Timings | None = None

    @property
    def has_ended(self) -> bool:
        """Nothing more of the answer comes."""
        return self._reason is not None

    def take(self, data: str) -> None:
        """Read the data of one event."""
        if data == "[DONE]":
            # Without a reason before it.
            self._reason = FinishReason.EOS if self._num_chars else None
            return
        try:
            piece, loading = self._read(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise EngineUnavailableError(f"{self._address} streams what is no answer ({error!r})") from error
        if loading is not None or self._is_loading:
            self._is_loading = loading is not None
            self._on_loading(1.0 if loading is None else loading)
        self._say(piece)

    def answer(self) -> ChatAnswer:
        """All that came, without what only turned out to be thought at its end."""
        if self._reason is None:
            raise EngineUnavailableError(f"the answer of {self._address} broke off; try again")
        self._say(self._spoken.end())
        text = behind_thought(self._text)
        if not text.strip():
            raise EngineRefusedError(self._why_nothing())
        return ChatAnswer(text, self._reason, self._timings)

    def _read(self, event: Mapping[str, Any]) -> tuple[str, float | None]:
        """A chunk's text, and how far the model is loaded, if it says so."""
        if event.get("error") or not event.keys() & {"choices", "ghostfill"}:
            said = said_of(event) or "it does not say why"
            raise EngineRefusedError(said if self._endpoint.is_ours else f"{self._address} broke off: {said}")
        extension = event.get("ghostfill") or {}
        if "timings" in extension:
            self._timings = Timings(**extension["timings"])
        choices = (each for each in event.get("choices") or () if each.get("index", 0) == 0)
        text = "".join(self._choose(choice, extension) for choice in choices)
        loading = extension.get("loading")
        # In this order: what is not a number counts as 0.
        return text, None if loading is None else min(1.0, max(0.0, float(loading)))

    def _choose(self, choice: Mapping[str, Any], extension: Mapping[str, Any]) -> str:
        delta = choice.get("delta") or {}
        thought, piece = delta.get("reasoning_content") or delta.get("reasoning"), delta.get("content") or ""
        self._is_thinking |= bool(thought)
        self._num_chars += len(piece) + len(thought or "")
        if reason := choice.get("finish_reason"):
            self._end(str(reason), extension.get("finish_reason"))
        elif self._num_chars > MAX_TOKEN_CHARS * self._max_tokens:
            self._reason = FinishReason.BUDGET
        return self._spoken.feed(piece)

    def _end(self, reason: str, ours: str | None) -> None:
        if reason not in _ENDS or ours == FinishReason.CANCELLED:
            why = _FAULTS.get(reason, f"it gave up ({ours or reason}); try again")
            raise EngineRefusedError(f"no answer of {self._address} can be used: {why}")
        self._reason = FinishReason(ours) if ours is not None else _ENDS[reason]

    def _say(self, text: str) -> None:
        if text:
            self._text += text
            self._on_text(text)

    def _why_nothing(self) -> str:
        if self._is_thinking or self._spoken.is_thinking:
            return f"the model at {self._address} only thought, up to its limit of {self._max_tokens} tokens"
        return f"the model at {self._address} answered nothing; ask again, or ask for something else"
