"""Drops near-duplicates among all packages: whole repositories first, then files. Knows signatures.

A repository that resembles an earlier one is a fork or the same project under another name; a file that
resembles an earlier one was copied or built from it. Earlier means in the table, then in the repository.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.corpus.near_duplicates import Signature, merged, near_duplicates
from training.corpus.record import Dropped, Kept, Record

MIN_REPOSITORY_SIMILARITY = 0.7
MIN_FILE_SIMILARITY = 0.85
"""StarCoder's sets use 0.85 (Kocetkov et al. 2022, section 4)."""
_BUILT = re.compile(
    r"(?:^|/)(?:dist|build|lib|out|cjs|esm?|umd|amd|commonjs|module|bundles?|es\d+|fesm)/", re.IGNORECASE
)
"""Folders that hold what was made from sources beside them: the source is the one to keep."""

Signatures = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that are nearly the same."""

    dropped: str
    """A package's key, or key and path."""
    kept: str
    similarity: float


def crossed(packages: Sequence[tuple[Record, Signatures]]) -> tuple[list[Record], list[Pair]]:
    """The records after the drops, and what resembled what; packages come in the order of precedence."""
    names = [record.key for record, _ in packages]
    twins = near_duplicates([merged(signatures) for _, signatures in packages], MIN_REPOSITORY_SIMILARITY)
    twins = {index: found for index, found in twins.items() if packages[index][0].kept}
    pairs = [Pair(names[index], names[other], similarity) for index, (other, similarity) in twins.items()]
    gone: list[dict[str, Dropped]] = [{} for _ in packages]
    for index, (other, _) in twins.items():
        gone[index] = {
            kept.path: Dropped(*kept, "near-duplicate repository", names[other])
            for kept in packages[index][0].kept
        }
    rows = [
        row for index in range(len(packages)) if index not in twins for row in _rows(index, packages[index])
    ]
    for duplicate, (row, similarity) in near_duplicates(
        [row.signature for row in rows], MIN_FILE_SIMILARITY
    ).items():
        first, second = rows[row], rows[duplicate]
        original = f"{names[first.package]}:{first.kept.path}"
        gone[second.package][second.kept.path] = Dropped(*second.kept, "near-duplicate file", original)
        pairs.append(Pair(f"{names[second.package]}:{second.kept.path}", original, similarity))
    return [record.without(dropped) for (record, _), dropped in zip(packages, gone, strict=True)], pairs


@dataclass(frozen=True, slots=True)
class _Row:
    """One file of one package."""

    package: int
    kept: Kept
    signature: Signature


def _rows(index: int, package: tuple[Record, Signatures]) -> list[_Row]:
    record, signatures = package
    rows = [_Row(index, kept, signature) for kept, signature in zip(record.kept, signatures, strict=True)]
    return sorted(rows, key=lambda row: _BUILT.search(row.kept.path) is not None)
