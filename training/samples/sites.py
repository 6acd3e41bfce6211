"""Cursor sites: where an editor would ask for a completion in a file, and what the user went on to write.

Reads lexemes, not syntax. Names that other files define come from `names`; knows no prompts and no tokens.
"""

from __future__ import annotations

import builtins
import keyword
import random
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from context.languages import language_of
from lsp_server.trimming.lexemes import Kind, Lexeme, lex
from training.samples.names import Use

NEAR_LINES = 32
"""So far from one another the sites of one sample are at most: farther away the product makes a new plan."""
COMPARED = 4
"""Places among which the one with the most new names around it goes first."""
MAX_TRIES = 12
"""Names looked at before a place is left without a site."""
MAX_LINE_CHARS = 180
MAX_BLOCK_LINES = 12
NEW_BEFORE, NEW_BEHIND = 1000, 300
"""A name is new if so many characters before and behind its line do not hold it."""
NEW_SHARE = 0.8
"""Of the first sites at names of other files, those at new ones, if there are any."""
IMPORT_SHARE = 0.1
"""Of the import lines, those that are sites at all."""
_IMPORT = re.compile(r"\s*(?:import\b|from\b.*\bimport\b|export\b.*\bfrom\b|#include\b|use\b|.*\brequire\()")
_OPENERS = ("(", "[", "{", ",", ".", "=", ":", "->")
"""Behind these a completion is asked for."""
_BRACE_WORDS = """
abstract any auto bool boolean break byte case catch char class const continue default defer define delete
double elif else endif enum error export extends final float for func function if impl implements import in
inline instanceof int interface let long match mut namespace new nil null number private protected pub
public return self short signed sizeof static str string struct super switch template this throw throws
true false try type typedef typeof undefined union unsigned use using var virtual void volatile where while
with yield
"""
WORDS = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "cls", *_BRACE_WORDS.split()])
"""What no repository defines: a name among them tells nothing of it."""


class SiteKind(StrEnum):
    """What stands at a site."""

    ELSEWHERE = "elsewhere"
    """A name that another file of the repository defines."""
    HERE = "here"
    """Any other name: of the file, of a library, a new one."""
    BLOCK = "block"
    """The body of a short block."""


@dataclass(frozen=True, slots=True)
class CursorSite:
    """A cursor at `start`, and the text up to `end` as what is to be written there."""

    kind: SiteKind
    start: int
    end: int
    line: int
    """The cursor's, from 0."""
    use: Use | None = None
    """Of a name that another file defines."""


