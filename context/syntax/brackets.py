"""The brackets that are open at a place in a tree, also in a broken one. Knows no language.

Nodes without an error hold as many closing brackets as opening ones, so only broken nodes and those around
the place are looked into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from context.syntax.tree import SyntaxTree, indent_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NODES = 30_000
"""Looked at for one place."""
MAX_CHILDREN = 64
"""Of a node with more, if it is whole, only the first, the last and the one at the place are looked at."""

CLOSER = {"(": ")", "[": "]", "{": "}", "${": "}"}
_CLOSERS = frozenset(CLOSER.values())
_TAG_OPENS, _TAG_CLOSES = "jsx_opening_element", "jsx_closing_element"


@dataclass(slots=True)
class Bracket:
    """A token that opens or closes."""

    position: int
    token: str
    """Of one that opens, what closes it."""
    is_opening: bool
    indent: int = 0
    """Of its line."""
    closed_at: int = -1
    """Of one that opens: where."""


@dataclass(frozen=True, slots=True)
class OpenBrackets:
    """Those that open before a place and do not close before it, the outermost first."""

    opened: tuple[Bracket, ...]
    behind: int
    """Where those that stand directly behind the place, on its line, and close some of them, end."""

    @property
    def closers(self) -> str:
        """What may be said at the place: what closes what nothing closes, and what stands directly behind."""
        return "".join(token for token in self.endings if len(token) == 1)

    @property
    def endings(self) -> tuple[str, ...]:
        """The same with the ends of JSX elements, the innermost first."""
        rows = (row for row in reversed(self.opened) if row.closed_at < self.behind)
        return tuple(row.token for row in rows)


def open_brackets(tree: SyntaxTree, at: int) -> OpenBrackets | None:
    """What is open at a position; None where that would take too long to tell."""
    found = _loose(tree, at)
    if found is None:
        return None
    opened: list[Bracket] = []
    for row in found:
        if row.position < at:
            _take(opened, row, tree)
    stack = list(opened)
    for row in found:
        if row.position >= at:
            _take(stack, row, tree)
    return OpenBrackets(tuple(opened), _end_of_run(tree.data, at, {row.closed_at for row in opened}))


def _take(stack: list[Bracket], row: Bracket, tree: SyntaxTree) -> None:
    """One that closes an outer one leaves the inner unclosed; one that closes nothing is passed over.

    One that begins its line does not close what a line further right opened, if there is another.
    """
    start = tree.line_start(row.position)
    before = tree.data[start : row.position]
    if row.is_opening:
        row.indent = indent_of(before)
        stack.append(row)
        return
    fitting = [index for index, other in enumerate(stack) if other.token == row.token]
    if not before.strip():
        column = indent_of(before)
        fitting = [index for index in fitting if stack[index].indent <= column] or fitting
    if fitting:
        stack[fitting[-1]].closed_at = row.position
        del stack[fitting[-1] :]


def _loose(tree: SyntaxTree, at: int) -> list[Bracket] | None:
    """The brackets outside nodes that are whole and do not hold the place, in source order."""
    found: list[Bracket] = []
    stack = [tree.root]
    num_nodes = 0
    while stack:
        node = stack.pop()
        num_nodes += 1
        if num_nodes > MAX_NODES:
            return None
        if not node.child_count:
            found += _tokens(node)
        elif node.has_error:
            stack += reversed(node.children)
        elif node.start_byte < at < node.end_byte:
            stack += reversed(_children_near(node, at))
        elif node.type in (_TAG_OPENS, _TAG_CLOSES):
            found.append(_tag(node))
    return found


def _children_near(node: Node, at: int) -> list[Node]:
    if node.child_count <= MAX_CHILDREN:
        return node.children
    near = [node.child(0), node.first_child_for_byte(at), node.child(node.child_count - 1)]
    found: list[Node] = []
    for child in near:
        if child is not None and (not found or child.start_byte > found[-1].start_byte):
            found.append(child)
    return found


def _tokens(leaf: Node) -> Iterator[Bracket]:
    """A leaf that is an error may be several characters that fit nowhere."""
    start = leaf.start_byte
    if leaf.is_missing:
        return
    if leaf.type in CLOSER:
        yield Bracket(start, CLOSER[leaf.type], True)
    elif leaf.type in _CLOSERS:
        yield Bracket(start, leaf.type, False)
    elif leaf.is_error:
        for index, byte in enumerate(leaf.text or b""):
            token = chr(byte)
            if token in CLOSER or token in _CLOSERS:
                yield Bracket(start + index, CLOSER.get(token, token), token in CLOSER)


def _tag(node: Node) -> Bracket:
    name = node.child_by_field_name("name")
    text = (name.text or b"").decode("utf-8", errors="replace") if name else ""
    return Bracket(node.start_byte, f"</{text}>", node.type == _TAG_OPENS)


def _end_of_run(data: bytes, at: int, closing: set[int]) -> int:
    """Behind the brackets at `closing` that follow a position, blanks between them allowed."""
    end = position = at
    while position in closing or data[position : position + 1] in (b" ", b"\t"):
        position += 1
        end = position if position - 1 in closing else end
    return end
