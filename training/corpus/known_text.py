"""Texts that no training may see, as a set of 10-word runs, and what a file shares with it. Reads no file.

A run that stands in many unrelated texts is boilerplate and belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from training.corpus.words import Hashes, gram_hashes, word_hashes

GRAM_WORDS = 10
MIN_DISTINCT_WORDS = 4
"""Of the ten: `datetime datetime datetime ...` is nobody's."""
LICENCE_WORDS = (
    "conditions contributors copies copyright damages disclaimer hereby interruption liability licence"
    " license licensed merchantability redistribution redistributions software sublicense substitute"
    " tortious warranties warranty whatsoever"
)
"""A run that holds one belongs to nobody: licences stand in the middle of files too."""
_LICENCE_HASHES = word_hashes(
    " ".join(form for word in LICENCE_WORDS.split() for form in (word, word.capitalize(), word.upper()))
)


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text shares with known ones."""

    owner: str
    """Of most of the longest shared run."""
    num_words: int
    """Of the longest run of the text that known texts hold."""
    share: float
    """Of the text's words that stand in known runs."""
    num_grams: int
    """Known runs of ten words."""
    position: int
    """The first word of the longest run, counted in the text's words."""


@dataclass(frozen=True, slots=True)
class KnownText:
    """The runs, sorted, each with the one that it belongs to."""

    grams: Hashes
    owners: npt.NDArray[np.uint16]
    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        texts: Iterable[tuple[str, str]],
        *,
        max_owners: int,
        min_distinct: int = MIN_DISTINCT_WORDS,
    ) -> Self:
        """From (owner, text); left out is what more than `max_owners` of the owners say, runs of fewer than
        `min_distinct` different words, and the wording of licences.
        """
        by_owner: dict[str, list[Hashes]] = {}
        for owner, text in texts:
            by_owner.setdefault(owner, []).append(_telling_grams(word_hashes(text), min_distinct))
        names = tuple(sorted(by_owner))
        each = [np.unique(np.concatenate(by_owner[name])) for name in names]
        grams = np.concatenate([np.zeros(0, np.uint64), *each])
        owners = np.repeat(np.arange(len(names), dtype=np.uint16), [len(found) for found in each])
        kept, first, counts = np.unique(grams, return_index=True, return_counts=True)
        is_rare = counts <= max_owners
        return cls(kept[is_rare], owners[first[is_rare]], names)

    def save(self, path: Path) -> None:
        """Keep it for other processes; raises OSError."""
        np.savez(path, grams=self.grams, owners=self.owners, names=np.array(self.names, dtype=np.str_))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises OSError."""
        with np.load(path) as kept:
            return cls(kept["grams"], kept["owners"], tuple(map(str, kept["names"])))

    def overlap(self, words: Hashes) -> Overlap | None:
        """What a text's hashed words share with the known ones; None if it is nothing."""
        grams = gram_hashes(words, GRAM_WORDS)
        if not len(grams) or not len(self.grams):
            return None
        places = self._places(grams)
        is_known = self.grams[places] == grams
        if not is_known.any():
            return None
        edges = np.flatnonzero(np.diff(np.concatenate([[False], is_known, [False]])))
        starts, ends = edges[::2], edges[1::2]
        longest = int(np.argmax(ends - starts))
        owners = self.owners[places[starts[longest] : ends[longest]]]
        covered = np.zeros(len(words) + 1, np.int32)
        np.add.at(covered, starts, 1)
        np.add.at(covered, ends + GRAM_WORDS - 1, -1)
        return Overlap(
            self.names[int(np.bincount(owners).argmax())],
            int(ends[longest] - starts[longest]) + GRAM_WORDS - 1,
            float(np.count_nonzero(np.cumsum(covered)[:-1])) / len(words),
            int(np.count_nonzero(is_known)),
            int(starts[longest]),
        )

    def _places(self, grams: Hashes) -> npt.NDArray[np.intp]:
        """Where each would stand; looked up in order, which keeps to what the processor has at hand."""
        order = np.argsort(grams)
        places = np.empty(len(grams), np.intp)
        places[order] = np.searchsorted(self.grams, grams[order])
        return places.clip(max=len(self.grams) - 1)


def _telling_grams(words: Hashes, min_distinct: int) -> Hashes:
    grams = gram_hashes(words, GRAM_WORDS)
    if not len(grams):
        return grams
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(words, GRAM_WORDS), axis=1)
    is_varied = 1 + np.count_nonzero(np.diff(windows, axis=1), axis=1) >= min_distinct
    is_legal = np.isin(windows, _LICENCE_HASHES).any(axis=1)
    return np.asarray(grams[is_varied & ~is_legal], np.uint64)
