"""Functions and classes as they stand in a tree: which one a range means, and where its parts are.

Knows a tree and the names of nodes, a row per family; knows no other file. Offsets are code points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from context.symbols import Kind
from context.syntax.described import DocSlot, Span, description
from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_WRAPS = 8
"""Statements around one function: `export default a = b = function`."""

_PYTHON = {"class_definition": Kind.CLASS, "function_definition": Kind.FUNCTION}
_JAVASCRIPT = {
    "abstract_class_declaration": Kind.CLASS,
    "abstract_method_signature": Kind.FUNCTION,
    "arrow_function": Kind.FUNCTION,
    "class": Kind.CLASS,
    "class_declaration": Kind.CLASS,
    "enum_declaration": Kind.TYPE,
    "function_declaration": Kind.FUNCTION,
    "function_expression": Kind.FUNCTION,
    "function_signature": Kind.FUNCTION,
    "generator_function": Kind.FUNCTION,
    "generator_function_declaration": Kind.FUNCTION,
    "interface_declaration": Kind.TYPE,
    "method_definition": Kind.FUNCTION,
    "method_signature": Kind.FUNCTION,
    "type_alias_declaration": Kind.TYPE,
}
KINDS = {"python": _PYTHON, "javascript": _JAVASCRIPT}
"""By `Language.family`, what kind of declaration a node is."""

_INNER = {
    "ambient_declaration": ("",),
    "assignment_expression": ("right",),
    "decorated_definition": ("definition",),
    "export_statement": ("declaration", "value"),
    "expression_statement": ("",),
    "field_definition": ("value",),
    "lexical_declaration": ("",),
    "pair": ("value",),
    "public_field_definition": ("value",),
    "variable_declaration": ("",),
    "variable_declarator": ("value",),
}
"""Statements around a declaration that belong to it, each with the field that holds it; without a name the
first named child does.
"""
_NAMES = ("name", "key", "property", "left")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A function, class or type with a name."""

    name: str
    kind: Kind
    owner: str
    """The name of the class or object type around it; empty at the top, and inside of functions."""
    start: int
    """Decorators and `export` included."""
    end: int
    header_end: int
    """Where its body begins."""
    body: Span | None
    """What is inside of it, brackets left out."""
    doc: Span | None
    """The text of its description, quotes left out; None if there is none, or an empty one."""
    slot: DocSlot | None
    """Where a description goes, in place of one that is there; None where the code is too broken to tell."""


def declarations_at(tree: SyntaxTree, family: str, start: int, end: int) -> tuple[Declaration, ...]:
    """What a range means: the smallest declaration around it, or the one that stands in it.

    Several are given where the range touches several and is inside of none of them.
    """
    kinds = KINDS.get(family)
    if kinds is None:
        return ()
    first, last = _inside_line(tree, start, end)
    node = tree.root.descendant_for_byte_range(first, last)
    if node is not None and last > first:
        touched = [
            child for child in node.named_children if child.start_byte < last and child.end_byte > first
        ]
        inside = [found for child in touched if (found := _declared(child, kinds)) is not None]
        if inside:
            return tuple(_describe(tree, each, kinds) for each in inside)
    while node is not None:
        declared = _declared(node, kinds)
        if declared is not None:
            return (_describe(tree, declared, kinds),)
        node = node.parent
    return ()


def declarations_of(tree: SyntaxTree, family: str, limit: int = 1_000) -> Iterator[Declaration]:
    """All of a file, outer ones first, in source order."""
    kinds = KINDS.get(family, {})
    stack = [tree.root]
    num_found = 0
    while stack and num_found < limit:
        node = stack.pop()
        if node.type in kinds and _name_of(node):
            num_found += 1
            yield _describe(tree, node, kinds)
        stack += reversed(node.named_children)


def _inside_line(tree: SyntaxTree, start: int, end: int) -> tuple[int, int]:
    """Positions of a range without the blanks at its ends; a cursor beside its line's code is moved in."""
    text = tree.text
    picked = text[start:end]
    if picked.strip():
        return (
            tree.position(start + len(picked) - len(picked.lstrip())),
            tree.position(start + len(picked.rstrip())),
        )
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    if line.strip():
        first = line_start + len(line) - len(line.lstrip())
        start = min(max(start, first), line_start + len(line.rstrip()) - 1)
    at = tree.position(start)
    return at, at


def _declared(node: Node, kinds: dict[str, Kind]) -> Node | None:
    """The declaration that a node is, or that it is the statement of."""
    inner: Node | None = node
    for _ in range(MAX_WRAPS):
        if inner is None:
            return None
        if inner.type in kinds:
            return inner if _name_of(inner) else None
        inner = _inner(inner)
    return None


def _inner(node: Node) -> Node | None:
    for name in _INNER.get(node.type, ()):
        child = node.child_by_field_name(name) if name else next(iter(node.named_children), None)
        if child is not None:
            return child
    return None


def _name_of(node: Node) -> str:
    """Its own name, or the name of what it is the value of; empty for a callback."""
    for _ in range(MAX_WRAPS):
        for field in _NAMES:
            name = node.child_by_field_name(field)
            if name is not None:
                return _text(name)
        parent = node.parent
        inner = _inner(parent) if parent is not None else None
        if parent is None or parent.type not in _INNER or inner is None or inner.id != node.id:
            return ""
        if parent.type == "export_statement":
            return "default"
        node = parent
    return ""


def _outer(node: Node) -> Node:
    """The whole statement of a declaration."""
    for _ in range(MAX_WRAPS):
        parent = node.parent
        inner = _inner(parent) if parent is not None else None
        if parent is None or inner is None or inner.id != node.id:
            return node
        node = parent
    return node


def _describe(tree: SyntaxTree, node: Node, kinds: dict[str, Kind]) -> Declaration:
    outer = _outer(node)
    first = outer
    while first.prev_sibling is not None and first.prev_sibling.type == "decorator":
        first = first.prev_sibling
    body = node.child_by_field_name("body")
    doc, slot = description(tree, node, body, first)
    return Declaration(
        name=_name_of(node),
        kind=kinds[node.type],
        owner=_owner(node, kinds),
        start=tree.offset(first.start_byte),
        end=tree.offset(outer.end_byte),
        header_end=tree.offset(_header_end(node, body)),
        body=None if body is None else Span(tree.offset(body.start_byte), tree.offset(body.end_byte)),
        doc=doc,
        slot=slot,
    )


def _owner(node: Node, kinds: dict[str, Kind]) -> str:
    around = node.parent
    while around is not None:
        if around.type in kinds:
            return _name_of(around) if kinds[around.type] is not Kind.FUNCTION else ""
        around = around.parent
    return ""


def _header_end(node: Node, body: Node | None) -> int:
    """Behind the colon in Python, where a comment may follow; before the bracket elsewhere."""
    if body is None:
        return node.end_byte
    colons = [child for child in node.children if child.type == ":" and child.end_byte <= body.start_byte]
    return colons[-1].end_byte if colons else body.start_byte


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", errors="replace")
