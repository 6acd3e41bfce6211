"""A colon, bracket, quote or comma that is missing or too many: every place for one near an error, tried out.

Knows words and brackets, no grammar: whether a text with one more parses is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.trimming.lexemes import CLOSERS, PAIRS, Kind, Lexeme, lex

MAX_LINES = 12
"""Tried out around an error."""
MAX_EDITS = 600
QUOTES = "\"'"
_OPENERS = {closer: opener for opener, closer in PAIRS.items()}
_WORD = re.compile(r"\w+")


def tokens_to_try(text: str, lines: Span, path: str, known: Collection[str]) -> Iterator[Proposal]:
    """Changes of one character in the lines between two offsets, the likeliest kinds first.

    A word is only taken apart where both halves are `known`.
    """
    lexemes = [
        each._replace(start=each.start + lines.start, end=each.end + lines.start)
        for each in lex(text[slice(*lines)], path)
    ]
    seen: set[Edit] = set()
    for proposal in (*_added(text, lines, lexemes, known), *_removed(lexemes)):
        if proposal.edit not in seen and len(seen) < MAX_EDITS:
            seen.add(proposal.edit)
            yield proposal


def _added(text: str, lines: Span, lexemes: list[Lexeme], known: Collection[str]) -> Iterator[Proposal]:
    code = [each for each in lexemes if each.is_code]
    for number, each in enumerate(code):
        following = code[number + 1] if number + 1 < len(code) else None
        is_last = following is None or "\n" in text[each.end : following.start]
        if each.kind is not Kind.STRING or each.is_whole:
            yield from _behind(each, following, is_last=is_last)
        yield from _before(each)
        if each.kind is Kind.STRING:
            yield from _inside(each)
        elif each.kind is Kind.WORD:
            yield from _apart(each, known)
    for each in lexemes:  # a line that is blank once its bracket is gone
        if each.kind is Kind.NEWLINE and not text[text.rfind("\n", 0, each.start) + 1 : each.start].strip():
            for closer in sorted(CLOSERS):
                yield Proposal(0.5, Edit(each.start, each.start, closer))


def _behind(each: Lexeme, following: Lexeme | None, *, is_last: bool) -> Iterator[Proposal]:
    at = each.end
    doubt = 0.0 if is_last else 0.1 if following is not None and following.text in ":,;)]}" else 0.4
    for closer in sorted(CLOSERS):
        yield Proposal(doubt, Edit(at, at, closer))
    yield Proposal(0.0 if is_last else 0.6, Edit(at, at, ":"))
    yield Proposal(0.8, Edit(at, at, ","))
    if each.kind is Kind.WORD or each.text in ")]}.":
        for quote in QUOTES:
            yield Proposal(0.3, Edit(at, at, quote))


def _before(each: Lexeme) -> Iterator[Proposal]:
    at = each.start
    for opener in sorted(PAIRS):
        yield Proposal(0.3, Edit(at, at, opener))
    for quote in QUOTES:
        yield Proposal(0.3, Edit(at, at, quote))


def _inside(string: Lexeme) -> Iterator[Proposal]:
    """Quotes between the words of a string that may be two, or that goes on too far."""
    quotes = string.delimiter[:1] if string.delimiter else QUOTES
    for match in _WORD.finditer(string.text):
        for at in (string.start + match.start(), string.start + match.end()):
            for quote in quotes:
                yield Proposal(0.4, Edit(at, at, quote))
    if not string.is_whole:
        for at in range(string.start + 1, string.end + 1):
            for quote in quotes:
                yield Proposal(0.6 if at < string.end else 0.2, Edit(at, at, quote))


def _apart(word: Lexeme, known: Collection[str]) -> Iterator[Proposal]:
    for size in range(1, len(word.text)):
        head, tail = word.text[:size], word.text[size:]
        if head in known and (tail in known or tail.isdigit()):
            for opener in sorted(PAIRS):
                yield Proposal(0.5, Edit(word.start + size, word.start + size, opener))


def _removed(lexemes: list[Lexeme]) -> Iterator[Proposal]:
    for each in lexemes:
        if each.kind in (Kind.OPENER, Kind.CLOSER) or each.text in (":", ",", ";"):
            yield Proposal(2.0, Edit(each.start, each.end, ""))
