"""The text that stands for a definition in a repo map: what a caller must know, bodies elided.

Knows nodes and the captures of `tags.scm` (see `query`), no language; made for those whose bodies stand in
brackets. A signature ends with a newline and is indented as a member of its owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from context.extract.cuts import (
    Cut,
    Place,
    comments,
    cut,
    emptied,
    first_operands,
    inside_of,
    joined,
    moved,
    place_of,
    text_of,
)
from context.extract.query_imports import Captures
from context.symbols import Kind

if TYPE_CHECKING:
    from tree_sitter import Node, QueryCursor

MAX_DOC = 120
MAX_DECORATOR = 110
MAX_ATTRIBUTE = 90
MAX_WHOLE_LINES = 12
"""A module-level function up to this length is kept whole."""
MAX_TYPE_LINE = 110
"""A longer type stays on the lines that it is written on."""

_STEPS = ((120, "{["), (60, "{["), (24, "{["))
"""What is emptied in a text that is too long, step by step: brackets longer than a size."""
_LAST_STEP = (24, "{[(\"'`")


@dataclass
class Found:
    """A definition as the query gives it."""

    kind: Kind
    node: Node
    name: str
    captures: Captures
    wraps: tuple[Node, ...]
    """The statements around it that lend it their text, the outermost first."""
    first: Node
    """The first and last node of its kind in the innermost of them: `const a = 1, b = 2`."""
    last: Node
    decorators: list[Node]
    doc: Node | None
    bases: dict[str, None]
    end: str
    """What separates it from the next member: a comma, a semicolon or nothing."""

    @property
    def outer(self) -> Node:
        """The whole statement."""
        return self.wraps[0] if self.wraps else self.node


class Written(NamedTuple):
    """The texts of a definition, as in `context.symbols.Definition`."""

    signature: str
    body: str
    closing: str


class _Limit(NamedTuple):
    """How long a text may be."""

    chars: int
    lines: int


_HEADER = _Limit(240, 8)
_VALUE = _Limit(160, 3)
_TYPE = _Limit(800, 20)
_LINE = _Limit(MAX_ATTRIBUTE, 1)


class Signatures:
    """Writes the definitions of one file."""

    def __init__(self, data: bytes, cursor: QueryCursor, elided_body: str, indent: str) -> None:
        self._data = data
        self._cursor = cursor
        self._elided_body = elided_body
        self._indent = indent

    def write(self, found: Found, depth: int, is_short_kept: bool) -> Written:
        """The signature at a depth of nesting; the whole text too if it is a short function."""
        pad = self._indent * depth
        doc = _doc(found.doc, pad) if found.doc else ""
        decorators = _decorators(found.decorators, pad)
        head, closing = self._head_and_closing(found, pad)
        body = ""
        if is_short_kept and _is_short_function(found):
            start = found.outer.start_byte
            above = _decorators((node for node in found.decorators if node.start_byte < start), pad)
            text = moved(text_of(found.outer), found.outer.start_point.column, "")
            body = f"{doc}{above}{text}\n"
        return Written(f"{doc}{decorators}{head}\n", body, f"{pad}{closing}\n" if closing else "")

    def _head_and_closing(self, found: Found, pad: str) -> tuple[str, str]:
        """The definition up to its members, or to its end; and what closes it after the members."""
        (start, end), column = place_of(found.outer), found.outer.start_point.column
        cuts: list[Cut] = [(*place_of(node), "") for node in found.decorators]
        cuts.append((found.first.start_byte, found.node.start_byte, ""))
        cuts.append((found.node.end_byte, found.last.end_byte, ""))
        cuts += [(*place_of(node), self._elided_body) for node in found.captures.get("body", ())]
        for node in found.captures.get("members", ()):
            opened, closed = inside_of(node)
            head = self._fitted(found.node, (start, opened), cuts, _HEADER)
            closing = " ".join(cut(self._data, (closed, end), cuts).split())
            return moved(head, column, pad), f"{closing}{found.end}"
        for node in found.captures.get("fields", ()):
            opened, closed = inside_of(node)
            if lines := self._attributes(node):
                head = moved(self._fitted(found.node, (start, opened), cuts, _HEADER), column, pad)
                inner = "".join(f"{pad}{self._indent}{line}\n" for line in lines)
                return f"{head}\n{inner}{pad}{cut(self._data, (closed, end), cuts)}", ""
            cuts.append((*place_of(node), self._elided_body))
        text = self._statement(found, (start, end), cuts)
        return moved(text if text.endswith((";", ",")) else f"{text}{found.end}", column, pad), ""

    def _statement(self, found: Found, place: Place, cuts: list[Cut]) -> str:
        """A definition without members."""
        if "value.kept" in found.captures:
            text = self._fitted(found.node, place, cuts, _TYPE)
            return text if len(text) <= MAX_TYPE_LINE else cut(self._data, place, cuts)
        values = found.captures.get("value", ())
        return self._fitted(found.node, place, cuts, _VALUE if values else _HEADER, values)

    def _fitted(
        self, root: Node, place: Place, cuts: list[Cut], limit: _Limit, values: Sequence[Node] = ()
    ) -> str:
        """A text within the limit where it can be: the first such version, or the shortest."""
        source = self._data[max(place[0], root.start_byte) : min(place[1], root.end_byte)]
        if b"//" in source or b"/*" in source:
            cuts = [*cuts, *comments(root, place, cuts)]
        shortest = ""
        for more in self._shorter(root, place, cuts, values):
            text = joined(cut(self._data, place, [*cuts, *more]))
            if len(text) <= limit.chars and text.count("\n") < limit.lines:
                return text
            shortest = min(shortest or text, text, key=len)
        return shortest

    def _shorter(
        self, root: Node, place: Place, cuts: list[Cut], values: Sequence[Node]
    ) -> Iterator[list[Cut]]:
        """Brackets lose their contents, the long ones first; then a value its later operands, then all."""
        yield []
        roots = values or [root]
        for size, brackets in _STEPS:
            yield [row for node in roots for row in emptied(node, place, cuts, size, brackets)]
        for value in values:
            yield from ([(end, value.end_byte, "")] for end in first_operands(value))
        yield [row for node in roots for row in emptied(node, place, cuts, *_LAST_STEP)]
        for value in values:
            before = self._data[place[0] : value.start_byte].rstrip()
            if before.endswith(b"="):
                yield [(place[0] + len(before[:-1].rstrip()), value.end_byte, "")]
            else:
                yield [(*place_of(value), self._elided_body)]

    def _attributes(self, body: Node) -> list[str]:
        """The first assignment of each public attribute that stands directly in a body."""
        self._cursor.set_max_start_depth(1)
        found: dict[str, str] = {}
        for _, captures in self._cursor.matches(body):
            for node in captures.get("attribute", ()):
                name = text_of(captures["name"][0])
                if name not in found and not name.startswith(("_", "#")):
                    values = captures.get("value", ())
                    found[name] = self._fitted(node, place_of(node), [], _LINE, values)
        self._cursor.set_max_start_depth(0)
        return [line for line in found.values() if "\n" not in line]


def _is_short_function(found: Found) -> bool:
    """Whether nothing of it is written elsewhere, and it is worth its tokens as a whole."""
    lines = found.outer.start_point.row, found.outer.end_point.row
    is_alone = found.first == found.last and "members" not in found.captures
    return found.kind is Kind.FUNCTION and is_alone and lines[1] - lines[0] < MAX_WHOLE_LINES


def _doc(comment: Node, pad: str) -> str:
    """The first line of a comment, as a comment of one line."""
    text = text_of(comment)
    if not text.startswith("/*"):
        return f"{pad}{text.rstrip()[:MAX_DOC]}\n"
    lines = (line.strip(" \t*") for line in text[2:].removesuffix("*/").split("\n"))
    line = next((line for line in lines if line), "@")
    return "" if line.startswith("@") else f"{pad}/** {line[:MAX_DOC].rstrip()} */\n"


def _decorators(nodes: Iterable[Node], pad: str) -> str:
    lines = []
    for node in nodes:
        text = joined(text_of(node))
        is_short = "\n" not in text and len(text) <= MAX_DECORATOR
        lines.append(f"{pad}{text if is_short else joined(text.partition('(')[0]) + '()'}\n")
    return "".join(lines)
