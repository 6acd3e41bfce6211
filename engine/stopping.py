"""Stop rules: a stream of text in, the place to cut out. Pure; runs inside the decode loop.

Knows no tokens and no model. The result does not depend on how the stream was cut into pieces: each rule
fires at a certain character, and the rule that fires first decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engine.api import Shape, StopRules
from engine.brackets import Brackets, code_of

SAME_LINES = 3
"""So many equal lines in a row are a loop; the repeats are cut."""
MIN_UNIT_CHARS = 3
MAX_UNIT_CHARS = 80
LOOPED_CHARS = 72
"""So many characters of equal units, and at least three of them, are a loop within a line."""
_CLOSERS = (")", "]", "}")
_OPENERS = (":", "(", "[", "{")
_BRANCH = re.compile(r"(else|elif|except|finally|catch)\b")
"""Goes on with the statement that the cursor's line opened."""
_FIRST_WORD = re.compile(r"\w*")


class End(NamedTuple):
    """A rule fired; the smaller, the earlier."""

    seen: int
    """Characters that had to be seen to know it."""
    cut: int
    """Length of what is kept."""


class Stopper:
    """Decides, text by text, whether a completion is complete."""

    def __init__(self, rules: StopRules | None = None, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(s for s in stop if s)
        self._longest_stop = max((len(s) for s in self._stop), default=0)
        self._lines = None if rules is None else _Lines(rules)
        self.text = ""
        """What is to be offered so far."""
        self.is_stopped = False

    def feed(self, piece: str) -> bool:
        """Add generated text; True as soon as nothing after it can matter."""
        if self.is_stopped or not piece:
            return self.is_stopped
        seen = len(self.text)
        self.text += piece
        ends = [*self._stop_strings(max(0, seen - self._longest_stop + 1))]
        if self._lines is not None and (end := self._lines.feed(self.text)) is not None:
            ends.append(end)
        if ends:
            self.text = self.text[: min(ends).cut]
            self.is_stopped = True
        return self.is_stopped

    @property
    def settled(self) -> str:
        """The part of `text` that no later piece can take back: safe to stream."""
        if self.is_stopped:
            return self.text
        size = len(self.text) - self._begun_stop_string()
        return self.text[: size if self._lines is None else min(size, self._lines.settled)]

    def _begun_stop_string(self) -> int:
        """Characters at the end of `text` that may be the beginning of a stop string."""
        for size in range(min(self._longest_stop - 1, len(self.text)), 0, -1):
            if any(stop.startswith(self.text[-size:]) for stop in self._stop):
                return size
        return 0

    def _stop_strings(self, start: int) -> Iterator[End]:
        for stop in self._stop:
            at = self.text.find(stop, start)
            if at >= 0:
                yield End(at + len(stop), at)


def loop_end(line: str, start: int = 0) -> int | None:
    """Where `line`, read from `start` on, is first seen to go round in a loop, as in `2 * 60 * 60 * 60...`.

    A loop is the same unit again and again, with a letter or digit in it: six times a short one, three times
    a long one.
    """
    for end in range(max(start, MIN_UNIT_CHARS * 3), len(line) + 1):
        for size in range(MIN_UNIT_CHARS, min(MAX_UNIT_CHARS, end // 3) + 1):
            unit = line[end - size : end]
            num_units = min(6, max(3, LOOPED_CHARS // size))
            if line.endswith(unit * num_units, 0, end) and any(map(str.isalnum, unit)):
                return end
    return None


class _Lines:
    """The rules of shape and brackets, line by line.

    The first generated line continues the cursor's line; rules of indentation start with the second. A block
    ends before a dedent, two blank lines (at top level one), the line that already follows, a loop, and after
    `max_lines` or the line that closes what the cursor's line opened. A line ends at its end, unless it may
    grow and opens a block: from there on it is that block. Both end before a bracket too many.
    """

    def __init__(self, rules: StopRules) -> None:
        self.settled = 0
        """No rule can cut before this."""
        self._rules = rules
        self._is_line = rules.shape is Shape.LINE or rules.max_lines <= 1
        self._brackets = None if rules.closers is None else Brackets(rules.closers, rules.line_prefix)
        self._opened = bool(rules.line_prefix.strip())
        self._base = _indent(rules.line_prefix)
        self._next_line = next((line.rstrip() for line in rules.next_lines if line.strip()), None)
        self._start = 0
        """Where the unfinished line begins."""
        self._looked = 0
        """How far loops and brackets have been looked for."""
        self._kept = 0
        """The end of the last line that is kept."""
        self._num_lines = 0
        self._num_blank = 0
        self._last = ""
        self._repeats = 0

    def feed(self, text: str) -> End | None:
        """Look at what is new in `text`."""
        while (newline := text.find("\n", self._start)) >= 0:
            stop = newline - text.endswith("\r", self._start, newline)
            line = text[self._start : newline]
            end = self._unfinished(line) or self._line(line[: stop - self._start], stop, newline + 1)
            if end is not None:
                return end
            if self._brackets is not None:
                self._brackets.feed("\n")
            self._start = self._looked = newline + 1
        if self._is_line:
            self.settled = len(text) - text.endswith("\r")
        return self._unfinished(text[self._start :])

    def _unfinished(self, line: str) -> End | None:
        """What is seen before a line is whole."""
        new = self._looked - self._start
        self._looked = self._start + len(line)
        ends = (self._dedent(line), self._loop(line, new), self._bracket(line, new))
        return min((end for end in ends if end is not None), default=None)

    def _loop(self, line: str, new: int) -> End | None:
        """The line goes round in a loop; it is not cut here, as some of it may have been streamed."""
        at = loop_end(line, new)
        return None if at is None else End(self._start + at, self._start + at)

    def _bracket(self, line: str, new: int) -> End | None:
        """A bracket closes what is not open; one that begins a line takes the line with it."""
        at = None if self._brackets is None else self._brackets.feed(line[new:])
        if at is None:
            return None
        is_first = self._start > 0 and not line[: new + at].strip()
        at += self._start + new
        return End(at + 1, self._kept if is_first else at)

    def _dedent(self, line: str) -> End | None:
        """The unfinished line lies outside of the block, as far as it can be seen."""
        if self._start == 0 or not line.strip():
            return None
        margin = len(line) - len(line.lstrip())
        if _indent(line) < self._base:
            return End(self._start + margin + 1, self._kept)
        if self._is_beside_opener(line) and not _stays(line):
            # `els` may become `else`: the first word must be whole.
            after = max(_FIRST_WORD.match(line, margin).end(), margin)  # type: ignore[union-attr]
            return End(self._start + after + 1, self._kept) if after < len(line) else None
        return None

    def _line(self, line: str, stop: int, seen: int) -> End | None:
        """The unfinished line is whole now: from `_start` to `stop`."""
        is_first = self._start == 0
        whole = (self._rules.line_prefix + line if is_first else line).rstrip()
        if self._is_line:
            return self._grow(whole, stop, seen)
        continues_cursor = is_first and self._opened
        if not line.strip() and not continues_cursor:
            return None if is_first else self._blank(seen)
        if self._is_beside_opener(line) and not _stays(line):
            return End(seen, self._kept)
        if whole == self._next_line and not continues_cursor:
            return End(seen, self._kept)
        self._repeats = self._repeats + 1 if whole == self._last else 1
        if self._repeats >= SAME_LINES:
            return End(seen, self.settled)
        self._keep(whole, stop)
        is_closed = self._is_beside_opener(line) and _closes(line)
        return End(seen, stop) if is_closed or self._num_lines >= self._rules.max_lines else None

    def _grow(self, whole: str, stop: int, seen: int) -> End | None:
        """The only line is whole: the end, or the beginning of a block whose opener it is."""
        rules = self._rules
        may_grow = rules.grows and rules.max_lines > 1 and not rules.line_suffix.strip()
        if not may_grow or not code_of(whole).endswith(_OPENERS):
            return End(seen, stop)
        self._is_line, self._opened, self._base = False, True, _indent(whole)
        self._repeats = 1
        self._keep(whole, stop)
        return None

    def _keep(self, line: str, stop: int) -> None:
        self._last, self._kept = line, stop
        self._num_blank = 0
        self._num_lines += 1
        if self._repeats == 1:
            self.settled = stop

    def _blank(self, seen: int) -> End | None:
        self._num_blank += 1
        is_top_level = self._base == 0 and not self._opened and self._num_lines > 0
        return End(seen, self._kept) if self._num_blank >= 2 or is_top_level else None

    def _is_beside_opener(self, line: str) -> bool:
        """The line stands as far left as the cursor's line, which had begun something."""
        return self._start > 0 and self._opened and _indent(line) == self._base


def _indent(line: str) -> int:
    """Width of the leading white space, a tab counted as four columns."""
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    return len(margin) + 3 * margin.count("\t")


def _stays(line: str) -> bool:
    """A line beside the opener that still belongs to the block."""
    line = line.lstrip()
    return line.startswith(_CLOSERS) or _BRANCH.match(line) is not None


def _closes(line: str) -> bool:
    """A line that ends the block: it closes and opens nothing anew, as `} else {` does."""
    return line.lstrip().startswith(_CLOSERS) and not line.rstrip().endswith(_OPENERS)
