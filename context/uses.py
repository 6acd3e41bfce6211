"""What the file at the cursor uses: its imports and names, without the line that is being typed.

Nothing here depends on the text of the cursor's line, so that a plan stays the same while a line is typed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from context.parse import extract, identifiers
from context.symbols import FileFacts

MAX_PARSED = 256_000
"""Characters parsed in this process; of a longer text only its head and the part around the cursor."""

_CHAIN = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_TRIPLE_QUOTE = re.compile("\"\"\"|'''")


@dataclass(frozen=True, slots=True)
class Uses:
    """The names of one file, counted outside its import statements."""

    facts: FileFacts
    names: Mapping[str, int]
    """How often each name occurs, not as an attribute."""
    chains: Mapping[str, tuple[tuple[str, ...], ...]]
    """For a name, the attribute paths that follow it: `a.b.c` is `("b", "c")` of `a`. One per occurrence."""
    words: frozenset[str]
    """Every identifier, attributes too."""


def uses_of(text: str, offset: int) -> Uses:
    """The uses of a Python text with the cursor at `offset`."""
    visible = without_line(*_window(text, offset))
    facts = extract(visible)
    lines = visible.split("\n")
    for statement in facts.imports:
        for number in range(statement.first_line, min(statement.last_line + 1, len(lines))):
            lines[number] = ""
    body = "\n".join(lines)
    names: Counter[str] = Counter()
    chains: dict[str, list[tuple[str, ...]]] = {}
    for chain in _CHAIN.findall(body):
        head, *attributes = chain.split(".")
        names[head] += 1
        if attributes:
            chains.setdefault(head, []).append(tuple(attributes))
    paths = {head: tuple(found) for head, found in chains.items()}
    return Uses(facts, names, paths, frozenset(identifiers(body)))


def without_line(text: str, offset: int) -> str:
    """The text with the cursor's line emptied. Triple quotes stay, or strings and code change places."""
    start, end = line_bounds(text, offset)
    return text[:start] + "".join(_TRIPLE_QUOTE.findall(text[start:end])) + text[end:]


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
