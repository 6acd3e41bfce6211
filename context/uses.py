"""What the file at the cursor uses: its imports and names, without the line that is being typed.

Nothing here depends on the text of the cursor's line, so that a plan stays the same while a line is typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from context.extract import extract
from context.languages import Language
from context.symbols import FileFacts

MAX_PARSED = 96_000
"""Characters looked at; of a longer text its head and the part around the cursor. Ten milliseconds or so."""

MIN_WORD = 3
"""Letters, as in `identifiers`."""

_CHAIN = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\??\.[^\W\d]\w*)*")
_ATTRIBUTE = re.compile(r"\.\s*([^\W\d]\w{2,})")
_QUOTES_OVER_LINES = {"python": re.compile("\"\"\"|'''"), "javascript": re.compile("`")}

Path = tuple[str, ...]
"""The attributes that follow a name: `a.b.c` is `("b", "c")` of `a`."""


@dataclass(frozen=True, slots=True)
class Uses:
    """The names of one file outside its import statements, each with the lines where it occurs."""

    facts: FileFacts
    names: Mapping[str, tuple[int, ...]]
    """Lines of each name that is no attribute, one per occurrence."""
    chains: Mapping[str, tuple[tuple[Path, int], ...]]
    """For a name, the attribute paths that follow it and their lines, one per occurrence."""
    attributes: Mapping[str, tuple[int, ...]]
    """Lines of each attribute, whatever stands before its dot."""
    words: frozenset[str]
    """Every identifier, attributes too."""
    line: int
    """The cursor's, from zero, in the same count as all other lines here."""


def uses_of(text: str, offset: int, language: Language) -> Uses:
    """The uses of a text with the cursor at `offset`."""
    window, offset = _window(text, offset)
    visible = without_line(window, offset, language)
    facts = extract(visible, language)
    lines = visible.split("\n")
    for statement in facts.imports:
        for number in range(statement.first_line, min(statement.last_line + 1, len(lines))):
            lines[number] = ""
    names: dict[str, list[int]] = {}
    chains: dict[str, list[tuple[Path, int]]] = {}
    attributes: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if not line:
            continue
        for chain in _CHAIN.findall(line):
            if "." not in chain:
                names.setdefault(chain, []).append(number)
                continue
            head, *path = chain.replace("?.", ".").split(".")
            names.setdefault(head, []).append(number)
            chains.setdefault(head, []).append((tuple(path), number))
        if "." in line:
            for attribute in _ATTRIBUTE.findall(line):
                attributes.setdefault(attribute, []).append(number)
    return Uses(
        facts,
        {name: tuple(found) for name, found in names.items()},
        {head: tuple(found) for head, found in chains.items()},
        {name: tuple(found) for name, found in attributes.items()},
        frozenset(word for word in (*names, *attributes) if len(word) >= MIN_WORD),
        window.count("\n", 0, line_bounds(window, offset)[0]),
    )


def without_line(text: str, offset: int, language: Language) -> str:
    """The text with the cursor's line emptied; quotes that span lines stay, or code turns into strings."""
    start, end = line_bounds(text, offset)
    quotes = _QUOTES_OVER_LINES.get(language.family)
    kept = "".join(quotes.findall(text[start:end])) if quotes else ""
    return text[:start] + kept + text[end:]


def line_bounds(text: str, offset: int) -> tuple[int, int]:
    """Where the line of `offset` starts and ends, without its line end. An offset outside is moved inside."""
    offset = max(0, min(offset, len(text)))
    end = text.find("\n", offset)
    return text.rfind("\n", 0, offset) + 1, len(text) if end < 0 else end


def _window(text: str, offset: int) -> tuple[str, int]:
    """Whole lines on a fixed grid, so that the window does not slide with each typed character."""
    if len(text) <= MAX_PARSED:
        return text, offset
    step = MAX_PARSED // 4
    offset = max(0, min(offset, len(text)))
    start = max(step, (offset // step - 1) * step)
    stop = start + 3 * step
    head = text[: text.rfind("\n", 0, step) + 1]
    start = text.rfind("\n", 0, start) + 1
    around = text[start : text.rfind("\n", 0, stop) + 1 if stop < len(text) else len(text)]
    return head + around, offset if offset < len(head) else len(head) + max(0, offset - start)
