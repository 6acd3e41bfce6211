"""A text that would be a new syntax error is cut back to its last line that is none.

Asks someone who can parse, and to whom no text is an error that typing on would cure. Knows only which lines
are worth a question.
"""

from __future__ import annotations

from collections.abc import Callable

from lsp_server.hole import Hole
from lsp_server.trimming.torn_end import can_end

Breaks = Callable[[str, int], bool]
"""Whether putting a text in, in place of so many characters behind the cursor, adds a syntax error."""

MAX_PARSES = 4
"""Each question costs a parse."""


def never(text: str, replaces: int) -> bool:
    """For where nothing is known of syntax."""
    return False


def cut_broken(text: str, replaces: int, hole: Hole, path: str, breaks: Breaks) -> str:
    """The longest beginning of whole lines that adds no error, among the likely ones; empty if none does."""
    lines = text.split("\n")
    for size in _sizes(lines, hole, path):
        cut = "\n".join(lines[:size])
        if not breaks(cut, replaces):
            return cut
    return ""


def _sizes(lines: list[str], hole: Hole, path: str) -> list[int]:
    """Numbers of lines worth a parse: all, the longest after which something else may follow, the first."""
    shorter = [size for size in range(len(lines) - 1, 1, -1) if lines[size - 1].strip()]
    likely = [size for size in shorter if can_end("\n".join(lines[:size]), hole, path)]
    first = [1] if len(lines) > 1 and lines[0].strip() else []
    return [len(lines), *likely[: MAX_PARSES - 2], *first]
