"""Names with at most one `*`, as tsconfig's `paths` and package.json's `exports` have them -> values.

Knows nothing of what the values mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

MAX_ROWS = 4096
MAX_STARS = 256
MAX_FILLED = 8


class StarMatch(NamedTuple):
    """What a name was found to be."""

    value: object
    star: str
    """What the star stands for; empty for a name that is listed as it is."""

    def filled(self, target: str) -> str:
        """A target with its stars filled in."""
        return target.replace("*", self.star, MAX_FILLED)


class StarMap:
    """The exact name, else the pattern with the most before its star: Node.js's rule and TypeScript's.

    They differ in whether a star may stand for nothing, as it may for TypeScript.
    """

    def __init__(self, rows: Mapping[str, object], shortest_star: int = 0) -> None:
        self._shortest_star = shortest_star
        self._exact: dict[str, object] = {}
        stars: list[tuple[str, str, object]] = []
        for name, value in islice(rows.items(), MAX_ROWS):
            before, star, after = name.partition("*")
            if star:
                stars.append((before, after, value))
            else:
                self._exact[name] = value
        self._stars = sorted(stars, key=lambda row: (-len(row[0]), -len(row[1])))[:MAX_STARS]

    def match(self, name: str) -> StarMatch | None:
        """The value of a name, or None if no row is meant."""
        if name in self._exact:
            return StarMatch(self._exact[name], "")
        for before, after, value in self._stars:
            size = len(name) - len(before) - len(after)
            if size >= self._shortest_star and name.startswith(before) and name.endswith(after):
                return StarMatch(value, name[len(before) : len(before) + size])
        return None
