"""Lines of real code of which the first characters are typed and the rest is to be said. Knows no model.

Seeded: the same packages and seed give the same lines, in an order of which every beginning is a fair sample:
packages in turn, in each its files in turn.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.packages import FOR_TUNING, REPORTED
from context.grammars import parser_of
from context.languages import language_of

if TYPE_CHECKING:
    from tree_sitter import Node

TAILS = (0, 4, 8, 16, 32)
"""Characters typed behind the indentation."""
ALWAYS_ALLOWED = 16
"""Every line is long enough for a tail of so many characters; the longest tail takes the longer lines."""
MIN_REST = 4
"""So many characters at least are left to say."""
MIN_LEAVES = 3
"""A text in quotes counts as one."""
MAX_LINE_CHARS = 120
_NOT_TRAINED_ON = ("jinja2", "werkzeug", "requests", "attrs", "typer", "tqdm")
HELD_OUT = (*REPORTED, *(package for package in FOR_TUNING if package.name in _NOT_TRAINED_ON))
"""None of them is among the built-in model's sources (`engine/builtin/MODEL_CARD.md`)."""
_LEFT_OUT = (
    "comment",
    "import_statement",
    "import_from_statement",
    "future_import_statement",
    "template_string",
    "ERROR",
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file; `start` is behind its indentation, `end` before its line end."""

    package: str
    language: str
    path: str
    start: int
    end: int
    text: str = field(repr=False)
    """The whole file."""

    @property
    def code(self) -> str:
        """The line without its indentation."""
        return self.text[self.start : self.end]

    @property
    def tails(self) -> tuple[int, ...]:
        """Those that leave something to say."""
        return tuple(tail for tail in TAILS if tail + MIN_REST <= len(self.code))

    @property
    def suffix(self) -> str:
        """From the line's end on."""
        return self.text[self.end :]

    def prefix(self, tail: int) -> str:
        """The file up to the cursor, so many characters into the line."""
        return self.text[: self.start + tail]

    def rest(self, tail: int) -> str:
        """What is to be said."""
        return self.code[tail:]

    def is_inside_word(self, tail: int) -> bool:
        """A name or number stands on both sides of the cursor."""
        before, after = self.code[:tail][-1:], self.code[tail : tail + 1]
        return _is_of_word(before) and _is_of_word(after)


def choose(corpora: Sequence[Corpus], limit: int, seed: int) -> list[Line]:
    """So many lines, or all there are."""
    chosen: list[Line] = []
    queues = [_of_package(corpus, seed) for corpus in corpora]
    while queues and len(chosen) < limit:
        turn = [(queue, next(queue, None)) for queue in queues]
        chosen += [line for _, line in turn if line is not None]
        queues = [queue for queue, line in turn if line is not None]
    return chosen[:limit]


def _of_package(corpus: Corpus, seed: int) -> Iterator[Line]:
    paths = corpus.targets()
    random.Random(f"{seed} {corpus.package}").shuffle(paths)  # noqa: S311 - must be repeatable
    files = [_of_file(corpus, path, seed) for path in paths]
    while files:
        turn = [(file, next(file, None)) for file in files]
        yield from (line for _, line in turn if line is not None)
        files = [file for file, line in turn if line is not None]


def _of_file(corpus: Corpus, path: str, seed: int) -> Iterator[Line]:
    found = list(lines_of(corpus, path))
    random.Random(f"{seed} {corpus.package} {path}").shuffle(found)  # noqa: S311 - must be repeatable
    yield from found


def lines_of(corpus: Corpus, path: str) -> Iterator[Line]:
    """Every line of a file that is code: no imports, no prose, no comment, no text across lines."""
    text = corpus.files[path]
    if "\r" in text or "\f" in text:
        return
    rows = _rows_of_code(text, path)
    start = 0
    for row, line in enumerate(text.split("\n")):
        code = line.strip()
        is_long_enough = ALWAYS_ALLOWED + MIN_REST <= len(code) <= MAX_LINE_CHARS
        if row in rows and is_long_enough:
            begin = start + len(line) - len(line.lstrip())
            yield Line(corpus.package, corpus.language, path, begin, begin + len(code), text)
        start += len(line) + 1


def _rows_of_code(text: str, path: str) -> set[int]:
    language = language_of(path)
    if language is None or language.grammar is None:
        return set()
    num_leaves: Counter[int] = Counter()
    left_out: set[int] = set()
    nodes = [parser_of(language.grammar).parse(text.encode()).root_node]
    while nodes:
        node = nodes.pop()
        first, last = node.start_point.row, node.end_point.row
        if node.type in _LEFT_OUT or _is_prose(node):
            left_out |= {*range(first, last + 1)}
        elif node.child_count and node.type != "string":
            nodes += node.children
        elif node.end_byte > node.start_byte:
            num_leaves[first] += 1
    return {row for row, num in num_leaves.items() if num >= MIN_LEAVES} - left_out


def _is_prose(node: Node) -> bool:
    """A docstring, or a text that goes over several lines."""
    if node.type == "string":
        return node.end_point.row > node.start_point.row
    return node.type == "expression_statement" and [child.type for child in node.children] == ["string"]


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"
