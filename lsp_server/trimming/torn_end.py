"""A text that ended by force is cut back to where a writer might have stopped.

Knows what a statement's end looks like, not what it says: brackets of its own are closed, no string is open,
no operator waits for a value, no header for its body. Prose in comments ends after any whole word.
"""

from __future__ import annotations

import re

from lsp_server.hole import Hole
from lsp_server.trimming.lexemes import Balance, Kind, Lexeme, is_inside_long_string, lex

_HEADER_WORDS = {
    *("if", "elif", "else", "for", "while", "do", "with", "try", "except", "catch", "finally", "match"),
    *("switch", "def", "class", "async", "function", "func", "fn", "fun", "unless", "until", "begin"),
    *("from", "import"),
}
"""What begins a statement that says nothing until its end."""
_WAITING_WORDS = _HEADER_WORDS | {
    *("and", "or", "not", "in", "is", "as", "lambda", "await", "yield", "del", "assert", "then", "new"),
    *("const", "let", "var", "of", "extends", "implements", "instanceof", "typeof", "case", "throw"),
    *("pub", "static", "where", "export"),
}
"""Keywords that something must follow."""
MAX_STEPS_BACK = 200
_WHOLE_ENDS = ("++", "--", "...", "import*", ";")
"""Operators that nothing needs to follow; spaces left out."""
_WORD = re.compile(r"\w+")
_TORN_WORD = re.compile(r"\w+$")


def cut_torn_end(text: str, hole: Hole, path: str) -> str:
    """Cut back to the last whole line that may stand last, else to such a place in the first line.

    Of a header that the text itself begins nothing is worth having without its body.
    """
    text = _without_open_comment(text, hole, path)
    lines = text.split("\n")
    if _is_prose(text, hole, path):
        return "\n".join(lines[:-1]) if len(lines) > 1 and lines[0].strip() else _whole_words(text)
    for size in range(len(lines) - 1, 0, -1):
        cut = "\n".join(lines[:size])
        if cut.strip() and (can_end(cut, hole, path) or (size == 1 and _is_own_header(cut, hole, path))):
            return cut
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    is_begun = first == 0 and bool(hole.line_prefix.strip())
    if not is_begun and _first_word(lines[first]) in _HEADER_WORDS:
        return ""
    return _cut_inside("\n".join(lines[: first + 1]), hole, path, is_torn=first == len(lines) - 1)


def _first_word(line: str) -> str:
    found = _WORD.search(line)
    return found[0] if found else ""


def _without_open_comment(text: str, hole: Hole, path: str) -> str:
    """Cut before a block comment that the text begins and does not end."""
    last = lex(hole.line_prefix + text, path)[-1]
    at = last.start - len(hole.line_prefix)
    return text[:at] if at >= 0 and last.kind is Kind.COMMENT and not last.is_whole else text


def can_end(text: str, hole: Hole, path: str) -> bool:
    """Whether the document may go on with something else behind `text`."""
    return _can_end(lex(hole.line_prefix + text, path), hole, path)


def _can_end(lexemes: list[Lexeme], hole: Hole, path: str) -> bool:
    own = [lexeme for lexeme in lexemes if lexeme.end > len(hole.line_prefix)]
    code = [lexeme for lexeme in lexemes if lexeme.is_code]
    if not code or not own or not own[-1].is_whole or Balance(own).unclosed:
        return False
    return not _announces(own) and not _waits(code, hole, path)


def _announces(own: list[Lexeme]) -> bool:
    """The last of several lines is a decorator or a comment: it speaks of what follows."""
    shown = [lexeme for lexeme in own if lexeme.kind is not Kind.SPACE]
    while shown and shown[-1].kind is Kind.NEWLINE:
        shown.pop()
    start = max((at + 1 for at, lexeme in enumerate(shown) if lexeme.kind is Kind.NEWLINE), default=0)
    line = shown[start:]
    return start > 0 and (line[0].text == "@" or not any(lexeme.is_code for lexeme in line))


def _waits(code: list[Lexeme], hole: Hole, path: str) -> bool:
    """The last lexeme needs another behind it."""
    last = code[-1]
    end = "".join(lexeme.text for lexeme in code[-3:])
    if last.kind is Kind.WORD:
        return last.text in _WAITING_WORDS
    if last.kind not in (Kind.OPERATOR, Kind.OPENER):
        return False
    if last.text == ",":
        return not _is_in_brackets(hole, path)
    return not end.endswith(_WHOLE_ENDS)


def _is_in_brackets(hole: Hole, path: str) -> bool:
    """The cursor stands in a list: its line has an open bracket, or the one above ends in one or a comma."""
    if Balance(lex(hole.line_prefix, path)).unclosed:
        return True
    above = hole.text[: hole.offset - len(hole.line_prefix)].rstrip()
    return not hole.line_prefix.strip() and above.endswith((",", "(", "[", "{"))


def _is_own_header(line: str, hole: Hole, path: str) -> bool:
    """The cursor's line had begun a header, which is whole now: the user goes on with its body."""
    whole = (hole.line_prefix + line).rstrip()
    return (
        bool(hole.line_prefix.strip())
        and whole.endswith((":", "{"))
        and can_end(line.rstrip()[:-1], hole, path)
    )


def _cut_inside(text: str, hole: Hole, path: str, *, is_torn: bool) -> str:
    """Cut back to the last lexeme of a line behind which it may end; its last word may be torn."""
    size = len(hole.line_prefix)
    lexemes = lex(hole.line_prefix + text, path)
    if is_torn and lexemes[-1].kind is Kind.WORD:
        lexemes.pop()
    for _ in range(MAX_STEPS_BACK):
        if not lexemes or lexemes[-1].end <= size:
            break
        last = lexemes[-1]
        if last.is_code and last.is_whole and last.text != "," and _can_end(lexemes, hole, path):
            return text[: last.end - size]
        lexemes.pop()
    return ""


def _is_prose(text: str, hole: Hole, path: str) -> bool:
    """The cursor stands in a comment or a string, or the text is nothing else than comments."""
    before = lex(hole.line_prefix, path)
    if before and (before[-1].kind is Kind.COMMENT or not before[-1].is_whole):
        return True
    if is_inside_long_string(hole.text, hole.offset):
        return True
    return not any(lexeme.is_code for lexeme in lex(hole.line_prefix + text, path))


def _whole_words(text: str) -> str:
    return _TORN_WORD.sub("", text).rstrip()
