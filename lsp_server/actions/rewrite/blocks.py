"""The code in what an instruct model says: fenced blocks, however they were tagged or left open. Pure.

Knows Markdown's fences and the marks of models; knows no document and no language's syntax.
"""

from __future__ import annotations

import re
from typing import NamedTuple

FOREIGN_TAGS = frozenset({"bash", "console", "json", "output", "plaintext", "sh", "shell", "text", "txt"})
"""What is fenced so is no rewriting of code."""
_FENCE = re.compile(r"^[ \t>]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<tag>[^\s`]*)[^`]*$")
_TICKS = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)


class Block(NamedTuple):
    """Lines between two fences."""

    tag: str
    """What the fence says of its language, in small letters; empty without one."""
    lines: tuple[str, ...]
    is_closed: bool


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text with plain line ends, in order; the last one may not be closed."""
    found: list[Block] = []
    opening: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        if opening is None:
            opening, lines = _FENCE.match(line), []
        elif _closes(line, opening["ticks"]):
            found.append(Block(opening["tag"].lower(), tuple(lines), True))
            opening = None
        else:
            lines.append(line)
    if opening is not None:
        found.append(Block(opening["tag"].lower(), tuple(lines), False))
    return found


def has_fence(text: str) -> bool:
    """Whether a line of a text begins as a fence does."""
    return _TICKS.search(text) is not None


def _closes(line: str, ticks: str) -> bool:
    line = line.strip(" \t>")
    return len(line) >= len(ticks) and set(line) == {ticks[0]}
