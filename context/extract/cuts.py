"""Source text with pieces cut out. Knows nodes, no language: brackets, quotes, comments and line ends only.

What is left parses like the source, because only the contents of brackets and quotes, comments and later
operands are ever cut, and lines are joined only where their break means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_WALKED = 2_000
"""Nodes looked at to shorten one text."""
MAX_OPERAND = 240
MAX_PATTERN = 480
"""The names that a parameter is taken apart into are kept up to this length."""

_PAIRS = {"{": "}", "[": "]", "(": ")"}
_ENDS_OPEN = re.compile(r"(?:[,;{(\[<|&?:=.+]|=>)$")
_STARTS_ON = re.compile(r"^(?:[)\]}>|&?:.=,;]|extends\b|implements\b)")

Place = tuple[int, int]
"""First and last byte of a node."""
Cut = tuple[int, int, str]
"""First and last byte of what goes, and what stands there instead."""


def place_of(node: Node) -> Place:
    """Where a node stands."""
    return node.start_byte, node.end_byte


def text_of(node: Node) -> str:
    """A node's source."""
    return (node.text or b"").decode("utf-8", errors="replace")


def inside_of(node: Node) -> Place:
    """Where the contents of a node begin and end, without its brackets."""
    first, last = node.children[0], node.children[-1]
    return (
        node.start_byte if first.is_named else first.end_byte,
        node.end_byte if last.is_named else last.start_byte,
    )


def cut(data: bytes, place: Place, cuts: Iterable[Cut]) -> str:
    """The text of a place without the cuts inside it; of nested ones the outer counts."""
    position, end = place
    pieces = []
    for start, stop, instead in sorted(cuts, key=lambda row: (row[0], -row[1])):
        if position <= start and stop <= end:
            pieces += [data[position:start].decode("utf-8", errors="replace"), instead]
            position = stop
    pieces.append(data[position:end].decode("utf-8", errors="replace"))
    return "".join(pieces).strip()


def comments(root: Node, place: Place, taken: Iterable[Cut]) -> list[Cut]:
    """Cuts that take out the comments of a place, but for those that are cut already."""
    data = root.text or b""
    found = []
    for node in _walk(root, place, taken, 1):
        if node.is_extra:
            end = node.end_byte
            # `= /*@__PURE__*/ make()` keeps one blank, not two
            if data[node.start_byte - root.start_byte - 1 : node.start_byte - root.start_byte] == b" ":
                end += data[end - root.start_byte :][:1] == b" "
            found.append((node.start_byte, end, ""))
    return found


def emptied(root: Node, place: Place, taken: Iterable[Cut], size: int, brackets: str) -> Iterator[Cut]:
    """Cuts that empty the outermost brackets, or quotes, that are longer than a size."""
    done = 0
    for node in _walk(root, place, taken, size):
        if node.child_count < 2 or node.start_byte < done:
            continue
        first, last = node.children[0], node.children[-1]
        is_bracket = first.type in brackets and last.type == _PAIRS.get(first.type, first.type)
        if first.type == "(":
            # brackets around an expression hold what may not be missing
            is_bracket = is_bracket and "argument" in node.type
        elif "pattern" in node.type:
            is_bracket = is_bracket and node.end_byte - node.start_byte > MAX_PATTERN
        if is_bracket:
            done = node.end_byte
            yield first.end_byte, last.start_byte, ""


def first_operands(value: Node) -> Iterator[int]:
    """Where the left operands of a chain end, the longest first: `a + b` and `a` of `a + b + c`."""
    node = value
    while node.named_child_count and (first := node.named_child(0)) and first.type == node.type:
        node = first
        if node.end_byte - value.start_byte <= MAX_OPERAND:
            yield node.end_byte


def joined(text: str) -> str:
    """Lines as one where no line break can mean anything; a comment may end at one, a string may hold one."""
    lines = [line for line in (line.strip() for line in text.split("\n")) if line]
    if len(lines) < 2:
        return "".join(lines)
    if any(mark in text for mark in ("//", "`", '"""')):
        return text
    if not all(_ENDS_OPEN.search(a) or _STARTS_ON.match(b) for a, b in pairwise(lines)):
        return text
    line = lines[0]
    for following in lines[1:]:
        if following[0] in ")]}>":
            line = line.removesuffix(",")
        is_tight = line[-1] in "([<" or following[0] in ")]>"
        line += following if is_tight else f" {following}"
    return line


def moved(text: str, column: int, pad: str) -> str:
    """A text that begins at a column of its source, moved so that it begins at the pad."""
    first, *rest = text.split("\n")
    lines = [re.sub(rf"^[ \t]{{0,{column}}}", "", line).rstrip() for line in rest if line.strip()]
    return "\n".join(f"{pad}{line}" for line in [first.strip(), *lines])


def _walk(root: Node, place: Place, taken: Iterable[Cut], size: int) -> Iterator[Node]:
    """Nodes of a place longer than a size, in source order, without what is cut."""
    gone = {(start, end) for start, end, _ in taken}
    stack = [root]
    for _ in range(MAX_WALKED):
        if not stack:
            return
        node = stack.pop()
        if node.end_byte - node.start_byte > size and place_of(node) not in gone:
            if node.end_byte <= place[1]:
                yield node
            stack += reversed(node.children)
