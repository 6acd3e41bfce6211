"""A request's JSON body, read key by key: a value of the right type, or BadRequestError with what is wrong.

A key that is null counts as left out, as OpenAI's clients write it. Knows no routes.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, TypeVar

from engine.errors import GhostfillError

MAX_STOP_STRINGS = 64

_Choice = TypeVar("_Choice", bound=StrEnum)


class BadRequestError(GhostfillError):
    """The body of a request is not what the protocol says."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON that can be read: {error}") from error
    if data is None:
        raise BadRequestError("the body must be an object")
    return object_of(data, "the body")


def is_texts(value: Any) -> bool:
    """Whether it is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def object_of(value: Any, what: str) -> dict[str, Any]:
    """An object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequestError(f"{what} must be an object")
    return value


def typed(data: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    """The value of a key, which has that type."""
    value = data.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise BadRequestError(f"{key} must be a {kind.__name__}")
    return value


def choice(data: dict[str, Any], key: str, default: _Choice) -> _Choice:
    """The value of a key, one of those of the default's kind."""
    value, kind = data.get(key), type(default)
    if value is None:
        return default
    if value not in list(kind):
        raise BadRequestError(f"{key} must be one of {', '.join(kind)}")
    return kind(value)


def integer(data: dict[str, Any], key: str, default: int | None, low: int, high: int) -> Any:
    """The value of a key, a whole number within bounds."""
    value = data.get(key)
    if value is None:
        return default
    if type(value) is not int or not low <= value <= high:
        raise BadRequestError(f"{key} must be a whole number from {low} to {high}")
    return value


def stop_strings(value: Any) -> tuple[str, ...]:
    """The value of `stop`: nothing, a string, or some."""
    values = [value] if isinstance(value, str) else value or []
    if not is_texts(values) or len(values) > MAX_STOP_STRINGS:
        raise BadRequestError(f"stop must be a string or a list of at most {MAX_STOP_STRINGS} strings")
    return tuple(values)
