"""A text as numbers: hashed words, and hashed runs of them. Knows no language.

Words are what begins with a letter: spaces, signs and numbers do not count, so a copy that was formatted
anew is still a copy, and rows of zeros are nobody's. Nor do lines that import: many files import the same.
"""

from __future__ import annotations

import re
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

MAX_REMEMBERED = 500_000
_IMPORTS = re.compile(
    r"^[ \t]*(?:import\b.*|from\s+\S+\s+import\b.*|#\s*include\b.*|package\s.*|(?:using|(?:pub )?use)\s.*;)$",
    re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d]\w*")
_FACTOR = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class _WordHashes(dict[str, int]):
    """The hash of each word met so far: most words of a file were met before."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[word] = value = int.from_bytes(blake2b(word.encode(errors="replace"), digest_size=8).digest())
        return value


_hash_of = _WordHashes()


def words_of(text: str) -> list[str]:
    """Identifiers, keywords and the words of comments and strings, in order."""
    return _WORD.findall(_IMPORTS.sub("", text))


def word_hashes(text: str) -> Hashes:
    """One number per word of a text."""
    words = words_of(text)
    return np.fromiter((_hash_of[word] for word in words), np.uint64, len(words))


def gram_hashes(words: Hashes, size: int) -> Hashes:
    """One number per run of `size` neighbouring words; empty if there are fewer."""
    num_grams = max(0, len(words) - size + 1)
    mixed = np.zeros(num_grams, np.uint64)
    for index in range(size):
        factor = np.uint64(pow(_FACTOR, index, 1 << 64))
        mixed += words[index : index + num_grams] * factor
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_FACTOR & _MASK)
    return mixed ^ (mixed >> np.uint64(29))
