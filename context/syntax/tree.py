"""A text and its tree-sitter tree; after an edit only what it changed is parsed. Knows no language.

Frozen: an edit gives a new one. Offsets are code points of the text, positions are bytes of its UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

TAB = 8


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """One text, parsed."""

    text: str
    data: bytes
    """The text in UTF-8; what has no UTF-8 is one question mark."""
    tree: Tree
    parser: Parser

    @classmethod
    def parse(cls, parser: Parser, text: str) -> SyntaxTree:
        """From nothing."""
        data = _encoded(text)
        return cls(text, data, parser.parse(data), parser)

    @property
    def root(self) -> Node:
        """The whole file."""
        return self.tree.root_node

    def updated(self, text: str) -> SyntaxTree:
        """The tree of another text; costs about as much as the two differ."""
        if text == self.text:
            return self
        same = common_prefix(self.text, text)
        below = common_suffix(self.text, text, min(len(self.text), len(text)) - same)
        return self._edited(same, len(self.text) - below, text[same : len(text) - below], text)

    def replaced(self, start: int, end: int, new: str) -> SyntaxTree:
        """The tree with other text between two offsets."""
        return self._edited(start, end, new, f"{self.text[:start]}{new}{self.text[end:]}")

    def position(self, offset: int) -> int:
        """Where an offset is in `data`."""
        return offset if len(self.data) == len(self.text) else len(_encoded(self.text[:offset]))

    def offset(self, position: int) -> int:
        """Which offset a position is; inside a character, its own."""
        if len(self.data) == len(self.text):
            return position
        return len(self.data[:position].decode("utf-8", errors="ignore"))

    def leaf_at(self, position: int) -> Node | None:
        """The smallest node that holds the byte at a position."""
        return self.root.descendant_for_byte_range(position, position + 1)

    def node_around(self, position: int) -> Node:
        """The smallest node that begins before a position and ends after it; the root where there is none."""
        if not 0 < position < len(self.data):
            return self.root
        return self.root.descendant_for_byte_range(position - 1, position + 1) or self.root

    def line_start(self, position: int) -> int:
        """Where the line of a position begins."""
        return self.data.rfind(b"\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        """Where the line of a position ends, its line end not counted."""
        end = self.data.find(b"\n", position)
        end = len(self.data) if end < 0 else end
        return end - (end > position and self.data[end - 1] == 13)

    def token_before(self, position: int, skipped: frozenset[str] = frozenset()) -> Node | None:
        """The last leaf before a position that is not of a skipped type; None at the start."""
        while True:
            position = len(self.data[:position].rstrip())
            leaf = self.leaf_at(position - 1) if position else None
            if leaf is None or leaf.type not in skipped:
                return leaf
            position = leaf.start_byte

    def _edited(self, start: int, end: int, new: str, text: str) -> SyntaxTree:
        first, last = self.position(start), self.position(end)
        data = b"".join((self.data[:first], _encoded(new), self.data[last:]))
        new_last = len(data) - (len(self.data) - last)
        tree = self.tree.copy()
        tree.edit(
            first,
            last,
            new_last,
            _point(self.data, first),
            _point(self.data, last),
            _point(data, new_last),
        )
        return SyntaxTree(text, data, self.parser.parse(data, tree), self.parser)


def common_prefix(old: str, new: str) -> int:
    """How many characters two texts begin with in common; found by halving."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old.startswith(new[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def common_suffix(old: str, new: str, limit: int) -> int:
    """How many characters, up to a limit, two texts end with in common."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if old.endswith(new[len(new) - middle : len(new) - low], 0, len(old) - low):
            low = middle
        else:
            high = middle - 1
    return low


def indent_of(line: bytes) -> int:
    """How far right a line begins."""
    line = line.expandtabs(TAB)
    return len(line) - len(line.lstrip(b" "))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _point(data: bytes, position: int) -> tuple[int, int]:
    return data.count(b"\n", 0, position), position - data.rfind(b"\n", 0, position) - 1
