"""Whether lines stand at levels that the blocks around them have, where indentation tells blocks.

The grammars take any indentation; the language does not. Knows a tree and the row of its family.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from context.syntax.blocks import token_opens
from context.syntax.rows import SyntaxRow
from context.syntax.tree import SyntaxTree, indent_of

if TYPE_CHECKING:
    from tree_sitter import Node

_CLAUSES = frozenset(
    {"case_clause", "elif_clause", "else_clause", "except_clause", "except_group_clause", "finally_clause"}
)

_CONTAINERS = frozenset({"block", "decorated_definition", "module"})


class _Line(NamedTuple):
    """A line that begins a statement or a clause of one."""

    start: int
    """Where its code begins."""
    width: int


class _Levels:
    """The levels of the blocks that are open before a line."""

    def __init__(self, levels: list[int]) -> None:
        self._levels = levels

    def take(self, width: int, is_opened: bool) -> bool:
        """Whether the next line may begin there; if so, the levels are those after it."""
        if is_opened and width > self._levels[-1]:
            self._levels.append(width)
            return True
        if is_opened or width not in self._levels:
            return False
        del self._levels[self._levels.index(width) + 1 :]
        return True

    def copy(self) -> _Levels:
        """For a line that may not count."""
        return _Levels(list(self._levels))


def fits(tree: SyntaxTree, start: int, end: int, row: SyntaxRow) -> bool:
    """Whether the lines that begin between two positions, and the one below, stand at levels that are open.

    That a block has no lines yet is no fault of the last one, and the line below is looked at only if it
    would stand well without them.
    """
    first = tree.line_start(start)
    if tree.data[first:start].strip():
        first = tree.line_end(start) + 1
    levels = _levels_above(tree, first)
    below = next(_code_lines(tree, tree.line_end(end) + 1), None)
    counts = below is not None and levels.copy().take(below.width, _is_opened(tree, first, row))
    for line in _code_lines(tree, first, end):
        if not levels.take(line.width, _is_opened(tree, line.start, row)):
            return False
    if below is None or not counts or _is_opened(tree, below.start, row):
        return True
    return levels.take(below.width, False)


def _levels_above(tree: SyntaxTree, position: int) -> _Levels:
    """Every line above that is further left than all between it and the position has an open level."""
    levels: list[int] = []
    while position > 0 and (not levels or levels[-1] > 0):
        start = tree.line_start(position - 1)
        line = tree.data[start:position]
        column = indent_of(line)
        if line.strip() and (not levels or column < levels[-1]) and (code := _code_line(tree, start)):
            levels.append(code.width)
        position = start
    return _Levels(levels[::-1] or [0])


def _is_opened(tree: SyntaxTree, position: int, row: SyntaxRow) -> bool:
    """Whether what stands before a line opens a block."""
    last = tree.token_before(position, row.comments)
    return last is not None and token_opens(last, row)


def _code_lines(tree: SyntaxTree, position: int, end: int | None = None) -> Iterator[_Line]:
    """The lines that begin between two positions."""
    end = len(tree.data) if end is None else end
    while position < end:
        line = _code_line(tree, position)
        if line is not None and line.start < end:
            yield line
        position = tree.data.find(b"\n", position) + 1 or len(tree.data)


def _code_line(tree: SyntaxTree, start: int) -> _Line | None:
    """The line that begins at a position, if a statement or clause begins with it."""
    line = tree.data[start : tree.line_end(start)]
    if not line.strip() or line.lstrip().startswith(b"#"):
        return None
    code = start + len(line) - len(line.lstrip())
    node: Node | None = tree.leaf_at(code)
    while node is not None and node.start_byte == code:
        parent = node.parent
        if node.type in _CLAUSES or (parent is not None and parent.type in _CONTAINERS):
            return None if node.is_error else _Line(code, indent_of(line))
        node = parent
    return None
