"""Where the frozen part of an anchored prompt ends: what of the document it holds, and how long it serves.

Pure text: knows no token ids, no budget and no engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

MAX_TAIL_CHARS = 512
"""About 128 tokens of code; a longer tail needs a new anchor."""
_MAX_WORD_CHARS = 64


@dataclass(frozen=True, slots=True)
class Anchor:
    """The document as it was read before and behind the hole; what is typed since stands behind both."""

    prefix: str
    suffix: str

    @classmethod
    def at_line(cls, prefix: str, suffix: str) -> Self:
        """At the start of the cursor's line: what is typed of it stays in one piece.

        In a very long line at the last white space before the cursor, or at the cursor.
        """
        start = prefix.rfind("\n") + 1
        if len(prefix) - start > MAX_TAIL_CHARS // 2:
            nearest = max(prefix.rfind(blank, len(prefix) - _MAX_WORD_CHARS) for blank in " \t")
            start = len(prefix) if nearest < 0 else nearest
        return cls(prefix[:start], suffix)

    def tail(self, prefix: str, suffix: str) -> str | None:
        """What was typed since; None if the document changed elsewhere, or if it is too much."""
        if suffix != self.suffix or not prefix.startswith(self.prefix):
            return None
        size = len(prefix) - len(self.prefix)
        return prefix[len(self.prefix) :] if size <= MAX_TAIL_CHARS else None

    def is_outgrown(self, prefix: str) -> bool:
        """The tail has more than a line, or half of what it may: a new one would stand further on."""
        is_long = len(prefix) - len(self.prefix) > MAX_TAIL_CHARS // 2
        return is_long or "\n" in prefix[len(self.prefix) :]
