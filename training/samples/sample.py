"""What a model learns from: token ids, what each is, and a folder of many. Knows no text and no torch.

A sample is a stem and branches. The stem is read once; each branch goes on where the stem ended, sees the
stem and itself, and no other branch. So one repository context serves many cursors. Text that nothing
branches off is a stem alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class Role(IntEnum):
    """What a token is, as something to predict; training gives each role its loss weight."""

    GIVEN = 0
    """Marks, headers, and whatever is only to be read."""
    CONTEXT = 1
    """Of a segment."""
    PREFIX = 2
    SUFFIX = 3
    MIDDLE = 4
    """Its end of sentence included."""
    TOLD = 5
    """Of a middle's name that the context shows and the visible part of the file does not."""
    PLAIN = 6
    """Of a file without a hole."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Three arrays of one length."""

    ids: npt.NDArray[np.uint16]
    roles: npt.NDArray[np.uint8]
    """`Role`, of the token itself."""
    branches: npt.NDArray[np.uint16]
    """0 in the stem, then 1, 2... ; never falls."""

    @property
    def num_stem(self) -> int:
        """Tokens of the stem, which stand first."""
        return int(np.searchsorted(self.branches, 0, side="right"))

    def positions(self) -> npt.NDArray[np.int64]:
        """Of each token, counted along the stem and its own branch."""
        starts = np.searchsorted(self.branches, self.branches, side="left")
        return np.arange(len(self.ids)) - starts + np.where(self.branches > 0, self.num_stem, 0)

    def sequences(self) -> Iterator[tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]]:
        """Ids and roles of the stem with each branch in turn; of the stem alone if nothing branches off."""
        stem = self.branches == 0
        for branch in range(1, int(self.branches[-1]) + 1) or range(1):
            chosen = stem | (self.branches == branch)
            yield self.ids[chosen], self.roles[chosen]


class SampleFolder:
    """Samples on disk, read as they are needed."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError if `folder` holds no whole set of samples."""
        try:
            self.about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            self._ids = np.load(folder / "ids.npy", mmap_mode="r")
            self._roles = np.load(folder / "roles.npy", mmap_mode="r")
            self._branches = np.load(folder / "branches.npy", mmap_mode="r")
            self._starts = np.load(folder / "starts.npy")
        except (OSError, ValueError) as error:
            raise ValueError(f"{folder} holds no samples ({error}): `training.samples` makes them.") from None

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, num: int) -> Sample:
        if not -len(self) <= num < len(self):
            raise IndexError(num)
        start, end = self._starts[num % len(self)], self._starts[num % len(self) + 1]
        return Sample(
            np.asarray(self._ids[start:end]),
            np.asarray(self._roles[start:end]),
            np.asarray(self._branches[start:end]),
        )

    @property
    def num_tokens(self) -> int:
        """Of all samples."""
        return int(self._starts[-1])

    @classmethod
    def write(cls, folder: Path, samples: Iterable[Sample], about: dict[str, Any]) -> Self:
        """Keep samples; `about` says what they were made of, and is written last."""
        kept = list(samples)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "about.json").unlink(missing_ok=True)
        starts = np.cumsum([0, *(len(sample.ids) for sample in kept)], dtype=np.int64)
        empty = np.zeros(0, np.uint16)
        np.save(folder / "ids.npy", np.concatenate([empty, *(sample.ids for sample in kept)]))
        np.save(folder / "roles.npy", np.concatenate([empty.astype(np.uint8), *(s.roles for s in kept)]))
        np.save(folder / "branches.npy", np.concatenate([empty, *(sample.branches for sample in kept)]))
        np.save(folder / "starts.npy", starts)
        (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return cls(folder)
