"""Where a name, an attribute or an argument can be wrong, and which imports can be missing.

Whether a checker sees it is for the checker to say.
"""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from benchmarks.fix_quality.faults import Kind, Slip
from benchmarks.fix_quality.misspelling import misspelt, renamed

MIN_CHARS = 4
"""Of a name to be misspelt."""
_WORD = re.compile(r"[^\W\d]\w*")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """A file, its tree, and the words that a wrong name must not be."""

    text: str
    tree: ast.Module
    starts: list[int]
    known: Collection[str]

    @classmethod
    def of(cls, text: str) -> Source:
        """Raises SyntaxError."""
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return cls(text, ast.parse(text), starts, set(_WORD.findall(text)))

    def at(self, line: int, column: int) -> int:
        """The offset of what `ast` says: a line from 1, and a column in bytes."""
        start = self.starts[line - 1]
        row = self.text[start : self.starts[line] - 1]
        return start + (column if row.isascii() else len(row.encode()[:column].decode()))

    def span(self, node: ast.expr | ast.stmt | ast.alias | ast.keyword) -> tuple[int, int]:
        """From where to where a node goes."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)


def name_slips(kind: Kind, text: str, chance: random.Random) -> list[Slip]:
    """Every place of the kind; raises SyntaxError."""
    source = Source.of(text)
    find: dict[Kind, Callable[[Source, random.Random], Iterator[Slip]]] = {
        Kind.NAME: _names,
        Kind.VARIABLE: _variables,
        Kind.IMPORT: _imports,
        Kind.ATTRIBUTE: _attributes,
        Kind.ARGUMENT: _arguments,
        Kind.ORDER: _orders,
    }
    return [slip for slip in find[kind](source, chance) if text.startswith(slip.old, slip.start)]


def _names(source: Source, chance: random.Random) -> Iterator[Slip]:
    for node in _walk(source.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and len(node.id) >= MIN_CHARS:
            yield from _instead(source.span(node)[0], node.id, misspelt(node.id, source.known, chance))


def _variables(source: Source, chance: random.Random) -> Iterator[Slip]:
    """Names that a function sets once and uses once, set under another name."""
    for function in _walk(source.tree):
        if not isinstance(function, _Function):
            continue
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        uses = Counter((node.id, type(node.ctx)) for node in names)
        for node in names:
            is_once = uses[node.id, ast.Store] == 1 == uses[node.id, ast.Load]
            if isinstance(node.ctx, ast.Store) and is_once and len(node.id) >= MIN_CHARS:
                yield from _instead(source.span(node)[0], node.id, renamed(node.id, source.known, chance))


def _imports(source: Source, chance: random.Random) -> Iterator[Slip]:
    """A whole import of one name, or one name of several."""
    for node in source.tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        start, end = source.span(node)
        if len(node.names) == 1:
            if source.text[end : end + 1] == "\n" and node.names[0].name != "*":
                yield Slip(start, source.text[start : end + 1], "")
            continue
        spans = [source.span(alias) for alias in node.names]
        for at in range(len(spans)):
            first = spans[at][0] if at + 1 < len(spans) else spans[at - 1][1]
            last = spans[at + 1][0] if at + 1 < len(spans) else spans[at][1]
            if "#" not in source.text[first:last]:
                yield Slip(first, source.text[first:last], "")


def _attributes(source: Source, chance: random.Random) -> Iterator[Slip]:
    for node in _walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and len(node.attr) >= MIN_CHARS:
            start = source.span(node)[1] - len(node.attr)
            yield from _instead(start, node.attr, misspelt(node.attr, source.known, chance))


def _arguments(source: Source, chance: random.Random) -> Iterator[Slip]:
    """Half of them misspelt, half of them another name."""
    for node in _walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg is not None and len(node.arg) >= MIN_CHARS:
            new = chance.choice((misspelt, renamed))(node.arg, source.known, chance)
            yield from _instead(source.span(node)[0], node.arg, new)


def _orders(source: Source, chance: random.Random) -> Iterator[Slip]:
    """Two positional arguments that stand beside each other."""
    for node in _walk(source.tree):
        if isinstance(node, ast.Call):
            for left, right in zip(node.args, node.args[1:], strict=False):
                if not isinstance(left, ast.Starred) and not isinstance(right, ast.Starred):
                    (start, comma), (begin, end) = source.span(left), source.span(right)
                    text, between = source.text, source.text[comma:begin]
                    if between.strip() == "," and text[start:comma] != text[begin:end]:
                        new = f"{text[begin:end]}{between}{text[start:comma]}"
                        yield Slip(start, text[start:end], new)


def _instead(start: int, old: str, new: str | None) -> Iterator[Slip]:
    if new:
        yield Slip(start, old, new)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those in f-strings, whose places Python 3.11 does not know."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.JoinedStr):
            yield from _walk(child)
