"""Which calls of a client may not be looked at, and what it is told then. Pure; knows no method but four."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, NamedTuple

from lsprotocol import types as t

MsgId = int | str


class Refusal(NamedTuple):
    """The error that a call gets instead of a handler."""

    code: int
    message: str


def refusal_of(
    message: dict[str, Any], *, unanswered: Container[MsgId], is_initialized: bool, is_shut_down: bool
) -> Refusal | None:
    """Why this request or notification may not be looked at; None if it may."""
    method, msg_id = message["method"], message.get("id")
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return _invalid("This is not a JSON-RPC 2.0 message.")
    if "id" in message and valid_id(msg_id) is None:
        return _invalid("An id must be a string or an integer.")
    if "id" in message and msg_id in unanswered:
        return _invalid(f"Another request with the id {msg_id!r} still waits for its answer.")
    if method == t.EXIT:
        return None
    if is_shut_down:
        return _invalid("The server is shutting down.")
    if method == t.INITIALIZE and is_initialized:
        return _invalid("The server is initialized already.")
    if method != t.INITIALIZE and not is_initialized:
        return Refusal(t.ErrorCodes.ServerNotInitialized, "The server is not initialized yet.")
    return None


def valid_id(value: object) -> MsgId | None:
    """A usable id; Lua and JavaScript may write a whole number as 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _invalid(message: str) -> Refusal:
    return Refusal(t.ErrorCodes.InvalidRequest, message)
