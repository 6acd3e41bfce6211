"""A line of Python that begins too far to the left or right: the levels of its neighbours, tried out.

Pure; whether a text parses then is for others to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from lsp_server.actions.edit import Edit
from lsp_server.actions.rules.proposal import Proposal

NEAR = 12
"""Lines above and below whose levels count."""
TRIED_ABOVE, TRIED_BELOW = NEAR, 1
"""Python complains of the line after the wrong one, too."""
ROUGH = 0.3
"""The doubt in a change of level without need."""
MAX_READ = 50_000
"""Characters that tell how far a file indents."""
_HEADER = re.compile(r"(?m)^([ \t]*)(?:class|def|for|if|while|with)\b[^\n]*:\n(?=\1([ \t]+))")


class _Line(NamedTuple):
    start: int
    width: int
    margin: str
    opens: bool


def margins_to_try(text: str, offset: int) -> Iterator[Proposal]:
    """The lines around an offset at other levels, the likeliest first; the rest of a text stays."""
    start = text.rfind("\n", 0, offset) + 1
    lines = _lines(text, start)
    here = max((number for number, line in enumerate(lines) if line.start <= start), default=-1)
    if here < 0:
        return
    levels = _levels(lines, _step(text))
    found = []
    for number in range(max(0, here - TRIED_ABOVE), min(len(lines), here + 1 + TRIED_BELOW)):
        for width, margin in levels.items():
            if width != lines[number].width:
                line = lines[number]
                changed = [*lines[:number], line._replace(width=width), *lines[number + 1 :]]
                doubt = (
                    _roughness(changed) * ROUGH + abs(width - line.width) / 100 + abs(number - here) / 1000
                )
                found.append(Proposal(doubt, Edit(line.start, line.start + len(line.margin), margin)))
    least = min((each.doubt for each in found), default=0.0)
    yield from sorted(Proposal(doubt - least, edit) for doubt, edit in found)


def _lines(text: str, start: int) -> list[_Line]:
    """Lines with code in them around one."""
    first = last = start
    for _ in range(NEAR):
        first = text.rfind("\n", 0, max(0, first - 1)) + 1
        last = end + 1 if (end := text.find("\n", last)) >= 0 else len(text)
    last = end if (end := text.find("\n", last)) >= 0 else len(text)
    found = []
    at = first
    for line in text[first:last].split("\n"):
        code = line.strip()
        if code and not code.startswith("#"):
            margin = line[: len(line) - len(line.lstrip())]
            opens = code.partition("  #")[0].rstrip().endswith((":", "(", "[", "{"))
            found.append(_Line(at, len(margin.expandtabs()), margin, opens))
        at += len(line) + 1
    return found


def _step(text: str) -> str:
    """By what a block is indented here."""
    found = Counter(match[2] for match in _HEADER.finditer(text[:MAX_READ]))
    return min(found, key=lambda step: (-found[step], len(step)), default=" " * 4)


def _levels(lines: list[_Line], step: str) -> dict[int, str]:
    """By width the margins that are in use, and those one step further than a line that opens a block."""
    found = {0: ""}
    for line in lines:
        if line.margin == step * (len(line.margin) // len(step)):
            found.setdefault(line.width, line.margin)
            if line.opens:
                found.setdefault(len((line.margin + step).expandtabs()), line.margin + step)
    return found


def _roughness(lines: list[_Line]) -> int:
    """How often the level changes without need."""
    num = 0
    for above, line in pairwise(lines):
        wanted = line.width > above.width if above.opens else line.width == above.width
        num += not wanted
    return num
