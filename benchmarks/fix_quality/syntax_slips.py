"""Where a colon, a bracket or a quote can be left out of a text, and where a line can be indented wrongly.

Whether the result is a fault is for a parser to say.
"""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Callable, Iterator

from benchmarks.fix_quality.faults import Kind, Slip

BLOCKS = frozenset(
    {"async", "class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"}
)
MARGINS = (4, 2, 1, -1, -2, -4)
"""Blanks that a wrongly indented line has more."""
_SKIPPED = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT})
Tokens = list[tokenize.TokenInfo]


def syntax_slips(kind: Kind, text: str, chance: random.Random) -> list[Slip]:
    """Every place of the kind, in order."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    find: dict[Kind, Callable[[str, Tokens, list[int], random.Random], Iterator[Slip]]] = {
        Kind.COLON: _colons,
        Kind.BRACKET: _brackets,
        Kind.QUOTE: _quotes,
        Kind.INDENTATION: _margins,
    }
    return list(find[kind](text, tokens, starts, chance))


def _logical_lines(tokens: Tokens) -> Iterator[Tokens]:
    line: Tokens = []
    for token in tokens:
        if token.type == tokenize.NEWLINE:
            yield line
            line = []
        elif token.type not in _SKIPPED:
            line.append(token)


def _colons(text: str, tokens: Tokens, starts: list[int], chance: random.Random) -> Iterator[Slip]:
    """At the ends of lines that open a block."""
    for line in _logical_lines(tokens):
        if line and line[0].string in BLOCKS and line[-1].string == ":":
            yield Slip(_at(line[-1], starts), ":", "")


def _brackets(text: str, tokens: Tokens, starts: list[int], chance: random.Random) -> Iterator[Slip]:
    """Closing ones, and opening ones without which no two words become one."""
    for token in tokens:
        at = _at(token, starts) if token.type == tokenize.OP else 0
        if token.type != tokenize.OP or token.string not in "()[]{}":
            continue
        is_between_words = at > 0 and all(
            each.isalnum() or each == "_" for each in (text[at - 1], text[at + 1])
        )
        if token.string in ")]}" or not is_between_words:
            yield Slip(at, token.string, "")


def _quotes(text: str, tokens: Tokens, starts: list[int], chance: random.Random) -> Iterator[Slip]:
    """One of the two of a plain string of one line."""
    for token in tokens:
        body = token.string.lstrip("rRbBuU")
        if token.type == tokenize.STRING and body[0] in "'\"" and body[:3] not in ("'''", '"""') and body[2:]:
            start = _at(token, starts)
            first = start + len(token.string) - len(body)
            yield Slip(chance.choice((first, start + len(token.string) - 1)), body[0], "")


def _margins(text: str, tokens: Tokens, starts: list[int], chance: random.Random) -> Iterator[Slip]:
    for line in _logical_lines(tokens):
        if line:
            row, column = line[0].start
            margin = text[starts[row - 1] : starts[row - 1] + column]
            wanted = column + chance.choice(MARGINS)
            if not margin.strip(" ") and wanted >= 0:
                yield Slip(starts[row - 1], margin, " " * wanted)


def _at(token: tokenize.TokenInfo, starts: list[int]) -> int:
    row, column = token.start
    return starts[row - 1] + column
