"""What is learnt in which step: samples of several folders, mixed by share, in an order that a seed draws.

Knows folders and lengths. No sample comes twice before all of its folder came once. The order depends on
nothing but the folders and the seed, and a position in it can be kept and gone back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from training.samples.sample import Sample, SampleFolder


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of samples and how many of all tokens shall be its own."""

    folder: Path
    share: float = 1.0
    """Against the shares of the others."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`DIR` or `DIR:SHARE`; raises ValueError."""
        folder, colon, share = text.rpartition(":")
        try:
            source = cls(Path(folder), float(share)) if colon else cls(Path(text))
        except ValueError:
            source = cls(Path(text))  # a colon of the path itself
        if source.share <= 0:
            raise ValueError(f"'{text}': a share is a number above zero, as in {source.folder}:0.2.")
        return source


@dataclass(slots=True)
class _Position:
    """In one folder's order."""

    round: int = 0
    taken: int = 0
    """Samples of this round."""
    tokens: int = 0
    """Of all rounds."""


class Batches:
    """Samples in the order of learning."""

    def __init__(self, sources: Sequence[Source], seed: int) -> None:
        """Raises ValueError for a folder without samples."""
        self._shares = [source.share for source in sources]
        self._folders = [SampleFolder(source.folder) for source in sources]
        for source, folder in zip(sources, self._folders, strict=True):
            if not len(folder):
                raise ValueError(f"{source.folder} holds no samples.")
        self._seed = seed
        self._positions = [_Position() for _ in sources]
        self._orders = [self._order(index) for index in range(len(sources))]

    def step(self, num_tokens: int) -> list[Sample]:
        """The next samples, until they have so many tokens."""
        samples: list[Sample] = []
        while num_tokens > 0:
            samples.append(self._next())
            num_tokens -= len(samples[-1].ids)
        return samples

    @property
    def rounds(self) -> float:
        """How often the folders were gone through, the most read one."""
        return max(
            position.round + position.taken / len(folder)
            for position, folder in zip(self._positions, self._folders, strict=True)
        )

    def state(self) -> list[dict[str, Any]]:
        """Where we are."""
        return [asdict(position) for position in self._positions]

    def restore(self, state: Iterable[dict[str, Any]]) -> None:
        """Go on where `state` was taken."""
        self._positions = [_Position(**position) for position in state]
        self._orders = [self._order(index) for index in range(len(self._positions))]

    def _next(self) -> Sample:
        index = min(range(len(self._shares)), key=lambda i: self._positions[i].tokens / self._shares[i])
        position, folder = self._positions[index], self._folders[index]
        if position.taken == len(folder):
            position.round, position.taken = position.round + 1, 0
            self._orders[index] = self._order(index)
        sample = folder[int(self._orders[index][position.taken])]
        position.taken += 1
        position.tokens += len(sample.ids)
        return sample

    def _order(self, index: int) -> Any:
        generator = np.random.default_rng((self._seed, index, self._positions[index].round))
        return generator.permutation(len(self._folders[index]))


def split_passes(samples: Iterable[Sample], max_tokens: int) -> list[list[Sample]]:
    """As few groups of at most so many tokens as first fit finds; a longer sample stands alone."""
    groups: list[tuple[int, list[Sample]]] = []
    for sample in sorted(samples, key=lambda sample: -len(sample.ids)):
        for num, (size, group) in enumerate(groups):
            if size + len(sample.ids) <= max_tokens:
                group.append(sample)
                groups[num] = size + len(sample.ids), group
                break
        else:
            groups.append((len(sample.ids), [sample]))
    return [group for _, group in groups]
