"""The whole statements that a range touches, with their blocks, as whole lines. Knows trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from context.syntax.described import Span
from context.syntax.rows import ROWS
from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

_TOPS = frozenset({"module", "program"})


def whole_statements(tree: SyntaxTree, family: str, start: int, end: int) -> Span | None:
    """Their lines without the first one's margin; None where there is no code.

    All lie in one block, the smallest around the range. In broken code it is the lines of the range alone.
    """
    lines = _code_lines(tree, tree.position(start), tree.position(end))
    if lines is None:
        return None
    bodies = (row.bodies if (row := ROWS.get(family)) else frozenset()) | _TOPS
    wider: tuple[int, int] | None = lines
    while wider is not None:  # what shares a line with a statement belongs to it as well
        lines = wider
        nodes = _touched(tree, bodies, *lines)
        if not nodes or any(node.has_error for node in nodes):
            break
        around = min(lines[0], nodes[0].start_byte), max(lines[1], nodes[-1].end_byte)
        found = _code_lines(tree, *around)
        wider = found if found != lines else None
    return Span(tree.offset(lines[0]), tree.offset(lines[1]))


def _touched(tree: SyntaxTree, bodies: frozenset[str], first: int, last: int) -> list[Node]:
    """The statements of one block that a range of positions touches."""
    node = tree.root.descendant_for_byte_range(first, max(first, last - 1))
    while node is not None and node.type not in bodies and node.parent is not None:
        if node.is_error:
            return []
        if node.parent.type in bodies:
            return [node]
        node = node.parent
    if node is None or node.is_error:
        return []
    return [child for child in node.named_children if child.start_byte < last and child.end_byte > first]


def _code_lines(tree: SyntaxTree, first: int, last: int) -> tuple[int, int] | None:
    """The lines of a range without blanks at its ends; the line end of a whole line does not count."""
    data = tree.data
    if last > first and last == tree.line_start(last):
        last -= 1
    first, last = tree.line_start(first), tree.line_end(last)
    code = data[first:last]
    if not code.strip():
        return None
    start = first + len(code) - len(code.lstrip())
    end = first + len(code.rstrip())
    return start, tree.line_end(end)