class FileSites:
    """The sites of one file. Every draw is `rng`'s."""

    def __init__(self, path: str, text: str, uses: Sequence[Use], rng: random.Random) -> None:
        self._text = text
        self._rng = rng
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lexemes = lex(text, path)
        self.words = {lexeme.start: lexeme for lexeme in self._lexemes if _is_name(lexeme)}
        """The names in code, by offset."""
        language = language_of(path)
        self._is_python = language is None or language.id == "python"
        self._imports = {
            number
            for number in range(len(self._starts))
            if _IMPORT.match(text, self._starts[number], self._end_of(number))
        }
        self._uses = [use for use in uses if use.offset in self.words]
        self._new_uses = [use for use in self._uses if self._is_new(use)]

    @property
    def has_code(self) -> bool:
        """Whether anybody would ask for something here."""
        return len(self.words) >= 8

    def near_one_another(self, count: int, elsewhere: float) -> list[CursorSite]:
        """At most `count` sites, each on another line, in no order but around the first.

        Where the file uses names of other files, the share `elsewhere` of the first ones are such.
        """
        first = self._first(elsewhere)
        if first is None:
            return []
        found = {first.line: first}
        # Blocks among the new names, so that neither crowds out the other.
        new = [*self._elsewhere_near(first.line, self._new_uses), *self._blocks_near(first.line)]
        old = [*self._elsewhere_near(first.line, self._uses), *self._here_near(first.line)]
        for pool in (new, old):
            self._rng.shuffle(pool)
        for site in (*new, *old):
            if len(found) >= count:
                break
            found.setdefault(site.line, site)
        return list(found.values())

    def _first(self, elsewhere: float) -> CursorSite | None:
        if self._uses and self._rng.random() < elsewhere:
            is_new = self._new_uses and self._rng.random() < NEW_SHARE
            uses = self._new_uses if is_new else self._uses
            tried = self._rng.sample(uses, min(len(uses), MAX_TRIES))
            tried[:COMPARED] = sorted(tried[:COMPARED], key=self._num_new_near, reverse=True)
            for use in tried:
                if (site := self._at(use.offset, SiteKind.ELSEWHERE, use)) is not None:
                    return site
        names = list(self.words)
        for offset in self._rng.sample(names, min(len(names), MAX_TRIES)):
            if (site := self._at(offset, SiteKind.HERE)) is not None:
                return site
        return None

    def _num_new_near(self, use: Use) -> int:
        """How many other new names could be asked for around a use."""
        line = self._line_of(use.offset)
        near = {
            other.name for other in self._new_uses if abs(self._line_of(other.offset) - line) <= NEAR_LINES
        }
        return len(near)

    def _elsewhere_near(self, line: int, uses: Sequence[Use]) -> Iterator[CursorSite]:
        for use in uses:
            if abs(self._line_of(use.offset) - line) <= NEAR_LINES:
                site = self._at(use.offset, SiteKind.ELSEWHERE, use)
                if site is not None:
                    yield site

    def _is_new(self, use: Use) -> bool:
        line = self._line_of(use.offset)
        start, end = self._starts[line], self._end_of(line)
        around = self._text[max(0, start - NEW_BEFORE) : start], self._text[end : end + NEW_BEHIND]
        return not any(re.search(rf"\b{re.escape(use.name)}\b", each) for each in around)

    def _here_near(self, line: int) -> list[CursorSite]:
        near = [offset for offset in self.words if abs(self._line_of(offset) - line) <= NEAR_LINES]
        chosen = self._rng.sample(near, min(len(near), MAX_TRIES))
        return [site for offset in chosen if (site := self._at(offset, SiteKind.HERE)) is not None]

    def _at(self, offset: int, kind: SiteKind, use: Use | None = None) -> CursorSite | None:
        """A cursor at, in or somewhere before a name; up to the end of the line, or a bit less or more."""
        line = self._line_of(offset)
        start, end = self._starts[line], self._end_of(line)
        if end - start > MAX_LINE_CHARS or (line in self._imports and self._rng.random() >= IMPORT_SHARE):
            return None
        name = self.words[offset]
        margin = start + len(self._text[start:end]) - len(self._text[start:end].lstrip())
        cursor = self._cursor(margin, name)
        end = self._stop(name, end, line)
        if len(self._text[cursor:end].strip()) < 2:
            return None
        return CursorSite(kind, cursor, end, line, use)

    def _cursor(self, margin: int, name: Lexeme) -> int:
        draw = self._rng.random()
        if draw < 0.35:
            return name.start
        if draw < 0.5:
            return self._rng.randint(name.start, name.end - 1)
        if draw < 0.7:
            return margin
        before = [lexeme for lexeme in self._between(margin, name.start) if lexeme.kind is not Kind.SPACE]
        openers = [lexeme.end for lexeme in before if lexeme.text in _OPENERS]
        return self._rng.choice(openers or [lexeme.end for lexeme in before] or [margin])

    def _stop(self, name: Lexeme, end: int, line: int) -> int:
        """The line's end mostly; else where an argument or the name ends, or up to three lines below."""
        draw = self._rng.random()
        if draw < 0.82:
            return end
        if draw < 0.92:
            stops = [
                lexeme.start for lexeme in self._between(name.end, end) if lexeme.text in (")", ",", "]")
            ]
            return self._rng.choice(stops) if stops else end
        depth = self._depth(line)
        for number in range(line + 1, min(len(self._starts), line + 1 + self._rng.randint(1, 3))):
            if not self._text[self._starts[number] : self._end_of(number)].strip():
                break
            if self._depth(number) < depth:
                break
            end = self._end_of(number)
        return end

    def _blocks_near(self, line: int) -> Iterator[CursorSite]:
        """Bodies behind a line that opens them, whole; the cursor behind the opener or on the next line."""
        last: dict[int, Lexeme] = {}
        bounds = range(max(0, line - NEAR_LINES), min(len(self._starts), line + NEAR_LINES))
        for lexeme in self._between(self._starts[bounds.start], self._end_of(bounds[-1])):
            if lexeme.is_code:
                last[self._line_of(lexeme.end - 1)] = lexeme
        for number, lexeme in last.items():
            if lexeme.text != (":" if self._is_python else "{") or number + 1 >= len(self._starts):
                continue
            end_line = self._end_of_body(number)
            if 0 < end_line - number <= MAX_BLOCK_LINES and self._rng.random() < 0.5:
                body = self._starts[number + 1]
                start = lexeme.end if self._rng.random() < 0.6 else body + self._depth(number + 1)
                yield CursorSite(SiteKind.BLOCK, start, self._end_of(end_line), self._line_of(start))

    def _end_of_body(self, header: int) -> int:
        """The last line that is indented deeper than its header; the header itself if there is none."""
        depth, last = self._depth(header), header
        for number in range(header + 1, min(len(self._starts), header + MAX_BLOCK_LINES + 3)):
            if self._text[self._starts[number] : self._end_of(number)].strip():
                if self._depth(number) <= depth:
                    break
                last = number
        return last

    def _between(self, start: int, end: int) -> list[Lexeme]:
        first = bisect_right(self._lexemes, start, key=lambda lexeme: lexeme.end)
        last = bisect_right(self._lexemes, end - 1, key=lambda lexeme: lexeme.start)
        return self._lexemes[first:last]

    def _line_of(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1

    def _end_of(self, line: int) -> int:
        return self._starts[line + 1] - 1 if line + 1 < len(self._starts) else len(self._text)

    def _depth(self, line: int) -> int:
        text = self._text[self._starts[line] : self._end_of(line)]
        return len(text) - len(text.lstrip(" \t"))


def _is_name(lexeme: Lexeme) -> bool:
    is_word = lexeme.kind is Kind.WORD and len(lexeme.text) > 2 and not lexeme.text[0].isdigit()
    return is_word and lexeme.text not in WORDS
