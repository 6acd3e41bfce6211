"""Finds texts that are nearly the same, by MinHash. Knows texts as signatures only.

A signature estimates the Jaccard similarity of two sets of 5-word runs; with 128 hashes its standard error is
0.03 at a similarity of 0.85. Of texts that resemble each other the earliest stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

from training.corpus.words import Hashes, gram_hashes

Signature = npt.NDArray[np.uint32]

NUM_HASHES = 128
SHINGLE_WORDS = 5
LOOSER = 0.75
"""The bands that propose pairs are made for a lower similarity: at its own, they miss a fifth of them."""
_SCHEME = "affine32"
_EMPTY = MinHash(NUM_HASHES, hashfunc=int, scheme=_SCHEME)


def signature_of(words: Hashes) -> Signature:
    """Of the set of runs of a text's hashed words; a text below five words is one run."""
    shingles = gram_hashes(words, min(SHINGLE_WORDS, max(1, len(words))))
    made = _EMPTY.copy()
    made.update_batch(np.unique(shingles >> np.uint64(32)).tolist())
    return np.asarray(made.hashvalues, np.uint32)


def merged(signatures: npt.NDArray[np.uint32]) -> Signature:
    """The signature of all the texts together, one per row: a repository's from its files'."""
    return np.asarray(signatures.min(axis=0, initial=np.iinfo(np.uint32).max), np.uint32)


def similarity(one: Signature, other: Signature) -> float:
    """The estimate of the Jaccard similarity."""
    return float(np.mean(one == other))


def near_duplicates(signatures: Sequence[Signature], threshold: float) -> Mapping[int, tuple[int, float]]:
    """Of each text that resembles an earlier one that stays: which one, and how much."""
    lsh = MinHashLSH(threshold=LOOSER * threshold, num_perm=NUM_HASHES)
    found: dict[int, tuple[int, float]] = {}
    for index, signature in enumerate(signatures):
        sketch = MinHash(hashvalues=signature, hashfunc=int, scheme=_SCHEME, permutations=_EMPTY.permutations)
        alike = ((similarity(signature, signatures[other]), -other) for other in lsh.query(sketch))
        best = max(alike, default=(0.0, 0))
        if best[0] >= threshold:
            found[index] = -best[1], best[0]
        else:
            lsh.insert(index, sketch, check_duplication=False)
    return found
