"""Where a hole is cut into a text, as an editor would ask or at random. Knows no syntax and no tokens."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_KINDS = ("rest of a line", "end of a block", "whole lines", "end of the text", "random span")
_SHARES = (40, 30, 10, 7, 13)
_BLOCK_LINES = (2, 3, 4, 6, 8, 12, 20)
MAX_LINES = 10
INSIDE_LINE_SHARE = 0.15
"""Of the holes in one line, those that end before it does."""


class Hole(NamedTuple):
    """The middle's characters."""

    start: int
    end: int


def draw_hole(text: str, rng: random.Random) -> Hole:
    """A hole of a random kind; an empty one in an empty text."""
    lines = [match.span() for match in _LINE.finditer(text)]
    if not lines:
        return Hole(0, 0)
    kind = rng.choices(_KINDS, _SHARES)[0]
    if kind == "rest of a line":
        return _rest_of_line(text, lines, rng)
    if kind == "end of a block":
        return _end_of_block(text, lines, rng)
    if kind == "whole lines":
        first = rng.randrange(len(lines))
        last = min(len(lines) - 1, first + rng.randrange(MAX_LINES))
        return Hole(lines[first][0], lines[last][1])
    if kind == "end of the text":
        first = max(0, len(lines) - rng.randint(1, 2 * MAX_LINES))
        return Hole(rng.randint(*lines[first]), len(text))
    start, end = sorted(rng.randint(0, len(text)) for _ in range(2))
    return Hole(start, end)


def _rest_of_line(text: str, lines: list[tuple[int, int]], rng: random.Random) -> Hole:
    start, end = rng.choice([line for line in lines if text[slice(*line)].strip()] or lines)
    line = text[start:end].rstrip("\n")
    end = start + len(line)
    start = rng.randint(start + len(line) - len(line.lstrip()), end)
    return Hole(start, rng.randint(start, end) if rng.random() < INSIDE_LINE_SHARE else end)


def _end_of_block(text: str, lines: list[tuple[int, int]], rng: random.Random) -> Hole:
    """From somewhere in a line to the end of what is indented at least as deep."""
    first = rng.randrange(len(lines))
    depth = _depth(text[slice(*lines[first])])
    last = first
    for number in range(first + 1, min(len(lines), first + rng.choice(_BLOCK_LINES))):
        line = text[slice(*lines[number])]
        if line.strip():
            if _depth(line) < depth:
                break
            last = number
    start, end = lines[first][0], lines[last][1]
    if rng.random() < 0.5:
        start = rng.randint(start, lines[first][1])
    elif rng.random() < 0.5:
        start += depth
    if text[end - 1] == "\n" and rng.random() < 0.8:
        end -= 1
    return Hole(min(start, end), end)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
