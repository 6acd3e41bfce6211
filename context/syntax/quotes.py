"""Strings and comments that are begun and not ended at a place: they would swallow what follows.

Found in the text first, as such a text is dear to parse, and then proved: the ending is put in for a try.
Knows the row of a family.
"""

from __future__ import annotations

from typing import NamedTuple

from context.syntax.brackets import CLOSER
from context.syntax.rows import Quote, SyntaxRow
from context.syntax.tree import SyntaxTree


class Ended(NamedTuple):
    """A text in which what was begun at a place has an end."""

    tree: SyntaxTree
    ending: str
    """What was put in at the place."""


def end_quote(near: SyntaxTree, text: str, offset: int, row: SyntaxRow) -> Ended | None:
    """The text with the string or comment ended that swallows what follows the offset; None if there is none.

    `near` is the tree of any similar text.
    """
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    line = start, offset, len(text) if end < 0 else end
    for quote in row.quotes:
        first, at, last = line if quote.is_one_line else (0, offset, len(text))
        begun = _begun(text[first:at], text[at:last], quote)
        if begun is None:
            continue
        ending = _ending(begun, quote, row)
        tree = near.updated(f"{text[:offset]}{ending}{text[offset:]}")
        if _is_inside(tree, offset, row):
            return Ended(tree, ending)
    return None


def is_in_comment(tree: SyntaxTree, at: int, row: SyntaxRow) -> bool:
    """Whether a position is in a comment; behind the last character of one that ends with its line, too."""
    leaf = tree.leaf_at(at - 1) if at else None
    if leaf is None or leaf.type not in row.comments or at <= leaf.start_byte:
        return False
    return at < leaf.end_byte or not (leaf.text or b"").endswith((b"*/", b"-->"))


def is_in_string(tree: SyntaxTree, at: int, row: SyntaxRow) -> bool:
    """Whether a position is in the text of a string, not in code that stands in it."""
    return _string_part(tree, at, row) in row.strings


def _is_inside(tree: SyntaxTree, offset: int, row: SyntaxRow) -> bool:
    at = tree.position(offset)
    return bool(_string_part(tree, at, row)) or is_in_comment(tree, at, row)


def _string_part(tree: SyntaxTree, at: int, row: SyntaxRow) -> str:
    """The type of the innermost string, or code in one, around a position; empty outside."""
    node = tree.node_around(at)
    if node.type == "string_start":
        return ""
    while node.type not in row.strings and node.type not in row.string_code:
        if node.parent is None:
            return ""
        node = node.parent
    return node.type


def _begun(before: str, after: str, quote: Quote) -> str | None:
    """The text since an opening that seems to have no end, neither before the place nor after it."""
    if quote.opening != quote.closing:
        start = before.rfind(quote.opening)
        is_open = start > before.rfind(quote.closing)
        closed, opened = after.find(quote.closing), after.find(quote.opening)
        is_ended = closed >= 0 and not 0 <= opened < closed
        return before[start:] if is_open and not is_ended else None
    if _count(before, quote.opening) % 2 == 0 or _count(after, quote.opening) % 2:
        return None
    return before[before.rfind(quote.opening) :]


def _count(text: str, quote: str) -> int:
    if "\\" in text:
        text = text.replace("\\\\", "").replace(f"\\{quote}", "")
    return text.count(quote)


def _ending(begun: str, quote: Quote, row: SyntaxRow) -> str:
    """What ends a quote, brackets of code inside it first."""
    code = begun.rfind(row.code_in_string) if quote.opening == quote.closing else -1
    stack: list[str] = []
    for character in begun[code:] if code >= 0 else "":
        if character in CLOSER:
            stack.append(CLOSER[character])
        elif stack and character == stack[-1]:
            stack.pop()
    return "".join(reversed(stack)) + quote.closing
