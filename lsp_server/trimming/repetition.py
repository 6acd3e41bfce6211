"""What was just said, or follows anyway: loops, the lines above, the lines below. Cut before it.

Lines that anyone repeats (`}`, `pass`, `else:`) are held against a text only where they repeat the neighbour
exactly.
"""

from __future__ import annotations

import re

from engine.stopping import loop_end
from lsp_server.hole import Hole, margin_of

MAX_UNIT_LINES = 4
MIN_TELLING_CHARS = 8
MIN_REPEATED_CHARS = 3
ABOVE_CHARS = 4000
"""So much of the document is looked at above the cursor."""

_OPENERS = (":", "{", "(", "[")
_TRIVIAL = re.compile(
    r"(?:\W|\b(?:pass|else|try|finally|do|then|begin|end|fi|done|esac|break|continue|return|default|self|this|"
    r"None|null|nil|undefined|True|False|true|false|\d+)\b)*"
)


def cut_loops(text: str, hole: Hole, path: str) -> str:
    """Cut before a line in which the model went round in a loop, and before lines said for the third time."""
    lines = text.split("\n")
    looping = next((index for index, line in enumerate(lines) if loop_end(line) is not None), len(lines))
    lines = lines[:looping]
    completed = [hole.line_prefix + lines[0], *lines[1:]] if lines else []
    return "\n".join(lines[: _second_round(completed)])


def _second_round(lines: list[str]) -> int:
    """Where a group of up to four lines, said three times in a row, is said for the second time."""
    for start in range(len(lines)):
        for size in range(1, MAX_UNIT_LINES + 1):
            unit = lines[start : start + size]
            is_loop = unit * 2 == lines[start + size : start + 3 * size]
            if is_loop and len(unit) == size and any(character.isalnum() for character in "".join(unit)):
                return start + size
    return len(lines)


def cut_lines_below(text: str, hole: Hole, path: str) -> str:
    """Cut before lines that stand below the cursor, also if nothing is left."""
    below = [line.rstrip() for line in hole.next_lines()]
    if not below:
        return text
    lines = text.split("\n")
    completed = (hole.line_prefix + text + hole.line_suffix).split("\n")
    if _begins_with(completed, below) and len("".join(completed).strip()) >= MIN_REPEATED_CHARS:
        return ""
    cut = next((at for at in range(1, len(lines)) if _begins_with(completed[at:], below)), len(lines))
    return "\n".join(lines[:cut])


def _begins_with(lines: list[str], below: list[str]) -> bool:
    """Whether the first line stands below, and so does all that follows it as far as both go.

    If it is telling and no header, more need not follow; if it is neither, all of the lines must stand below.
    """
    ours = [line.rstrip() for line in lines if line.strip()]
    if not ours or not lines[0].strip():
        return False
    is_header = ours[0].endswith(_OPENERS) or ours[0].lstrip().startswith("@")
    if is_telling(ours[0]) and not is_header:
        return is_near(ours[0], below[0])
    size = min(len(ours), len(below))
    return ours[:size] == below[:size] and (size == len(ours) or is_telling(*ours[:size]))


def cut_lines_above(text: str, hole: Hole, path: str) -> str:
    """Nothing of a text that begins with the last lines above the cursor: a telling one, or two."""
    above = lines_above(hole)
    whole = hole.line_prefix + text + hole.line_suffix
    completed = [line.rstrip() for line in whole.split("\n") if line.strip()]
    if len(completed) == 1:
        return "" if is_telling(completed[0]) and above[-1:] == completed else text
    sizes = range(2, min(len(completed), len(above)) + 1)
    is_repeated = any(completed[:size] == above[-size:] and is_telling(*completed[:size]) for size in sizes)
    return "" if is_repeated else text


def lines_above(hole: Hole) -> list[str]:
    """The non-blank lines above the cursor's line, as far up as anyone looks."""
    end = hole.offset - len(hole.line_prefix)
    start = max(0, end - ABOVE_CHARS)
    lines = hole.text[start:end].split("\n")[0 if start == 0 else 1 :]
    return [line.rstrip() for line in lines if line.strip()]


def is_telling(*lines: str) -> bool:
    """A line, or one of some, that is not repeated by chance: more than brackets and a keyword."""
    return any(len(line.strip()) >= MIN_TELLING_CHARS and not _TRIVIAL.fullmatch(line) for line in lines)


def is_near(one: str, other: str) -> bool:
    """Whether two lines with one margin are the same but for spaces, the kind of quotes and the last comma.

    No distance in characters: real neighbours that differ in less than a tenth of theirs (`x1 = a.x1`,
    `x2 = a.x2`) are meant, and make up one line in fifty.
    """
    return one == other or (margin_of(one) == margin_of(other) and _plain(one) == _plain(other))


def _plain(line: str) -> str:
    return "".join(line.split()).rstrip(",;").replace("'", '"')
