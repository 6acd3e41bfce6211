"""What stands behind the cursor on its line is not said twice: it is cut from the text, or replaced by it.

A text that merely ends with the rest of the line loses that end. One that says the closing brackets and
quotes which stand there and goes on, as `a, b):` before `)`, replaces them. Words are never replaced.
"""

from __future__ import annotations

from typing import NamedTuple

from lsp_server.hole import Hole
from lsp_server.trimming.lexemes import CLOSERS, PAIRS, Balance, Kind, Lexeme, lex

MIN_REPEATED_CHARS = 3
"""A rest of the line this long is found inside the text too, not only at its end."""
_SEPARATORS = frozenset(";,:")
_REPLACEABLE = frozenset(")]}\"'`;,: \t")


class Fitted(NamedTuple):
    """A text that fits before the rest of the line."""

    text: str
    replaces: int
    """So many characters of the rest of the line are contained in `text`."""


def fit(text: str, hole: Hole, path: str) -> Fitted:
    """The text without what stands behind the cursor; more than one line only if all of that is replaced."""
    rest = hole.line_suffix.rstrip()
    if not rest.strip():
        return Fitted(text, 0)
    first, _, below = text.partition("\n")
    first = first.rstrip()
    if not _REPLACEABLE.issuperset(rest):
        return Fitted(_without_rest(first, hole.line_prefix, rest, path), 0)
    ends = _contained(text, hole, rest, path)
    if below.strip() and ends and ends[-1].rest == len(rest):
        return Fitted(text, len(rest))
    while ends and ends[-1].text == len(first):
        first = first[: ends.pop().text - 1].rstrip()
    return Fitted(first, ends[-1].rest if ends else 0)


class _Met(NamedTuple):
    """A character of the rest of the line that the text contains: where it ends in each."""

    text: int
    rest: int


def _contained(text: str, hole: Hole, rest: str, path: str) -> list[_Met]:
    """The beginning of `rest` that the first line says in the same order, beside what it opens itself.

    A separator is contained only right behind a closer that is, or at the end: others belong to the text.
    """
    met: list[_Met] = []
    first = text.partition("\n")[0].rstrip()
    closers = _surplus(text, hole.line_prefix, rest, path)
    for at, character in enumerate(rest):
        behind = met[-1].text if met else 0
        if character in _SEPARATORS:
            found = _separator(first, behind if met else len(first), character)
        else:
            found = next((end for end in closers if end > behind and first[end - 1] == character), 0)
        if found:
            met.append(_Met(found, at + 1))
        elif not character.isspace():
            break
    return met


def _separator(first: str, start: int, character: str) -> int:
    """The end of a separator that stands at `start`, or at the line's end; 0 if there is none."""
    gap = len(first[start:]) - len(first[start:].lstrip())
    if first.startswith(character, start + gap):
        return start + gap + 1
    return len(first) if first.endswith(character) else 0


def _surplus(text: str, line_prefix: str, rest: str, path: str) -> list[int]:
    """The ends of the closers in the first line that have no opener once the rest of the line has its own."""
    size = len(line_prefix)
    lexemes = lex(line_prefix + text, path)
    own = [lexeme for lexeme in lexemes if lexeme.end > size]
    balance = Balance(own)
    unclosed_before = [PAIRS[opener.text] for opener in Balance(lex(line_prefix, path)).unclosed]
    found: list[int] = []
    for closer in sorted(CLOSERS):
        ends = [lexeme.end - size for lexeme in balance.unopened if lexeme.text == closer]
        needed = sum(PAIRS[opener.text] == closer for opener in balance.unclosed)
        free = max(0, unclosed_before.count(closer) - rest.count(closer))
        found += ends[needed + free :]
    if own and _closes_string(own, size) and rest.count(own[0].delimiter) % 2:
        end = own[0].end - size
        found += range(max(1, end - len(own[0].delimiter) + 1), end + 1)
    return sorted(end for end in found if end <= len(text.partition("\n")[0]))


def _closes_string(own: list[Lexeme], size: int) -> bool:
    """The text ends a string that began before the cursor, and leaves none of its own open."""
    return own[0].start < size and own[0].kind is Kind.STRING and own[0].is_whole and own[-1].is_whole


def _without_rest(line: str, line_prefix: str, rest: str, path: str) -> str:
    """Cut the longest end of `line` that begins the rest, or all of the rest wherever it stands."""
    pairs = Balance(lex(line_prefix + line, path)).pairs

    def can_cut(at: int) -> bool:
        """No bracket that `line` opened before `at` is closed behind it."""
        at += len(line_prefix)
        return not any(len(line_prefix) <= start < at <= end for start, end in pairs)

    for size in range(min(len(line), len(rest)), 0, -1):
        is_end = line.endswith(rest[:size]) and not rest[:size].isspace() and _is_whole(rest, size)
        if is_end and can_cut(len(line) - size):
            return line[:-size]
    at = line.find(rest) if len(rest) >= MIN_REPEATED_CHARS else -1
    return line[:at] if at >= 0 and can_cut(at) else line


def _is_whole(text: str, size: int) -> bool:
    """A cut at `size` does not tear a word of `text`."""
    return size == len(text) or not (text[size - 1].isalnum() and text[size].isalnum())
