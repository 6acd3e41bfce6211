"""The lines that are to be written anew, and those around: what of an answer belongs there. Pure.

An answer may repeat the lines around it; it may not change them. Lines are compared without their margins.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

from context.syntax.described import Span
from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.rewrite.margin import in_style, moved, unit_of
from lsp_server.hole import ends_in_opener, margin_of, with_plain_line_ends

NEAR = 30
"""So many lines of an answer's beginning and end, and of those around, are compared."""
ALIKE = 0.6
"""Lines that are less alike have nothing to do with each other."""
SKIP_OUTSIDE, SKIP_INSIDE = 0.3, 0.05
"""What it tells against a pairing of lines that it leaves one out."""
CLEARLY = 0.4
"""So much better a pairing is no accident; `return None` and `return size` are a third."""
CUT_RATHER = 0.15
_WORD = re.compile(r"\w+|[^\w\s]")
_NAME = re.compile(r"\w+")
NOTHING_LEFT = "The instruct model's answer leaves nothing of the lines that it was to rewrite."
REACHES_OUT = "The instruct model's answer changes lines outside of those that it was to rewrite."


class Cut(NamedTuple):
    """An answer without the lines around that it repeats."""

    lines: list[str]
    num_above: int
    num_below: int
    move: tuple[str, str] | None
    """The margin of a repeated line, and its margin in the document; None if none is repeated."""


@dataclass(frozen=True, slots=True)
class RewritePlace:
    """Whole lines, without their line ends."""

    above: tuple[str, ...]
    old: tuple[str, ...]
    below: tuple[str, ...]
    head: str
    """What stands before the range in its first line."""
    tail: str
    """What stands behind it in its last line."""

    @classmethod
    def of(cls, text: str, span: Span) -> Self:
        """The lines of a range, and those around."""
        start = text.rfind("\n", 0, span.start) + 1
        end = text.find("\n", span.end)
        end = len(text) if end < 0 else end
        end -= end > span.end and text[end - 1] == "\r"
        above = with_plain_line_ends(text[:start]).split("\n")[:-1]
        below = with_plain_line_ends(text[end:]).split("\n")[1:]
        old = with_plain_line_ends(text[start:end]).split("\n")
        head, tail = text[start : span.start], text[span.end : end]
        return cls(tuple(above), tuple(old), tuple(below), head, tail)

    def likeness(self, lines: Sequence[str]) -> float:
        """How much lines are like those that are to be rewritten, margins aside; from 0 to 1."""
        one, other = (_WORD.findall("\n".join(each)) for each in (self.old, lines))
        return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()

    def cut(self, lines: Sequence[str]) -> Cut:
        """An answer's own lines; raises NoAnswerError where it changes others than those of the range."""
        around = (*self.above, *self.old, *self.below)
        lines = _without_blank_ends(in_style(lines, self.old if unit_of(self.old) else around))
        most_above = _num_repeated(lines, self.above)
        most_below = _num_repeated(lines[::-1], self.below[::-1])
        cuts = [
            self._cut(lines, num_above, num_below)
            for num_above in sorted({0, most_above})
            for num_below in sorted({0, most_below})
            if num_above + num_below < len(lines)
        ]
        cuts = [each for each in cuts if each.lines]
        if not cuts:
            raise NoAnswerError(NOTHING_LEFT)
        best = max(cuts, key=self._worth)
        if self._reaches_out(best):
            raise NoAnswerError(REACHES_OUT)
        return best

    def texts(self, cut: Cut) -> list[str]:
        """What can stand in the range, by the margins that it may have; the most certain first."""
        written = ("\n".join(map(self._trimmed, lines)) for lines in self._with_margins(cut))
        return [
            each[len(self.head) : len(each) - len(self.tail)]
            for each in dict.fromkeys(written)
            if each.startswith(self.head) and each.endswith(self.tail)
            if len(each) >= len(self.head) + len(self.tail)
        ]

    def _worth(self, cut: Cut) -> float:
        """What stands around as well was repeated, unless little of the old lines is left without it."""
        return self.likeness(cut.lines) + CUT_RATHER * (bool(cut.num_above) + bool(cut.num_below))

    def _trimmed(self, line: str) -> str:
        return line if line in self.old else line.rstrip()

    def _cut(self, lines: list[str], num_above: int, num_below: int) -> Cut:
        end = len(lines) - num_below
        pairs = [
            *zip(lines[:num_above], self.above[len(self.above) - num_above :], strict=True),
            *zip(lines[end:], self.below[:num_below], strict=True),
        ]
        moves = ((margin_of(mine), margin_of(theirs)) for mine, theirs in pairs if theirs.strip())
        return Cut(_without_blank_ends(lines[num_above:end]), num_above, num_below, next(moves, None))

    def _reaches_out(self, cut: Cut) -> bool:
        """Whether it says what the range is in, or its lines pair with those around better than with those of
        the range alone.
        """
        size = min(NEAR, 2 * len(cut.lines) + 4)
        above = () if cut.num_above else self.above[-size:]
        below = () if cut.num_below else self.below[:size]
        lines = _bare(cut.lines)
        lines = lines if len(lines) <= 2 * NEAR else [*lines[:NEAR], *lines[-NEAR:]]
        for header in self._headers():
            known = max(_alike(header, line) for line in _bare(self.old))
            if any(_alike(header, line) > max(known, CLEARLY) for line in lines):
                return True
        inside = _pairing(lines, _bare(self.old), range(len(self.old)))
        window = _bare([*above, *self.old, *below])
        return _pairing(lines, window, range(len(above), len(above) + len(self.old))) > inside + CLEARLY

    def _headers(self) -> Iterator[str]:
        """Of the blocks that the range is in, the innermost first."""
        width = len(margin_of(self.old[0]))
        for line in reversed(self.above):
            if line.strip() and len(margin_of(line)) < width:
                is_end = line.lstrip()[0] in ")]}"
                width = len(margin_of(line)) + is_end  # a header may have several lines
                if _says_much(line):
                    yield line.strip()

    def _with_margins(self, cut: Cut) -> Iterator[list[str]]:
        lines, (margin, own) = cut.lines, (margin_of(self.old[0]), margin_of(cut.lines[0]))
        if cut.move is not None:
            yield moved(lines, *cut.move)
        yield moved(lines, own, margin)
        if not own and all(line.startswith(margin) for line in lines[1:] if line.strip()):
            yield [margin + lines[0], *lines[1:]]  # only the first line lost its margin
        if not self.head:  # the margin itself may be what is wrong
            if own:
                yield [*lines]
            near = next((line for line in reversed(self.above) if line.strip()), "")
            if ends_in_opener(near):
                yield moved(lines, own, margin_of(near) + (unit_of([*self.above, *self.below]) or "    "))
            elif margin:
                yield moved(lines, own, margin_of(near))


