"""Excerpts of other files that look like the place at the cursor: how names are used. Knows no grammar.

First the best files by the words around the cursor, then their windows of lines on a fixed grid, so that an
excerpt does not slide while the cursor moves. Near lines say more than far ones, and much more than the rest
of the file: what counts is the statement that is being written. Not thread-safe: the caller holds a lock.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from types import MappingProxyType
from typing import NamedTuple

from context.identifiers import identifiers
from context.source import normalize
from context.word_index import WordIndex

NEAR_LINES = 6
"""So many lines further from the cursor a word counts 1/e. Fewer lines find a little more, but other excerpts
at every line; many more find much less."""
STRIDE = 10
WINDOW_LINES = 2 * STRIDE
MAX_FILES = 5
"""Files by their words whose windows are compared."""
MAX_NEAR = 2
MAX_CHARS = 100_000
"""Of a longer file only the head is read."""
MAX_LINE_CHARS = 1_000
"""A longer line is generated or minified, nothing to learn from."""
MAX_CACHED_CHARS = 4_000_000
MAX_EXAMINED = 60
"""Windows looked at closely for one answer."""
MAX_LIKE_CURSOR = 0.5
MAX_LIKE_EACH_OTHER = 0.8
"""Shares of common identifiers from which an excerpt says nothing new."""
MIN_SCORE = 0.3
"""Of the best excerpt's score."""
MAX_COVERED = 0.6
MIN_CODE = 0.25
"""With fewer lines of code than this share, an excerpt is worth less in proportion."""

K1 = 1.2
B = 0.75
USUAL_WORDS = 50
"""BM25's average length is a constant here: a score must not depend on which other files were read."""

_DULL_LINE = re.compile(
    r"""\s*(?:
        \#|//|/\*|\*(?:[\s/]|$)|--\s|;;            # comments, and C's includes
        |import\b|from\s+\S+\s+import\b|use\s|using\s|require\b|package\s
        |(?:const|let|var)\s[^=]*=\s*require\s*\(|export\s.*\sfrom\s
        |['"]?\w+['"]?(?:\s+as\s+\w+)?,?\s*$       # lists of names
    )""",
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END|\Z)")
_SECRET_NAMES = ("password", "passwd", "secret", "token", "api_key", "apikey")
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30}|\bxox[abprs]-[\w-]{10}|\bsk-[\w-]{20}"
)
_ASSIGNED_SECRET = re.compile(rf"""(?i:{"|".join(_SECRET_NAMES)})["']?\s*[:=]\s*["'][^"'\n]{{12}}""")


@dataclass(frozen=True, slots=True)
class CursorWindow:
    """The lines around the cursor without its own, so that nothing depends on what is typed in it."""

    before: str
    after: str

    @property
    def text(self) -> str:
        """All of them."""
        return self.before + self.after


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file."""

    key: str
    first_line: int
    """From zero."""
    last_line: int
    """Included."""
    text: str
    """Ends with a newline."""
    score: float


class _Window(NamedTuple):
    """One place of the grid, without blank lines at its ends."""

    first_line: int
    last_line: int
    start: int
    end: int
    weight: float


class _File(NamedTuple):
    """A file's text cut into windows."""

    text: str
    windows: Sequence[_Window]
    places: Mapping[str, Sequence[int]]
    """For each word the windows that contain it."""


_Row = tuple[float, str, _Window]


class SimilarChunks:
    """Finds excerpts in files that `words` knows. Remembers their windows as long as their stamps stay.

    `text_of` gives a file's text as it is now; `stamp_of` is equal as long as the text is.
    """

    def __init__(
        self, words: WordIndex, text_of: Callable[[str], str], stamp_of: Callable[[str], object]
    ) -> None:
        self._words = words
        self._text_of = text_of
        self._stamp_of = stamp_of
        self._cache: OrderedDict[str, tuple[object, _File]] = OrderedDict()
        self._num_chars = 0

    def find(
        self,
        window: CursorWindow,
        *,
        skip: Collection[str],
        near: Collection[str] = (),
        limit: int = 12,
        covered: Mapping[str, Collection[tuple[int, int]]] = MappingProxyType({}),
    ) -> list[Chunk]:
        """The best excerpts for the place at the cursor, the best first, none overlapping another.

        `skip`: files that must not be seen, the current one and its copies. `near`: files to look into
        whatever their words, most wanted first. `covered`: first and last lines that are shown already.
        """
        query = query_of(window)
        keys = dict.fromkeys(key for key, _ in self._words.top_files(query, MAX_FILES, skip))
        keys.update(dict.fromkeys(islice((key for key in near if key not in skip), MAX_NEAR)))
        idfs = self._words.idfs(query, skip)
        weights = {word: query[word] * idf for word, idf in idfs.items()}
        files = {key: self._file(key) for key in keys}
        rows = [row for key, file in files.items() for row in _scored(key, file, weights)]
        rows.sort(key=lambda row: (-row[0], row[1], row[2].first_line))
        shown = {key: _lines_of(covered[key]) for key in files if key in covered}
        chosen: list[Chunk] = []
        seen: list[set[str]] = []
        for score, key, place in rows[:MAX_EXAMINED]:
            if len(chosen) >= limit or (chosen and score < MIN_SCORE * chosen[0].score):
                break
            if _overlaps(key, place, chosen) or _is_covered(place, shown.get(key, frozenset())):
                continue
            text = files[key].text[place.start : place.end] + "\n"
            words = identifiers(text)
            if not has_secret(text) and _is_news(words, set(query), seen):
                seen.append(words)
                chosen.append(Chunk(key, place.first_line, place.last_line, text, score))
        return chosen

    def _file(self, key: str) -> _File:
        stamp = self._stamp_of(key)
        known = self._cache.pop(key, None)
        if known is None or known[0] != stamp:
            self._num_chars -= len(known[1].text) if known else 0
            known = stamp, _cut(self._text_of(key))
            self._num_chars += len(known[1].text)
        self._cache[key] = known
        while self._num_chars > MAX_CACHED_CHARS:
            self._num_chars -= len(self._cache.popitem(last=False)[1][1].text)
        return known[1]


