"""The body of `POST /v1/chat/completions`, read and written: OpenAI's shape plus the object `ghostfill`.

Knows the shape of JSON; knows no models.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, NamedTuple

from engine.api import ChatRequest, Completion, Message, Role
from engine.runtime.json_body import BadRequestError, integer, is_texts, read_object, stop_strings, typed
from engine.runtime.wire import OPENAI_REASON

MAX_CHAT_TOKENS = 32_768
"""Of an answer; a model's context is the tighter bound."""


class ChatBody(NamedTuple):
    """What was asked, and how it is to be answered."""

    model: str | None
    request: ChatRequest
    is_stream: bool


def parse_chat(body: bytes) -> ChatBody:
    """Raises BadRequestError with what is wrong. Keys that are not known here are ignored, as is sampling."""
    data = read_object(body)
    if integer(data, "n", 1, 1, MAX_CHAT_TOKENS) > 1:
        raise BadRequestError("a chat has one answer: leave n out")
    max_tokens = integer(data, "max_tokens", ChatRequest(()).max_tokens, 1, MAX_CHAT_TOKENS)
    request = ChatRequest(
        messages=_messages(data.get("messages")),
        max_tokens=integer(data, "max_completion_tokens", max_tokens, 1, MAX_CHAT_TOKENS),
        stop=stop_strings(data.get("stop")),
    )
    model = typed(data, "model", str, None)
    if model is not None and not model.isprintable():
        raise BadRequestError("model must be a name or a folder's path")
    return ChatBody(model, request, typed(data, "stream", bool, False))


def _messages(value: Any) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise BadRequestError("messages must be a list")
    messages = tuple(_message(each) for each in value)
    if not any(each.role is Role.USER and each.content.strip() for each in messages):
        raise BadRequestError("messages must hold something that the user says")
    return messages


def _message(value: Any) -> Message:
    if not isinstance(value, dict):
        raise BadRequestError("each of messages must be an object with role and content")
    role = value.get("role")
    if role not in list(Role):
        raise BadRequestError(f"role must be one of {', '.join(Role)}")
    return Message(Role(role), _content(value.get("content")))


def _content(value: Any) -> str:
    """A text, or its parts in lines of their own."""
    if isinstance(value, str):
        return value
    parts = [_text_of(each) for each in value] if isinstance(value, list) else [None]
    if not is_texts(parts):
        raise BadRequestError('content must be a string or a list of {"type": "text", "text": ...}')
    return "\n".join(str(part) for part in parts)


def _text_of(part: Any) -> Any:
    return part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None


class ChatAnswers:
    """One request's objects, which share its id and its model's name."""

    def __init__(self, request_id: str, model: str) -> None:
        self._head: dict[str, Any] = {"id": request_id, "created": int(time.time()), "model": model}

    def piece(self, text: str | None = None, *, role: Role | None = None) -> dict[str, Any]:
        """Text of the answer, or nothing yet."""
        delta = {"role": str(role), "content": ""} if role else {} if text is None else {"content": text}
        return self._chunk(delta, None)

    def loading(self, fraction: float) -> dict[str, Any]:
        """Nothing yet: so much of the model is loaded."""
        return self.piece() | {"ghostfill": {"loading": round(fraction, 3)}}

    def last(self, completion: Completion, text: str) -> dict[str, Any]:
        """What of the text was held back, and the figures."""
        return self._chunk({"content": text}, _finish_reason(completion)) | _figures(completion)

    def whole(self, completion: Completion) -> dict[str, Any]:
        """The answer at once."""
        message = {"role": str(Role.ASSISTANT), "content": completion.text}
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(completion)}
        return {"object": "chat.completion", **self._head, "choices": [choice]} | _figures(completion)

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {"object": "chat.completion.chunk", **self._head, "choices": [choice]}


def _finish_reason(completion: Completion) -> str:
    return OPENAI_REASON.get(completion.finish_reason, "length")


def _figures(completion: Completion) -> dict[str, Any]:
    num_prompt, num_decoded = completion.timings.prompt_tokens, completion.timings.decoded_tokens
    return {
        "usage": {
            "prompt_tokens": num_prompt,
            "completion_tokens": num_decoded,
            "total_tokens": num_prompt + num_decoded,
        },
        "ghostfill": {
            "finish_reason": str(completion.finish_reason),
            "timings": asdict(completion.timings),
        },
    }
