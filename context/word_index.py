"""Which file contains which word, and the files that share the rarest words with a query. Opens no file.

Every change costs time by the file's own words, never by the size of the repository. Not thread-safe: the
caller holds a lock. Words are kept as 60-bit hashes, half the memory of the strings.
"""

from __future__ import annotations

import heapq
import math
from array import array
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

K1 = 1.2
B = 0.75
"""BM25's usual constants: how much a file's length counts against it."""
MAX_VISITS = 15_000
"""Entries read for one query, most telling words first: words of nearly every file say nothing about one."""

MAX_COPIES = 64
"""A word of more files says nothing of copies: so many nobody makes."""
MAX_TELLING, MAX_ALIKE = 64, 16
"""How many of the rarer words of a text are looked up, and how many files are compared with it."""

_MASK = (1 << 60) - 1


class Alike(NamedTuple):
    """A file that has the rarer words of a text."""

    key: str
    num_common: int
    """The words that it shares with the text."""
    num_words: int
    """Its own."""


class WordIndex:
    """The words of a repository's files. A word counts once per file."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        """Per file number; numbers of dropped files are used again."""
        self._words: list[array[int]] = []
        self._free: list[int] = []
        self._files: dict[int, int | array[int]] = {}
        """Per word its file numbers in order; most words occur in one file only, which is kept bare."""
        self._num_words = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, key: str, words: Iterable[str]) -> None:
        """These are now the words of a file; what was known of it is forgotten."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._new_number(key)
        self._replace(number, {_hash(word) for word in words})

    def drop(self, key: str) -> None:
        """Forgets a file; one that is not known is fine."""
        number = self._numbers.pop(key, None)
        if number is not None:
            self._replace(number, set())
            self._free.append(number)

    def idf(self, word: str) -> float:
        """How much a word says about the files that contain it: BM25's inverse document frequency."""
        return _idf(len(self._files_of(word)), len(self))

    def idfs(self, words: Iterable[str], skip: Collection[str] = ()) -> dict[str, float]:
        """`idf` of each word that occurs, as if the files of `skip` had never been there."""
        hidden = self._hidden(skip)
        num_files = len(self) - len(hidden)
        seen = [set(self._words[number]) for number in hidden]
        found = {}
        for word in words:
            number = _hash(word)
            count = len(self._files_of(word)) - sum(number in words_there for words_there in seen)
            if count > 0:
                found[word] = _idf(count, num_files)
        return found

    def top_files(
        self, query: Mapping[str, float] | Collection[str], limit: int, skip: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """The best files for words, or words with weights, by BM25; the best first, then by key.

        The files of `skip` count as if they had never been there.
        """
        hidden = self._hidden(skip)
        weights = query if isinstance(query, Mapping) else dict.fromkeys(query, 1.0)
        idfs = self.idfs(weights, skip)
        gains = {word: weights[word] * idf for word, idf in idfs.items()}
        sums = [0.0] * len(self._keys)
        num_visits = 0
        for word in sorted(gains, key=lambda word: (-gains[word], word)):
            files = self._files_of(word)
            num_visits += len(files)
            if num_visits > MAX_VISITS:
                break
            gain = gains[word]
            for number in files:
                sums[number] += gain
        for number in hidden:
            sums[number] = 0.0
        return self._best(sums, limit, hidden)

    def alike(self, key: str, words: Collection[str], is_kin: Callable[[str], bool]) -> list[Alike]:
        """Files with at least half of a text's rarer words, and kin with any of them; the likest first.

        `key` is the text's own file: it is not among them, and a word of it alone is not looked for.
        """
        own = self._numbers.get(key)
        mine = set(self._words[own]) if own is not None else set()
        numbers = {_hash(word): word for word in words}
        counts = ((len(self._of_hash(number)) - (number in mine), number) for number in numbers)
        rare = sorted((count, numbers[number]) for count, number in counts if 0 < count <= MAX_COPIES)
        telling = rare[:: len(rare) // MAX_TELLING + 1]
        hits = Counter(file for _, word in telling for file in self._files_of(word) if file != own)
        half = (len(telling) + 1) // 2
        likest = sorted(
            (file for file, count in hits.items() if count >= half or is_kin(self._keys[file])),
            key=lambda file: (-hits[file], self._keys[file]),
        )
        return [
            Alike(self._keys[file], len(numbers.keys() & set(self._words[file])), len(self._words[file]))
            for file in likest[:MAX_ALIKE]
        ]

    def _best(self, sums: list[float], limit: int, hidden: Collection[int]) -> list[tuple[str, float]]:
        num_words = self._num_words - sum(len(self._words[number]) for number in hidden)
        per_word = K1 * B * max(1, len(self) - len(hidden)) / max(1, num_words)
        base = 1 + K1 * (1 - B)

        def score_of(number: int) -> float:
            # rounded: equal scores stay equal whatever the order of addition
            return round(sums[number] * (K1 + 1) / (base + per_word * len(self._words[number])), 9)

        # shortness can add no more than this to a file's sum, so most files need no score of their own
        heavy = heapq.nlargest(limit, range(len(sums)), key=sums.__getitem__)
        floor = min(map(score_of, heavy), default=0.0) * base / (K1 + 1) - 1e-6
        rows = [
            (-score_of(number), self._keys[number])
            for number, total in enumerate(sums)
            if total > 0 and total >= floor
        ]
        return [(key, -score) for score, key in heapq.nsmallest(limit, rows)]

    def _hidden(self, skip: Collection[str]) -> list[int]:
        return [self._numbers[key] for key in dict.fromkeys(skip) if key in self._numbers]

    def _files_of(self, word: str) -> Collection[int]:
        return self._of_hash(_hash(word))

    def _of_hash(self, number: int) -> Collection[int]:
        files = self._files.get(number, ())
        return (files,) if isinstance(files, int) else files

    def _new_number(self, key: str) -> int:
        if self._free:
            number = self._free.pop()
            self._keys[number] = key
            return number
        self._keys.append(key)
        self._words.append(array("q"))
        return len(self._keys) - 1

    def _replace(self, number: int, words: set[int]) -> None:
        before = set(self._words[number])
        for word in before - words:
            self._remove(word, number)
        for word in words - before:
            self._add(word, number)
        self._words[number] = array("q", sorted(words))
        self._num_words += len(words) - len(before)

    def _add(self, word: int, number: int) -> None:
        files = self._files.get(word)
        if files is None:
            self._files[word] = number
        elif isinstance(files, int):
            self._files[word] = array("I", sorted((files, number)))
        elif files[-1] < number:  # the usual case while an index is built
            files.append(number)
        else:
            insort(files, number)

    def _remove(self, word: int, number: int) -> None:
        files = self._files[word]
        if isinstance(files, int):
            del self._files[word]
            return
        del files[bisect_left(files, number)]
        if len(files) == 1:
            self._files[word] = files[0]


def _hash(word: str) -> int:
    return hash(word) & _MASK


def _idf(count: int, num_files: int) -> float:
    return math.log(1 + (num_files - count + 0.5) / (count + 0.5))
