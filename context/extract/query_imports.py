"""Import statements of one tree, as the captures of `imports.scm` name them (see `query`). Knows no language.

Imports stand anywhere, and searching a whole tree costs a quarter of its parse: only the top-level statements
in which a word of imports occurs are searched.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from context.extract.cuts import Place, place_of, text_of
from context.symbols import Import, Scope

if TYPE_CHECKING:
    from tree_sitter import Node, Query

MAX_IMPORTS = 2_000
MAX_WORDS = 8_000
"""Occurrences of words of imports; what follows the last is not searched."""
MAX_STATES = 1_024
"""Half-made matches that a cursor keeps: bounds its time on hostile files."""

Captures = Mapping[str, Sequence["Node"]]


@dataclass
class _Statement:
    """What all patterns said of one module text."""

    module: Node
    node: Node
    names: dict[tuple[str, str], None] = field(default_factory=dict)
    alias: str = ""
    is_weak: bool = False
    is_lazy: bool = False
    is_reexport: bool = False


def find_imports(
    data: bytes, root: Node, query: Query, near: re.Pattern[bytes]
) -> tuple[tuple[Import, ...], frozenset[Place]]:
    """The imports in source order, and where their statements stand."""
    from tree_sitter import QueryCursor

    cursor = QueryCursor(query, match_limit=MAX_STATES)
    words = [match.start() for match in itertools.islice(near.finditer(data), MAX_WORDS)]
    cursor.set_byte_range(0, words[-1] + 1 if len(words) == MAX_WORDS else len(data))
    statements: dict[int, _Statement] = {}
    functions: list[Place] = []
    for child in _searched(root, words):
        for _, captures in cursor.matches(child):
            functions += [place_of(node) for node in captures.get("function", ())]
            if "module" in captures:
                _note(captures, statements)
        if len(statements) > MAX_IMPORTS:
            break
    found = [statement for _, statement in sorted(statements.items())][:MAX_IMPORTS]
    functions = _outermost(functions)
    rows = tuple(row for statement in found for row in _rows(statement, functions))
    return rows, frozenset(place_of(statement.node) for statement in found)


def _searched(root: Node, words: Sequence[int]) -> Iterator[Node]:
    """The children in which some word stands."""
    found = iter(words)
    position = next(found, -1)
    for child in root.children:
        while 0 <= position < child.start_byte:
            position = next(found, -1)
        if position < 0:
            return
        if position < child.end_byte:
            yield child


def _note(captures: Captures, statements: dict[int, _Statement]) -> None:
    (module,), (node,) = captures["module"], captures["import"]
    statement = statements.setdefault(module.start_byte, _Statement(module, node))
    if node.end_byte - node.start_byte > statement.node.end_byte - statement.node.start_byte:
        statement.node = node
    statement.is_weak |= "weak" in captures
    statement.is_lazy |= "lazy" in captures
    statement.is_reexport |= "reexport" in captures
    default, namespace, alias = (_text(captures, role) for role in ("default", "namespace", "alias"))
    name = _text(captures, "name")
    if default:
        statement.names["default", default] = None
    if name:
        statement.names[name, alias or name] = None
    if "star.default" in captures:
        statement.names["default", "default"] = None
    if "star" in captures or "star.default" in captures:
        statement.names["*", "*"] = None
    statement.alias = namespace or statement.alias


def _text(captures: Captures, role: str) -> str:
    nodes = captures.get(role)
    return text_of(nodes[0]) if nodes else ""


def _rows(statement: _Statement, functions: Sequence[Place]) -> Iterator[Import]:
    """Names and the module itself in one statement give two rows."""
    start = statement.node.start_byte
    is_inside = any(first <= start < last for first, last in functions)
    scope = Scope.FUNCTION if statement.is_lazy or is_inside else Scope.MODULE
    scope = Scope.TYPE_CHECKING if statement.is_weak else scope
    rest = scope, statement.node.start_point.row, statement.node.end_point.row, statement.is_reexport
    module = text_of(statement.module)
    names = tuple(statement.names)
    if names or not statement.alias:
        yield Import(module, 0, names, "", *rest)
    if statement.alias:
        yield Import(module, 0, (), statement.alias, *rest)


def _outermost(places: list[Place]) -> list[Place]:
    """Without those inside others."""
    found: list[Place] = []
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found
