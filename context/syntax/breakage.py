"""Whether text put into a document adds a syntax error. Pure; knows a tree and the row of its family.

What is asked of the new text: nothing in it, or because of it, fits nowhere. It may stop before its end: an
error that more text would cure is none. Where the document around it is broken anyway, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import thread_time
from typing import NamedTuple

from context.syntax.brackets import open_brackets
from context.syntax.errors import SyntaxFault, faults
from context.syntax.indentation import fits
from context.syntax.quotes import end_quote, is_in_comment
from context.syntax.rows import SyntaxRow
from context.syntax.tree import SyntaxTree

NEAR_LINES = 20
"""An error that the document has so near, above or below, makes it unknown what is new."""
KEPT_LINES = 40
"""So many lines below the new text, at least, are parsed with it: a broken text is dear to parse."""
MAX_KEPT_LINES = 200
MAX_SECONDS = 0.02
"""Spent on cures; what was not cured by then counts as if it were."""

_Name = tuple[str, int, int, str]
_INDENT = re.compile(r"[ \t]*")


class _Hole(NamedTuple):
    """A range of a tree's positions, and how long the text after it is."""

    start: int
    end: int
    below: int

    @classmethod
    def of(cls, tree: SyntaxTree, start: int, end: int) -> _Hole:
        """By offsets."""
        first, last = tree.position(start), tree.position(end)
        return cls(first, last, len(tree.data) - last)

    def names(self, found: set[SyntaxFault]) -> frozenset[_Name]:
        """The errors, named alike whatever stands in the hole."""
        return frozenset(self._name(fault) for fault in found)

    def _name(self, fault: SyntaxFault) -> _Name:
        if fault.start >= self.end:
            start, end = self.below - (fault.start - self.end), self.below - (fault.end - self.end)
            return "below", start, end, fault.kind
        return "above", fault.start, fault.end if fault.end <= self.start else -1, fault.kind


class _Around(NamedTuple):
    """What stands around the hole."""

    above: str
    below: str
    """Without what is far below; brackets are closed in its stead."""
    known: frozenset[_Name]
    """The errors without the new text."""


def adds_fault(near: SyntaxTree, text: str, start: int, end: int, new: str, row: SyntaxRow) -> bool:
    """Whether `new` instead of `text[start:end]` adds an error; `near` is the tree of any similar text."""
    result = near.updated(f"{text[:start]}{new}{text[end:]}")
    if faults(result.root):
        around = _around(near, text, start, end, row)
        if around is None:
            return False
        sound = _sound_tree(near, around, new, row)
        if sound is None:
            return True
        result = sound
    return row.is_indented and not fits(
        result, result.position(start), result.position(start + len(new)), row
    )


def _around(near: SyntaxTree, text: str, start: int, end: int, row: SyntaxRow) -> _Around | None:
    """None if it is broken near the hole.

    The line of the hole is an error of its own while it is typed, so it is blank, unless others hang on it.
    """
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    last = len(text) if last < 0 else last
    for from_, to in ((first, last), (start, end)):
        tree = near.updated(text[:from_] + text[to:])
        if _is_broken_near(tree, from_):
            continue
        dropped, endings = _far_below(tree, from_, row)
        short = tree.replaced(len(tree.text) - dropped, len(tree.text), endings)
        if _is_broken_near(short, from_):
            short, dropped, endings = tree, 0, ""
        below = text[end : len(text) - dropped] + endings
        return _Around(text[:start], below, _Hole.of(short, from_, from_).names(faults(short.root)))
    return None


def _is_broken_near(tree: SyntaxTree, offset: int) -> bool:
    at = tree.position(offset)
    for fault in faults(tree.root):
        first, last = min(fault.end, at), max(fault.start, at)
        if first < at < last or tree.data.count(b"\n", first, last) <= NEAR_LINES:
            return True
    return False


def _far_below(tree: SyntaxTree, offset: int, row: SyntaxRow) -> tuple[int, str]:
    """How many characters at the end are statements far below, and what closes the brackets around them."""
    at = tree.position(offset)
    for number in range(MAX_KEPT_LINES):
        at = tree.data.find(b"\n", at) + 1
        if not at:
            break
        if number < KEPT_LINES or not _begins_statement(tree, at, row):
            continue
        brackets = open_brackets(tree, at)
        endings = "".join(bracket.token for bracket in reversed(brackets.opened)) if brackets else ""
        return len(tree.text) - tree.offset(at), endings
    return 0, ""


def _begins_statement(tree: SyntaxTree, line_start: int, row: SyntaxRow) -> bool:
    line = tree.data[line_start : tree.line_end(line_start)]
    code = line_start + len(line) - len(line.lstrip())
    node = tree.leaf_at(code) if line.strip() else None
    while node is not None and node.start_byte == code and (parent := node.parent) is not None:
        if parent.parent is None or parent.type in row.bodies:
            return node.is_named
        node = parent
    return False


def _sound_tree(near: SyntaxTree, around: _Around, new: str, row: SyntaxRow) -> SyntaxTree | None:
    """The document with the new text, gone on with if need be, without a new error; None if none is found."""
    deadline = thread_time() + MAX_SECONDS
    start = len(around.above)
    plain = near.updated(f"{around.above}{new}{around.below}")
    tree, end = plain, start + len(new)
    trials = _continued(plain, start, end, row)
    while not _Hole.of(tree, start, end).names(faults(tree.root)) <= around.known:
        if thread_time() > deadline:
            return plain
        following = next(trials, None)
        if following is None:
            return None
        tree, end = following
    return tree


def _continued(tree: SyntaxTree, start: int, end: int, row: SyntaxRow) -> Iterator[tuple[SyntaxTree, int]]:
    """The document as it might go on from the end of the new text, and where that ends."""
    ended = end_quote(tree, tree.text, end, row)
    if ended is not None:
        tree, end = ended.tree, end + len(ended.ending)
    at = tree.position(end)
    brackets = open_brackets(tree, at)
    endings = brackets.endings if brackets else ()
    behind = tree.offset(brackets.behind) if brackets else end
    line_end = "\n" if is_in_comment(tree, at, row) else ""
    for text in _continuations(tree.text[:end], start, endings, row):
        yield tree.replaced(end, behind, f"{line_end}{text}"), end + len(line_end) + len(text)


def _continuations(text: str, start: int, endings: tuple[str, ...], row: SyntaxRow) -> Iterator[str]:
    indents = _indents(text, start)
    first, rest = "".join(endings[:1]), "".join(endings[1:])
    for filler in row.fillers:
        before = filler.before.replace("\n", f"\n{indents[-1]}")
        yield f"{before}{first}{filler.after}{rest}{filler.last}"
    if row.late_clause:
        for indent in dict.fromkeys(reversed(indents)):
            yield f"{first}{rest}\n{indent}{row.late_clause}"


def _indents(text: str, start: int) -> list[str]:
    """Those of the lines from an offset's on."""
    lines = text[text.rfind("\n", 0, start) + 1 :].split("\n")
    return [match[0] for line in lines if line.strip() and (match := _INDENT.match(line))] or [""]