def _num_repeated(lines: Sequence[str], above: Sequence[str]) -> int:
    """How many of the first lines are the last ones above, all moved by the same margin."""
    bare, known = _bare(lines), _bare(above)
    for number in range(min(len(lines), len(above)), 0, -1):
        is_same = bare[:number] == known[len(known) - number :]
        if is_same and _is_one_move(lines[:number], above[len(above) - number :]):
            return number
    return 0


def _is_one_move(lines: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether the margins of all lines differ by the same."""
    rows = [(len(margin_of(a)), len(margin_of(b))) for a, b in zip(lines, theirs, strict=True) if a.strip()]
    return len({one - other for one, other in rows}) <= 1


def _pairing(lines: Sequence[str], window: Sequence[str], inside: range) -> float:
    """How well the lines of an answer pair, in their order, with a window's; those around its inside need not
    be paired, but from the first one that is up to the last one none is left out for nothing.
    """
    skips = [SKIP_INSIDE if number in inside else SKIP_OUTSIDE for number in range(len(window))]
    best = [0.0] * (len(window) + 1)
    for number in range(inside.start, len(window)):
        best[number + 1] = best[number] - skips[number]
    for line in lines:
        before, best = best, best[:1]
        for number, other in enumerate(window):
            skipped = 0.0 if number < inside.start else best[number] - skips[number]
            paired = before[number] + _alike(line, other)
            best.append(max(before[number + 1], best[number] - skips[number], skipped, paired))
    return max(best[inside.stop :])


def _alike(line: str, other: str) -> float:
    if line == other:
        return 1.0 if _says_much(line) else 0.25
    one, two = _words(line), _words(other)
    if 2 * len(one & two) < min(len(one), len(two)) or not one & two:
        return 0.0  # the rest is dear
    ratio = difflib.SequenceMatcher(None, line, other, autojunk=False).ratio()
    return max(0.0, (ratio - ALIKE) / (1 - ALIKE))


def _says_much(line: str) -> bool:
    """A bracket, `else:` or `break` may stand anywhere."""
    return len(_NAME.findall(line)) > 1


@lru_cache(maxsize=1_000)
def _words(line: str) -> frozenset[str]:
    return frozenset(_WORD.findall(line))


def _bare(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines]


def _without_blank_ends(lines: Sequence[str]) -> list[str]:
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    return [*lines[numbers[0] : numbers[-1] + 1]] if numbers else []
