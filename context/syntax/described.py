"""The description of a declaration: where it stands, or where one would go. Docstrings and JSDoc.

Knows a tree and the names of a few nodes; knows no declaration's name or kind. Offsets are code points.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, NamedTuple

from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

QUOTES = '"""'
OPENS, CLOSES = "/**", "*/"
_STAR = re.compile(r"(?m)^[ \t]*\*?[ \t]?")


class Span(NamedTuple):
    """A range of a text."""

    start: int
    end: int


class DocSlot(NamedTuple):
    """Where a description goes: `before`, its text and `after` stand instead of the range."""

    start: int
    end: int
    before: str
    after: str
    indent: str
    """Of each further line."""
    is_docstring: bool


def description(
    tree: SyntaxTree, node: Node, body: Node | None, first: Node
) -> tuple[Span | None, DocSlot | None]:
    """The text of a declaration's description, and the place for one; `first` begins its statement."""
    if node.type in ("function_definition", "class_definition"):
        return _docstring(tree, node, body)
    return _comment(tree, first)


def plain_text(text: str, *, is_docstring: bool) -> str:
    """A description without the margins of its lines, and without the stars of a comment."""
    if is_docstring:
        return cleandoc(text)
    return "\n".join(_STAR.sub("", line).rstrip() for line in text.strip().split("\n")).strip()


def _docstring(tree: SyntaxTree, node: Node, body: Node | None) -> tuple[Span | None, DocSlot | None]:
    colon = next((child for child in reversed(node.children) if child.type == ":"), None)
    if body is None or colon is None or not body.named_children:
        return None, None
    line_start = tree.line_start(body.start_byte)
    margin = tree.data[line_start : body.start_byte].decode("utf-8", errors="replace")
    string = _string(body)
    if string is not None:
        span = Span(tree.offset(string.children[0].end_byte), tree.offset(string.children[-1].start_byte))
        slot = DocSlot(*span, "", "", margin if not margin.strip() else "", True)
        return (span if tree.text[span.start : span.end].strip() else None), slot
    newline = _newline(tree)
    if body.start_point.row == colon.start_point.row:
        header = tree.data[tree.line_start(node.start_byte) :].decode("utf-8", errors="replace")
        outer = header[: len(header) - len(header.lstrip(" \t"))]
        indent = outer + ("\t" if "\t" in outer else "    ")
        start, end = tree.offset(colon.end_byte), tree.offset(body.start_byte)
        return None, DocSlot(
            start, end, f"{newline}{indent}{QUOTES}", f"{QUOTES}{newline}{indent}", indent, True
        )
    if margin.strip():
        return None, None
    at = tree.data.find(b"\n", colon.end_byte) + 1
    is_class = node.type == "class_definition" and tree.data[at : tree.line_end(at)].strip()
    after = QUOTES + newline * (2 if is_class else 1)
    start = tree.offset(at)
    return None, DocSlot(start, start, margin + QUOTES, after, margin, True)


def _string(body: Node) -> Node | None:
    """The string that a block begins with."""
    first = next((child for child in body.named_children if child.type != "comment"), None)
    if first is None or first.type != "expression_statement" or first.named_child_count != 1:
        return None
    string = first.named_children[0]
    is_plain = string.type == "string" and string.child_count >= 2
    if not is_plain or any(child.type == "interpolation" for child in string.children):
        return None
    return string


def _comment(tree: SyntaxTree, first: Node) -> tuple[Span | None, DocSlot]:
    """What stands right above, or its place."""
    line_start = tree.line_start(first.start_byte)
    margin = tree.data[line_start : first.start_byte].decode("utf-8", errors="replace")
    above = first.prev_sibling
    if above is not None and above.type == "comment" and _is_description(tree, above, first):
        span = Span(tree.offset(above.start_byte + len(OPENS)), tree.offset(above.end_byte - len(CLOSES)))
        slot = DocSlot(*span, " ", " ", margin if not margin.strip() else "", False)
        return (span if tree.text[span.start : span.end].strip(" \t\r\n*") else None), slot
    at = tree.offset(first.start_byte)
    if margin.strip():
        return None, DocSlot(at, at, OPENS, f" {CLOSES} ", "", False)
    return None, DocSlot(at, at, OPENS, f" {CLOSES}{_newline(tree)}{margin}", margin, False)


def _is_description(tree: SyntaxTree, comment: Node, first: Node) -> bool:
    text = comment.text or b""
    between = tree.data[comment.end_byte : first.start_byte]
    is_whole = text.startswith(OPENS.encode()) and text.endswith(CLOSES.encode()) and len(text) > 4
    return is_whole and between.count(b"\n") <= 1


def _newline(tree: SyntaxTree) -> str:
    return "\r\n" if "\r\n" in tree.text[:4096] else "\n"
