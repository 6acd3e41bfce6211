"""What an editor shows as ghost text, and how much of it somebody would take who knows what comes. Pure.

Right is what leaves the document as it will be: text that would double a bracket behind the cursor is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from benchmarks.replay.keyboard import Typing

_WORD = re.compile(r"[ \t]*(?:\w+|[^\w\s]+)")
"""What one key of "accept the next word" takes: a word or a run of signs, with the blanks before it."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """One item, in the coordinates of the stretch that is typed."""

    text: str
    start: int
    """Where its range begins."""
    replaces: int = 0
    """How much behind the cursor its range takes away."""
    item: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """As the server sent it."""


class Portion(StrEnum):
    """How much is taken at once."""

    WHOLE = "whole"
    LINE = "line"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Take:
    """Ghost text accepted, whole or in part."""

    ghost: Ghost
    portion: Portion
    length: int
    """Of the part of `ghost.text` that is taken."""
    num_keys: int
    after: Typing


def best_take(typing: Typing, ghost: Ghost) -> Take | None:
    """The whole if it is right, else the right lines, else the right words; None if it saves no key.

    A key accepts everything, one line or one word; in part, nothing behind the cursor is replaced.
    """
    whole = typing.inserted(ghost.text, ghost.start, ghost.replaces)
    if whole.is_sound() and len(whole.before) > len(typing.before):
        take = Take(ghost, Portion.WHOLE, len(ghost.text), 1, whole)
        return take if _gain(typing, take) > 0 else None
    for portion, ends in ((Portion.LINE, line_ends(ghost.text)), (Portion.WORD, word_ends(ghost.text))):
        takes = [
            Take(ghost, portion, end, num, after)
            for num, end in enumerate(ends, 1)
            if (after := typing.inserted(ghost.text[:end], ghost.start, 0)).is_sound()
            and len(after.before) > len(typing.before)
        ]
        if takes:
            best = max(takes, key=lambda take: _gain(typing, take))
            return best if _gain(typing, best) > 0 else None
    return None


def first_line(text: str) -> str:
    """Up to the end of the first line that is not blank."""
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return text if end < 0 else text[:end]


def is_right(target: str, before: str, text: str) -> bool:
    """The first line of `text`, put behind `before`, is what comes."""
    return bool(text.strip()) and target.startswith(before + first_line(text))


def line_ends(text: str) -> list[int]:
    """Where the lines of `text` that are not blank end, without their line ends."""
    return [match.end() for match in re.finditer(r"[^\n]*\S[^\n]*", text)]


def word_ends(text: str) -> list[int]:
    """Where the words of the first line that is not blank end."""
    line = first_line(text)
    at = len(line) - len(line.lstrip())
    ends: list[int] = []
    while match := _WORD.match(line, at):
        at = match.end()
        ends.append(at)
    return ends


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a text is right, and what it takes to accept it."""

    portion: Portion
    length: int
    num_keys: int


def longest_right(text: str, is_right: Callable[[str], bool]) -> Part | None:
    """The whole if it is right, else the right lines, else the right words."""
    if is_right(text):
        return Part(Portion.WHOLE, len(text), 1)
    for portion, ends in ((Portion.LINE, line_ends(text)), (Portion.WORD, word_ends(text))):
        parts = [Part(portion, end, num) for num, end in enumerate(ends, 1) if is_right(text[:end])]
        if parts:
            return parts[-1]
    return None


def _gain(typing: Typing, take: Take) -> int:
    """Keys that are not pressed."""
    return typing.num_keys_to(take.after) - take.num_keys
