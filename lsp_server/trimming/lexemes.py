"""Words, strings, comments and brackets of a short text, in any language, by one regular expression.

Rough on purpose: it must never fail on half a line. It knows no grammar; what it cannot tell is an operator.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from context.languages import Language, language_of

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())

_CHAR_LITERALS = frozenset(
    {"c", "cpp", "csharp", "java", "kotlin", "scala", "rust", "go", "swift", "zig", "haskell", "ocaml"}
    | {"clojure", "emacs-lisp"}
)
"""Languages in which `'` begins a character (`'x'`) or something else (`&'a`), but never a longer string."""
_BACKTICK_STRINGS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact", "go"})
_REGEX_LITERALS = _BACKTICK_STRINGS - {"go"}
_UNKNOWN = Language("", (), "#")


class Kind(StrEnum):
    """What a lexeme is."""

    SPACE = "space"
    NEWLINE = "newline"
    COMMENT = "comment"
    STRING = "string"
    WORD = "word"
    """Numbers too."""
    OPENER = "opener"
    CLOSER = "closer"
    OPERATOR = "operator"


class Lexeme(NamedTuple):
    """A piece of text; all pieces together are the text."""

    kind: Kind
    start: int
    end: int
    text: str
    delimiter: str = ""
    """What ends the string or block comment."""
    is_whole: bool = True
    """False for a string or block comment that does not end here."""

    @property
    def is_code(self) -> bool:
        """Neither blank nor a comment."""
        return self.kind not in (Kind.SPACE, Kind.NEWLINE, Kind.COMMENT)


def language_at(path: str) -> Language:
    """The language of a file; one with `#` comments if the name does not say."""
    return language_of(path) or _UNKNOWN


def lex(text: str, path: str = "") -> list[Lexeme]:
    """The lexemes of `text`, which is read as if it stood outside of any string."""
    language = language_at(path)
    begin = _begin(language.id, language.comment)
    found: list[Lexeme] = []
    value: Lexeme | None = None
    at = 0
    while at < len(text):
        match = begin.match(text, at)
        assert match is not None, "the last branch takes any character"
        if match.lastgroup == "regex" and not _may_begin_value(value):
            match = _ANY.match(text, at)
            assert match is not None
        lexeme = _lexeme(text, match)
        found.append(lexeme)
        value = lexeme if lexeme.is_code else value
        at = lexeme.end
    return found


def is_inside_long_string(text: str, offset: int) -> bool:
    """Whether `offset` seems to stand in a string of many lines, as docstrings are."""
    return any(text.count(quote, 0, offset) % 2 for quote in ('"""', "'''"))


def _lexeme(text: str, match: re.Match[str]) -> Lexeme:
    group, start = match.lastgroup or "", match.start()
    if group in ("quote", "block"):
        delimiter = "*/" if group == "block" else match[0].lstrip(_STRING_PREFIX)
        body = _body(delimiter).match(text, match.end())
        end = body.end() if body else match.end()
        kind = Kind.STRING if group == "quote" else Kind.COMMENT
        return Lexeme(kind, start, end, text[start:end], delimiter, bool(body and body[1]))
    kind = Kind.STRING if group in ("regex", "char") else Kind(group)
    return Lexeme(kind, start, match.end(), match[0])


def _may_begin_value(before: Lexeme | None) -> bool:
    """A `/` here is no division."""
    return (
        before is None
        or before.kind in (Kind.OPENER, Kind.OPERATOR)
        or before.text in ("return", "case", "typeof")
    )


_STRING_PREFIX = "rbfutRBFUT"
_ANY = re.compile(r"(?P<operator>.)", re.DOTALL)


@lru_cache(maxsize=8)
def _body(delimiter: str) -> re.Pattern[str]:
    """The rest of a string or block comment, whose end is group 1; one quote ends with its line."""
    end = re.escape(delimiter)
    inside = r"[^\\\n]" if delimiter in ('"', "'") else r"[^\\]"
    return re.compile(rf"(?:\\.|(?!{end}){inside})*({end})?", re.DOTALL)


@lru_cache(maxsize=64)
def _begin(language_id: str, leader: str) -> re.Pattern[str]:
    """One lexeme, or the beginning of a string or block comment."""
    quotes = ['"""', "'''", '"']
    quotes += [] if language_id in _CHAR_LITERALS else ["'"]
    quotes += ["`"] if language_id in _BACKTICK_STRINGS else []
    branches = [r"(?P<space>[^\S\n]+)", r"(?P<newline>\n)"]
    branches.append(rf"(?P<comment>{re.escape(leader)}[^\n]*)")
    if leader == "//":
        branches.append(r"(?P<block>/\*)")
    branches.append(rf"(?P<quote>(?<!\w)[{_STRING_PREFIX}]{{0,2}}(?:{'|'.join(quotes)}))")
    if language_id in _CHAR_LITERALS:
        branches.append(r"(?P<char>'(?:\\[^\n]{1,8}?|[^'\\\n])')")
    if language_id in _REGEX_LITERALS:
        branches.append(r"(?P<regex>/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*)")
    branches.append(r"(?P<word>\w+(?:'(?=[a-z])\w+)?)")  # with the apostrophe of prose: isn't
    branches += [r"(?P<opener>[(\[{])", r"(?P<closer>[)\]}])", r"(?P<operator>.)"]
    return re.compile("|".join(branches), re.DOTALL)


class Balance:
    """Which brackets of some lexemes belong together; a closer of another kind than what is open has none."""

    def __init__(self, lexemes: list[Lexeme]) -> None:
        self.pairs: list[tuple[int, int]] = []
        """Where an opener stands, and its closer."""
        self.unopened: list[Lexeme] = []
        """Closers without their opener."""
        self.unclosed: list[Lexeme] = []
        """Openers without their closer, outermost first."""
        for lexeme in lexemes:
            if lexeme.kind is Kind.OPENER:
                self.unclosed.append(lexeme)
            elif lexeme.kind is Kind.CLOSER:
                self._close(lexeme)

    def _close(self, closer: Lexeme) -> None:
        if self.unclosed and PAIRS[self.unclosed[-1].text] == closer.text:
            self.pairs.append((self.unclosed.pop().start, closer.start))
        else:
            self.unopened.append(closer)