def window_at(text: str, offset: int, lines_before: int = 12, lines_after: int = 12) -> CursorWindow:
    """The lines around an offset; one outside the text is moved inside."""
    offset = max(0, min(offset, len(text)))
    start = head = text.rfind("\n", 0, offset) + 1
    for _ in range(lines_before):
        head = text.rfind("\n", 0, max(0, head - 1)) + 1
    tail = text.find("\n", offset) + 1 or len(text)
    end = tail
    for _ in range(lines_after):
        end = text.find("\n", end) + 1 or len(text)
    return CursorWindow(text[head:start], text[tail:end])


def query_of(window: CursorWindow) -> dict[str, float]:
    """The words of a window, each with the weight of its line nearest to the cursor."""
    before = window.before.removesuffix("\n").split("\n")[::-1]
    weights: dict[str, float] = {}
    for lines in (before, window.after.split("\n")):
        for distance, line in enumerate(lines, 1):
            weight = math.exp(-distance / NEAR_LINES)
            for word in identifiers(line):
                weights[word] = max(weight, weights.get(word, 0.0))
    return {word: weights[word] for word in sorted(weights)}


def _cut(text: str) -> _File:
    """The windows of a text that may be shown; none for what is no text."""
    text = _head(normalize(text))
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    unusable = _key_lines(text, starts)
    unusable.update(number for number, line in enumerate(lines) if len(line) > MAX_LINE_CHARS)
    is_blank = [not line or line.isspace() for line in lines]
    is_code = [_DULL_LINE.match(line) is None for line in lines]
    grid = range(0, len(lines), STRIDE)
    blocks = [identifiers(text[starts[row] : starts[min(row + STRIDE, len(lines))]]) for row in grid]
    windows: list[_Window] = []
    places: defaultdict[str, list[int]] = defaultdict(list)
    for block, first in enumerate(grid):
        rows = [row for row in range(first, min(first + WINDOW_LINES, len(lines))) if not is_blank[row]]
        words = blocks[block].union(*blocks[block + 1 : block + WINDOW_LINES // STRIDE])
        is_tail = block > 0 and first + WINDOW_LINES - STRIDE >= len(lines)
        if not words or is_tail or not unusable.isdisjoint(range(first, first + WINDOW_LINES)):
            continue
        for word in words:
            places[word].append(len(windows))
        share = sum(is_code[row] for row in rows) / len(rows)
        weight = min(1.0, share / MIN_CODE) * _length_weight(len(words))
        end = starts[rows[-1]] + len(lines[rows[-1]])
        windows.append(_Window(rows[0], rows[-1], starts[rows[0]], end, weight))
    return _File(text, windows, dict(places))


def _scored(key: str, file: _File, weights: Mapping[str, float]) -> Iterator[_Row]:
    sums = [0.0] * len(file.windows)
    for word, weight in weights.items():
        for number in file.places.get(word, ()):
            sums[number] += weight
    for total, window in zip(sums, file.windows, strict=True):
        if total > 0:
            yield round(total * window.weight, 9), key, window


def _head(text: str) -> str:
    if "\0" in text:
        return ""
    return text if len(text) <= MAX_CHARS else text[: text.rfind("\n", 0, MAX_CHARS) + 1]


def _key_lines(text: str, starts: list[int]) -> set[int]:
    """The lines of private keys: the middle of one looks like nothing in particular."""
    if "PRIVATE KEY-----" not in text:
        return set()
    found: set[int] = set()
    for match in _PRIVATE_KEY.finditer(text):
        found.update(range(bisect_right(starts, match.start()) - 1, bisect_right(starts, match.end())))
    return found


def _length_weight(num_words: int) -> float:
    return (K1 + 1) / (1 + K1 * (1 - B + B * num_words / USUAL_WORDS))


def _overlaps(key: str, window: _Window, chosen: list[Chunk]) -> bool:
    return any(
        chunk.key == key and chunk.first_line <= window.last_line and window.first_line <= chunk.last_line
        for chunk in chosen
    )


def _lines_of(ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """The lines of ranges, which may reach beyond any file."""
    return frozenset(line for first, last in ranges for line in range(first, min(last, MAX_CHARS) + 1))


def _is_covered(window: _Window, shown: Collection[int]) -> bool:
    lines = range(window.first_line, window.last_line + 1)
    return sum(line in shown for line in lines) > MAX_COVERED * len(lines)


def _is_news(words: set[str], at_cursor: set[str], seen: list[set[str]]) -> bool:
    return _likeness(words, at_cursor) <= MAX_LIKE_CURSOR and all(
        _likeness(words, others) < MAX_LIKE_EACH_OTHER for others in seen
    )


def _likeness(words: set[str], others: set[str]) -> float:
    """Jaccard's: the share of common words."""
    return len(words & others) / (len(words | others) or 1)


def has_secret(text: str) -> bool:
    """Whether a text holds what looks like a password or key."""
    lowered = text.lower()
    is_named = any(name in lowered for name in _SECRET_NAMES)
    return _SECRET.search(text) is not None or (is_named and _ASSIGNED_SECRET.search(text) is not None)
