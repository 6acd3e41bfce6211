"""Which files hold the text of the file at the cursor a second time: vendored, built from it, or a bundle.

They would answer for it. Knows words and lines, no languages beyond their names; not thread-safe: the caller
holds a lock. A short file that looks like another is no copy: files of one kind begin alike.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from context.identifiers import identifiers
from context.languages import module_of
from context.word_index import Alike, WordIndex

MIN_BUILT = 0.75
"""The share of the words of a compiled file, or of its source, that both have."""
MIN_WORDS, MIN_LINES = 0.85, 0.8
"""The shares of the larger's words and of the smaller's lines that a copy with some changes has."""
MIN_WITHIN = 0.95
MIN_LINES_WITHIN = 20
"""Of a text of so many different lines this share must stand in another file, for that to hold a copy."""
FEW_WORDS = 16
MAX_CACHED = 64
MAX_CHARS = 256_000
"""A longer text is not compared: it would take too long at every keystroke."""

Lines = frozenset[str]


class Copies:
    """`text_of` gives a file's text as it is now; `stamp_of` is equal as long as the text is."""

    def __init__(
        self, words: WordIndex, text_of: Callable[[str], str], stamp_of: Callable[[str], object]
    ) -> None:
        self._words = words
        self._text_of = text_of
        self._stamp_of = stamp_of
        self._lines: OrderedDict[str, tuple[object, Lines]] = OrderedDict()

    def of(self, key: str, text: str) -> frozenset[str]:
        """The copies of a file with this text."""
        if len(text) > MAX_CHARS:
            return frozenset()
        words = identifiers(text)
        module = module_of(key)
        mine: Lines | None = None
        found = set()

        def is_kin(other: str) -> bool:
            return module is not None and module_of(other) == module and _extension(other) != _extension(key)

        for row in self._words.alike(key, words, is_kin):
            if is_kin(row.key) and self._is_built(row, len(words)):
                found.add(row.key)
            elif self._may_be_copy(row, len(words)):
                mine = _lines_of(text) if mine is None else mine
                if self._is_copy(row, len(words), mine, self._lines_in(row.key)):
                    found.add(row.key)
        return frozenset(found)

    @staticmethod
    def _is_built(row: Alike, num_words: int) -> bool:
        smaller = min(num_words, row.num_words)
        return smaller >= FEW_WORDS and row.num_common >= MIN_BUILT * smaller

    @staticmethod
    def _may_be_copy(row: Alike, num_words: int) -> bool:
        return row.num_common >= MIN_WORDS * min(num_words, row.num_words)

    @staticmethod
    def _is_copy(row: Alike, num_words: int, mine: Lines, theirs: Lines) -> bool:
        num_common, smaller = len(mine & theirs), min(len(mine), len(theirs))
        if smaller >= MIN_LINES_WITHIN and num_common >= MIN_WITHIN * smaller:
            return True
        is_about_same = row.num_common >= MIN_WORDS * max(num_words, row.num_words)
        return is_about_same and num_common >= MIN_LINES * max(1, smaller)

    def _lines_in(self, key: str) -> Lines:
        stamp = self._stamp_of(key)
        known = self._lines.pop(key, None)
        if known is None or known[0] != stamp:
            known = stamp, _lines_of(self._text_of(key))
        self._lines[key] = known
        if len(self._lines) > MAX_CACHED:
            self._lines.popitem(last=False)
        return known[1]


def _extension(key: str) -> tuple[str, bool]:
    stem, _, extension = key.rpartition(".")
    return extension, stem.endswith(".d")


def _lines_of(text: str) -> Lines:
    return frozenset(line for row in text.split("\n") if (line := row.strip()))
