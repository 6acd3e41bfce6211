"""What every condition is: a site and a room in tokens in, segments out. Knows no engine.

Segments stand as in every prompt: the most wanted last, nearest to the hole. No condition looks at the
target file on disk: each gets the text with the hole, and the corpus's other files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment

Cost = Callable[[Segment], int]
"""Tokens of a segment as it stands in a prompt, its header included."""


class Condition(Protocol):
    """One way to choose context, over one corpus."""

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """What enters the prompt of a site."""
        ...


class Maker(Protocol):
    """Opens a condition over a corpus."""

    def __call__(self, corpus: Corpus, cost: Cost) -> Condition:
        """May read the corpus; called once per package."""
        ...


def filled(pieces: Iterable[Segment], budget_tokens: int, cost: Cost) -> list[Segment]:
    """The best pieces that fit, the best last; the first that does not fit gives whole lines and ends it."""
    kept: list[Segment] = []
    left = budget_tokens
    for piece in pieces:
        price = cost(piece)
        if price > left:
            head = _head(piece, left, cost)
            kept += [head] if head else []
            break
        kept.append(piece)
        left -= price
    return kept[::-1]


def _head(piece: Segment, room_tokens: int, cost: Cost) -> Segment | None:
    """The longest start of a piece, in whole lines, that fits."""
    lines = piece.text.splitlines(keepends=True)
    low, high = 0, len(lines) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if cost(_with_text(piece, lines[:middle])) <= room_tokens:
            low = middle
        else:
            high = middle - 1
    return _with_text(piece, lines[:low]) if low else None


def _with_text(piece: Segment, lines: Sequence[str]) -> Segment:
    return Segment(piece.path, "".join(lines), piece.kind, piece.reason)
