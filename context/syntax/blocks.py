"""Whether a place is in a block of which nothing is written yet. Knows a tree and the row of its family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from context.syntax.rows import SyntaxRow
from context.syntax.tree import SyntaxTree, indent_of

if TYPE_CHECKING:
    from tree_sitter import Node


def is_open_block(tree: SyntaxTree, at: int, row: SyntaxRow) -> bool:
    """Whether a block is to be written at a position, where every bracket is closed."""
    leaf = tree.token_before(at, row.comments)
    if row.is_indented and leaf is not None:
        leaf = _before_docstring(tree, leaf, at, row)
    if leaf is None or not token_opens(leaf, row):
        return False
    return _has_no_lines(tree, at, leaf) if row.is_indented else _has_no_code(tree, at, row)


def token_opens(leaf: Node, row: SyntaxRow) -> bool:
    """Whether a token opens a block."""
    parent = leaf.parent
    if parent is None:
        return False
    if (leaf.type, parent.type) in row.openers:
        return True
    return parent.is_error and leaf.type == ":" and _header_word(leaf, row) is not None


def _header_word(leaf: Node, row: SyntaxRow) -> Node | None:
    """The word that began the header which a colon ends, where a statement is broken."""
    closing = 0
    node = leaf.prev_sibling
    while node is not None and node.end_point.row == leaf.start_point.row:
        closing += (node.type in (")", "]", "}")) - (node.type in ("(", "[", "{"))
        if closing < 0 or node.type == "lambda":
            return None
        if node.type in row.opener_words:
            return node
        node = node.prev_sibling
    return None


def _before_docstring(tree: SyntaxTree, leaf: Node, at: int, row: SyntaxRow) -> Node | None:
    """The token before a docstring that stands above the position's line; without one, the token itself."""
    string = leaf.parent
    if leaf.type != "string_end" or string is None or leaf.end_byte > tree.line_start(at):
        return leaf
    before = tree.token_before(string.start_byte, row.comments)
    return before if before is not None and token_opens(before, row) else leaf


def _has_no_lines(tree: SyntaxTree, at: int, opener: Node) -> bool:
    """Whether no line below is part of the block, which is deeper than the line of its header."""
    data = tree.data
    if data[at : tree.line_end(at)].strip():
        return False
    parent = opener.parent
    first = opener if parent is None or parent.is_error else parent
    header = indent_of(data[tree.line_start(first.start_byte) :][:1000])
    line_start = tree.line_start(at)
    if line_start > opener.start_byte and indent_of(data[line_start:at]) <= header:
        return False
    below = _code_line_from(data, tree.line_end(at))
    return below is None or indent_of(below) <= header


def _code_line_from(data: bytes, position: int) -> bytes | None:
    """The first line after a position that is neither blank nor a comment."""
    while (newline := data.find(b"\n", position)) >= 0:
        end = data.find(b"\n", newline + 1)
        line = data[newline + 1 : end if end >= 0 else len(data)]
        if line.strip() and not line.lstrip().startswith(b"#"):
            return line
        position = newline + 1
    return None


def _has_no_code(tree: SyntaxTree, at: int, row: SyntaxRow) -> bool:
    """Whether the block is closed before any code."""
    data = tree.data
    while True:
        at += len(data[at:]) - len(data[at:].lstrip())
        leaf = tree.leaf_at(at) if at < len(data) else None
        if leaf is None or leaf.type not in row.comments:
            return leaf is not None and leaf.type == "}"
        at = leaf.end_byte
