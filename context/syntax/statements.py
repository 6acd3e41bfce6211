"""The lines that a fault is about: a simple statement, or the header of a compound one. Knows trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from context.syntax.described import Span
from context.syntax.errors import faults, is_broken
from context.syntax.rows import ROWS
from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

_TOPS = frozenset({"module", "program"})


def statement_lines(tree: SyntaxTree, family: str, start: int, end: int) -> Span:
    """The code of the lines of the smallest statement around a range, without the first one's margin.

    Of a statement with a block only its header; in broken code the lines of the range alone.
    """
    end = start + len(tree.text[start:end].rstrip())  # whole lines are given with their line end
    first, last = tree.position(start), tree.position(end)
    rows = _rows(tree, family, first, last)
    begin = tree.line_start(rows[0])
    line = tree.data[begin : tree.line_end(begin)]
    begin += len(line) - len(line.lstrip())
    return Span(tree.offset(begin), tree.offset(max(begin, tree.line_end(rows[1]))))


def faults_between(tree: SyntaxTree, start: int, end: int) -> list[Span]:
    """The syntax errors that begin between two offsets, in source order."""
    first, last = tree.position(start), tree.position(end)
    found = sorted(each for each in faults(tree.root) if first <= each.start <= last)
    return [Span(tree.offset(each.start), tree.offset(each.end)) for each in found]


def is_broken_between(tree: SyntaxTree, start: int, end: int) -> bool:
    """Whether something between two offsets fits nowhere, wherever the error begins."""
    return is_broken(tree.root, tree.position(start), tree.position(end))


def num_faults(tree: SyntaxTree) -> int:
    """How many syntax errors a text has."""
    return len(faults(tree.root))


def _rows(tree: SyntaxTree, family: str, first: int, last: int) -> tuple[int, int]:
    """A position on the first and one on the last line."""
    row = ROWS.get(family)
    code = first
    if not tree.data[tree.line_start(first) : first].strip():
        line = tree.data[tree.line_start(first) : tree.line_end(first)]
        code = tree.line_start(first) + len(line) - len(line.lstrip())
    node = tree.root.descendant_for_byte_range(code, max(code, min(last, tree.line_end(first))))
    bodies = (row.bodies if row else frozenset()) | _TOPS
    while node is not None and node.parent is not None and node.parent.type not in bodies:
        if node.is_error:
            return first, last
        node = node.parent
    if node is None or node.parent is None or node.is_error or node.has_error:
        return first, last
    end = _header_end(node, bodies)
    if end <= first:
        return first, last  # `else:` and what else stands between blocks
    return node.start_byte, max(end, min(last, end))


def _header_end(node: Node, bodies: frozenset[str]) -> int:
    """Where the first block inside begins, or the end of a statement without one."""
    stack = [*reversed(node.children)]
    while stack:
        child = stack.pop()
        if child.type in bodies:
            return (
                child.start_byte if child.type.endswith("body") or child.child_count == 0 else _before(child)
            )
        if child.child_count and child.end_byte > child.start_byte:
            stack += reversed(child.children)
    return node.end_byte


def _before(block: Node) -> int:
    """The last byte of the token that opens a block."""
    return block.start_byte if block.prev_sibling is None else block.prev_sibling.end_byte
