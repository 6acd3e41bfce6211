"""The errors of a tree. Knows no language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NODES = 30_000
"""Looked at for one question."""


class SyntaxFault(NamedTuple):
    """An error node, or a token that is missing."""

    start: int
    end: int
    kind: str


def is_broken(root: Node, start: int, end: int) -> bool:
    """Whether a token between two positions fits nowhere, or one is missing there."""
    for node in _broken(root, start, end):
        if node.is_missing or (node.is_error and not node.child_count):
            return True
        if node.is_error and any(
            not child.child_count and child.start_byte <= end and child.end_byte >= start
            for child in node.children
        ):
            return True
    return False


def faults(root: Node) -> set[SyntaxFault]:
    """All errors of a tree."""
    return {
        SyntaxFault(node.start_byte, node.end_byte, node.type)
        for node in _broken(root, 0, root.end_byte)
        if node.is_error or node.is_missing
    }


def _broken(root: Node, start: int, end: int) -> Iterator[Node]:
    """The nodes with an error in them that touch a range of positions."""
    stack = [root]
    num_nodes = 0
    while stack and num_nodes < MAX_NODES:
        node = stack.pop()
        num_nodes += 1
        if node.has_error and node.start_byte <= end and node.end_byte >= start:
            yield node
            stack += node.children
