"""Which tokens of a middle are names that the context tells and the visible part of the file does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from training.samples.sites import WORDS

MIN_CHARS = 4
"""Shorter names are found by chance."""
_NAME = re.compile(r"[^\W\d]\w*")


def names_in(text: str) -> set[str]:
    """Every name that says something of a repository."""
    return {name for name in _NAME.findall(text) if len(name) >= MIN_CHARS and name not in WORDS}


def told(
    middle: str,
    spans: Sequence[tuple[int, int]],
    shown: Collection[str],
    visible: Collection[str],
    is_code: Callable[[int], bool] = lambda _: True,
) -> list[bool]:
    """For each token, given by its characters: whether it is of a told name where that stands first.

    `is_code` says of a name's offset in the middle whether it stands in code: words of comments are not told.
    """
    known = {*visible}
    ranges: list[tuple[int, int]] = []
    for match in _NAME.finditer(middle):
        if match[0] in shown and match[0] not in known and is_code(match.start()):
            ranges.append(match.span())
        known.add(match[0])
    return [any(start < last and first < end for first, last in ranges) for start, end in spans]
