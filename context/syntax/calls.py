"""What a range of code calls, as it is written: `a.b.c(...)`. Knows a tree and the names of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from context.syntax.described import Span
from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NODES = 20_000
"""Looked at for one range."""
_CALLS = {
    "call": "function",
    "call_expression": "function",
    "decorator": "",
    "jsx_opening_element": "name",
    "jsx_self_closing_element": "name",
    "new_expression": "constructor",
}
_NAMES = frozenset({"identifier", "this", "super", "type_identifier", "property_identifier"})
_PARTS = {
    "attribute": ("object", "attribute"),
    "member_expression": ("object", "property"),
    "nested_identifier": ("object", "property"),
}


class Call(NamedTuple):
    """One name that is called, once per range."""

    chain: tuple[str, ...]
    """`("a", "b", "c")`; what is no name, as in `f().b()`, is an empty string."""
    line: int
    """Of the first call, from zero."""


def calls_in(tree: SyntaxTree, span: Span) -> list[Call]:
    """The calls between two offsets in source order, each name once."""
    first, last = tree.position(span.start), tree.position(span.end)
    found: dict[tuple[str, ...], Call] = {}
    stack = [tree.root]
    for _ in range(MAX_NODES):
        if not stack:
            break
        node = stack.pop()
        if node.end_byte <= first or node.start_byte >= last:
            continue
        if node.type in _CALLS and node.start_byte >= first:
            chain = _chain(_called(node))
            if chain and chain[-1]:
                found.setdefault(chain, Call(chain, node.start_point.row))
        stack += reversed(node.named_children)
    return list(found.values())


def _called(node: Node) -> Node | None:
    field = _CALLS[node.type]
    return node.child_by_field_name(field) if field else next(iter(node.named_children), None)


def _chain(node: Node | None) -> tuple[str, ...]:
    parts: list[str] = []
    while node is not None and node.type in _PARTS:
        head, last = (node.child_by_field_name(field) for field in _PARTS[node.type])
        parts.append(_text(last) if last is not None and last.type in _NAMES else "")
        node = head
    if node is None or node.type == "call":  # a decorator with arguments is a call of its own
        return ("", *reversed(parts)) if parts else ()
    parts.append(_text(node) if node.type in _NAMES else "")
    return tuple(reversed(parts))


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", errors="replace")
