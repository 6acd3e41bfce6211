"""Which bracket closes what is not open: character by character, over text of any language.

Knows no grammar: literals and comments are told from code by their marks alone. Where a mark may mean two
things, the reading that stops less is taken.
"""

from __future__ import annotations

import re

MAX_PREFIX_CHARS = 2000
"""So much before the cursor is read to know whether it stands in a literal: a minified line is long."""
_LOOK_BACK = 40
_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
_QUOTES = ("'", '"', "`")
_OPERAND = re.compile(r"[\w)\]'\"`]\s*/$")
_WORD = re.compile(r"\w+$")
_LITERAL_PREFIX = re.compile(r"[bfrtu]{1,2}", re.IGNORECASE)


class CodeScanner:
    """Tells code from what stands inside of string literals and comments."""

    def __init__(self) -> None:
        self._end = ""
        """What ends the literal or comment that we are in; empty in code."""
        self._inside = ""
        """Read since it began, without what was escaped."""
        self._before = ""
        """The end of the line so far, without the insides of literals."""
        self._empty = ""
        """The quote of an empty literal that has just ended: one more makes it a triple quote."""
        self._is_escaped = False

    def is_code(self, char: str) -> bool:
        """Take the next character; quotes are code, what is escaped is not."""
        is_code = self._is_inside_end(char) if self._end else self._is_plain(char)
        if char == "\n":
            self._before = ""
        elif is_code:
            self._before = self._before[-_LOOK_BACK:] + char
        return is_code

    def _is_inside_end(self, char: str) -> bool:
        if self._is_escaped:
            self._is_escaped = False
            return False
        if char == "\\" and self._end not in ("\n", "*/"):
            self._is_escaped = True
            return False
        self._inside += char
        if char == "\n" and self._end in ("'", '"'):
            self._end = ""
        elif self._inside.endswith(self._end):
            self._empty = self._end if self._inside == self._end else ""
            self._end = ""
        return not self._end

    def _is_plain(self, char: str) -> bool:
        empty, self._empty = self._empty, ""
        if self._is_escaped or char == "\\":
            self._is_escaped = char == "\\" and not self._is_escaped
            return self._is_escaped
        if char in _QUOTES:
            if char == empty and char != "`":
                self._begin(char * 3)
            elif char != "'" or not self._is_apostrophe():
                self._begin(char)
        elif self._before.endswith("/") and char == "*":
            self._begin("*/")
        elif self._is_comment(char):
            self._begin("\n")
            return False
        return True

    def _begin(self, end: str) -> None:
        self._end, self._inside = end, ""

    def _is_apostrophe(self) -> bool:
        """As in "don't": a word before it that is no prefix of a literal."""
        word = _WORD.search(self._before)
        return word is not None and _LITERAL_PREFIX.fullmatch(word[0]) is None

    def _is_comment(self, char: str) -> bool:
        """With this character it is known to be one: `#x` may be a private name, `a // b` a division."""
        before = self._before[:-1]
        if self._before.endswith("#") and not char.isalnum() and char not in "_\n":
            return not before or before.endswith((" ", "\t"))
        return self._before.endswith("/") and char == "/" and _OPERAND.search(self._before) is None


def code_of(line: str) -> str:
    """A line without its comment and without the insides of its literals; of a long one, the end."""
    scanner = CodeScanner()
    code = "".join(char for char in line[-MAX_PREFIX_CHARS:] if scanner.is_code(char))
    return code.rstrip(" \t#/*")  # what a comment begins with is code until it is known to be one


class Brackets:
    """Follows which brackets a completion has open.

    It may close what it opened itself, and then `closers` in their order. A bracket that was never closed is
    no reason to stop: it is forgotten when one around it is closed.
    """

    def __init__(self, closers: str, line_prefix: str) -> None:
        self._closers = list(closers)
        self._own: list[str] = []
        """Closers of what the completion itself opened, the innermost last."""
        self._scanner = CodeScanner()
        for char in line_prefix[-MAX_PREFIX_CHARS:]:
            self._scanner.is_code(char)

    def feed(self, text: str) -> int | None:
        """Take more text; where in it the first bracket is that closes what is not open."""
        for index, char in enumerate(text):
            if self._scanner.is_code(char) and not self._is_balanced(char):
                return index
        return None

    def _is_balanced(self, char: str) -> bool:
        if char in _CLOSER_OF:
            self._own.append(_CLOSER_OF[char])
        elif char in self._own:
            while self._own.pop() != char:
                pass
        elif char in _CLOSER_OF.values():
            if self._closers[:1] != [char]:
                return False
            del self._closers[0]
            self._own.clear()
        return True
