"""Windows of lines, the words in them, and two ways to say how alike they are. Knows no sites."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.api import Segment

_WORD = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
BM25_K1 = 1.2
BM25_B = 0.75


def words_of(text: str) -> list[str]:
    """Identifiers and their parts, in lower case: `getUserName` gives itself, get, user and name."""
    found: list[str] = []
    for word in _WORD.findall(text):
        parts = _PART.findall(word)
        found.append(word.lower())
        found += [part.lower() for part in parts] if len(parts) > 1 else []
    return found


@dataclass(frozen=True)
class Window:
    """Some lines of a file."""

    path: str
    text: str

    @cached_property
    def words(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(words_of(self.text))

    def segment(self, reason: str) -> Segment:
        """The window as it enters a prompt."""
        return Segment(self.path, self.text.rstrip("\n") + "\n", "chunk", reason)


def windows_of(path: str, text: str, num_lines: int, step: int) -> list[Window]:
    """A file in windows; the last may be shorter, and none is blank."""
    lines = text.splitlines()
    last = max(len(lines) - num_lines + step, step)
    parts = ("\n".join(lines[start : start + num_lines]) for start in range(0, last, step))
    return [Window(path, part) for part in parts if part.strip()]


class Bm25:
    """Okapi BM25 over windows."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._lengths = [window.words.total() for window in windows]
        self._mean_length = sum(self._lengths) / max(1, len(windows))
        self._num_with = Counter(word for window in windows for word in window.words)

    def ranked(self, query: Collection[str], without_path: str) -> list[Window]:
        """Windows of other files that share a word with the query, the most alike first."""
        wanted = sorted({word for word in query if word in self._num_with})
        scores = (
            (self._score(num, wanted), -num)
            for num, window in enumerate(self._windows)
            if window.path != without_path
        )
        return [self._windows[-num] for score, num in sorted(scores, reverse=True) if score > 0]

    def _score(self, num: int, wanted: Sequence[str]) -> float:
        counts, length = self._windows[num].words, self._lengths[num]
        norm = BM25_K1 * (1 - BM25_B + BM25_B * length / self._mean_length)
        return sum(
            self._rarity(word) * counts[word] * (BM25_K1 + 1) / (counts[word] + norm)
            for word in wanted
            if word in counts
        )

    def _rarity(self, word: str) -> float:
        num_with = self._num_with[word]
        return math.log(1 + (len(self._windows) - num_with + 0.5) / (num_with + 0.5))
