"""One layer of settings: what a mapping says for the fields of nested dataclasses, and what is wrong in it.

A key may be nested or dotted, camelCase or snake_case. Types are those of the fields' annotations. Knows no
setting by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

NOT_A_KEY = {"is_key": False}
"""Metadata of a field that no layer may set."""
MAX_PROBLEMS = 5
"""A layer with more is summed up: each problem is shown to a person."""
MAX_SHOWN_CHARS = 60
MAX_NUMBER = 1 << 53


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a layer that was ignored; `str` of it is a sentence to show."""

    source: str
    """Where the layer comes from."""
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


@dataclass(slots=True)
class Layer:
    """What was understood of a mapping."""

    source: str
    values: dict[str, Any] = field(default_factory=dict)
    """By key: section and field in snake_case, with a dot between them."""
    problems: list[Problem] = field(default_factory=list)
    spellings: dict[str, str] = field(default_factory=dict)
    """How the layer itself writes each key of `values`."""

    def report(self, text: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.source, text))


class Between(NamedTuple):
    """Annotation of a number: the least and the greatest that make sense, both included."""

    low: float
    high: float = float("inf")


def read_layer(schema: type, data: object, source: str, *, is_snake: bool, ignore: str = "") -> Layer:
    """Read a mapping from outside; whatever it holds, this does not fail."""
    layer = Layer(source)
    if isinstance(data, Mapping):
        entries = {key: value for key, value in data.items() if key != ignore}
        _read_section(keys_of(schema), layer, entries, "", is_snake)
    elif data is not None:
        layer.report(f"expected a table of settings, got {_shown(data)}.")
    if len(layer.problems) > MAX_PROBLEMS:
        num_left = len(layer.problems) - MAX_PROBLEMS
        layer.problems[MAX_PROBLEMS:] = [Problem(source, f"{num_left} more keys are wrong.")]
    return layer


def build(schema: type[T], values: Mapping[str, Any], section: str = "") -> T:
    """The dataclass with these values, defaults elsewhere."""
    hints = get_type_hints(schema)
    given: dict[str, Any] = {}
    for each in fields(schema):  # type: ignore[arg-type]
        name = section + each.name
        if is_dataclass(hints[each.name]):
            given[each.name] = build(hints[each.name], values, f"{name}.")
        elif name in values:
            given[each.name] = values[name]
    return schema(**given)


@cache
def keys_of(schema: type, section: str = "") -> dict[str, Any]:
    """The annotation of every key, in the order of the fields."""
    hints = get_type_hints(schema, include_extras=True)
    keys: dict[str, Any] = {}
    for each in fields(schema):
        name = section + each.name
        if is_dataclass(hints[each.name]):
            keys.update(keys_of(hints[each.name], f"{name}."))
        elif each.metadata.get("is_key", True):
            keys[name] = hints[each.name]
    return keys


def camel_case(key: str) -> str:
    """`inline.debounce_ms` as editors spell it: `inline.debounceMs`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), key)


def snake_case(key: str) -> str:
    """The reverse of `camel_case`."""
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda match: "_" + match[0].lower(), key)


def _read_section(
    keys: Mapping[str, Any], layer: Layer, data: Mapping[Any, Any], section: str, is_snake: bool
) -> None:
    for raw_key, value in data.items():
        spelling = f"{section}{raw_key}"
        key = snake_case(spelling)
        if key in keys:
            layer.spellings[key] = spelling
            _read_value(keys[key], layer, key, value)
        elif not any(name.startswith(f"{key}.") for name in keys):
            # A hostile file may hold any number of keys: those that nobody will read are only counted.
            is_told = len(layer.problems) < MAX_PROBLEMS
            suggestion = _suggestion(key, keys, is_snake) if is_told else "."
            layer.report(f"unknown setting {_shown(spelling)}{suggestion}")
        elif isinstance(value, Mapping):
            _read_section(keys, layer, value, f"{spelling}.", is_snake)
        elif value is not None:
            layer.report(f"{spelling} is a section of settings and cannot be {_shown(value)}.")


def _read_value(annotation: Any, layer: Layer, key: str, value: object) -> None:
    kinds = list(_kinds(annotation))
    if value is None and NoneType not in kinds:
        return  # editors send null for what is not set
    if value == "" and NoneType in kinds:
        value = None
    for kind in kinds:
        converted = _convert(kind, value)
        if converted is not _NO_MATCH:
            layer.values[key] = converted
            return
    expected = " or ".join(dict.fromkeys(_description(kind) for kind in kinds))
    layer.report(f"{layer.spellings[key]} must be {expected}, not {_shown(value)}.")


_NO_MATCH = object()


def _kinds(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation."""
    if get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _kinds(argument)
    else:
        yield annotation


def _convert(kind: Any, value: object) -> object:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        number, bounds = _convert(arguments[0], value), arguments[1]
        return number if number is not _NO_MATCH and bounds.low <= number <= bounds.high else _NO_MATCH
    if origin is Literal:
        return value if isinstance(value, str) and value in arguments else _NO_MATCH
    if origin is tuple:
        is_list = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return tuple(value) if is_list else _NO_MATCH  # type: ignore[arg-type]
    if kind in (int, float):
        return _convert_number(kind, value)
    if kind in (bool, NoneType) or (kind is str and value):
        return value if isinstance(value, kind) else _NO_MATCH
    return _NO_MATCH


def _convert_number(kind: type[int | float], value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        return _NO_MATCH
    return kind(value) if kind is float or value == int(value) else _NO_MATCH


def _description(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        low, high = arguments[1]
        limits = f"of at least {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        return f"{_description(arguments[0])} {limits}"
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in arguments)
    if origin is tuple:
        return "a list of strings"
    names = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a string",
        NoneType: "null",
    }
    return names[kind]


def _suggestion(key: str, keys: Mapping[str, Any], is_snake: bool) -> str:
    from difflib import get_close_matches  # only if something is wrong: not at every start

    sections = {name.partition(".")[0] for name in keys}
    nearest = get_close_matches(key[:MAX_SHOWN_CHARS], sorted({*keys, *sections}), n=1)
    if not nearest:
        return "."
    return f"; did you mean {nearest[0] if is_snake else camel_case(nearest[0])}?"


def _shown(value: object) -> str:
    if isinstance(value, list | Mapping):
        return "a list" if isinstance(value, list) else "a table"
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return "a huge number"
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}..."
