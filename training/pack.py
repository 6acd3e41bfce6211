"""Samples of one pass laid end to end: what the network reads, and what each token is to be predicted from.

Knows roles and their loss weights; no model, no folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.attention import Attention, Piece, Pieces, best_attention
from training.samples.sample import Role, Sample

RoleWeights = Mapping[Role, float]


@dataclass(frozen=True, slots=True)
class Pack:
    """All on one device; the last five have one entry for each token whose loss counts."""

    ids: Tensor
    positions: Tensor
    attention: Attention
    at: Tensor
    """The token that predicts: the one before, or the stem's last for a branch's first."""
    targets: Tensor
    weights: Tensor
    """float32."""
    roles: Tensor
    middles: Tensor
    """Numbers of the middles that they stand in; a number of its own for what stands in none."""


def pack_samples(
    samples: Sequence[Sample], weights: RoleWeights, device: torch.device, *, pad_to: int = 0
) -> Pack:
    """`pad_to` fills up with tokens that nobody sees, so that every pass has one shape."""
    num = sum(len(sample.ids) for sample in samples)
    if num < pad_to:
        filling = np.zeros(pad_to - num, np.uint16)
        samples = [*samples, Sample(filling, np.full(len(filling), Role.GIVEN, np.uint8), filling)]
    by_role = _table(weights)
    starts = np.cumsum([0, *(len(sample.ids) for sample in samples)])[:-1]
    ids = np.concatenate([sample.ids for sample in samples])
    roles = np.concatenate([sample.roles for sample in samples])
    branches = np.concatenate([sample.branches for sample in samples])
    before = np.concatenate([_before(sample, start) for sample, start in zip(samples, starts, strict=True)])
    chosen = np.flatnonzero((by_role[roles] > 0) & (before >= 0))

    def move(array: npt.NDArray[np.generic]) -> Tensor:
        kind = np.float32 if array.dtype.kind == "f" else np.int64
        tensor = torch.from_numpy(array.astype(kind))
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    def parts() -> tuple[Tensor, Tensor]:
        lengths = [len(sample.ids) for sample in samples]
        return move(np.repeat(np.arange(len(samples)), lengths)), move(branches)

    return Pack(
        ids=move(ids),
        positions=move(np.concatenate([sample.positions() for sample in samples])),
        attention=Pieces(_pieces(samples, starts)) if device.type == "cpu" else best_attention(*parts()),
        at=move(before[chosen]),
        targets=move(ids[chosen]),
        weights=move(by_role[roles[chosen]]),
        roles=move(roles[chosen]),
        middles=move(_middles(roles, branches, starts)[chosen]),
    )


def loss_weight(sample: Sample, weights: RoleWeights) -> float:
    """All of a sample's together; its very first token is never predicted."""
    return float(_table(weights)[sample.roles[1:]].sum())


def _table(weights: RoleWeights) -> npt.NDArray[np.float32]:
    """By role; marks and headers are never learnt."""
    return np.array([0.0 if role is Role.GIVEN else weights.get(role, 0.0) for role in Role], np.float32)


def _before(sample: Sample, start: int) -> npt.NDArray[np.int64]:
    """Of each token the one that predicts it; -1 where none does."""
    before = start + np.arange(len(sample.ids)) - 1
    num_stem = sample.num_stem
    before[np.flatnonzero(np.diff(sample.branches)) + 1] = start + num_stem - 1 if num_stem else -1
    before[0] = -1
    return before


def _middles(
    roles: npt.NDArray[np.uint8], branches: npt.NDArray[np.uint16], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """A middle goes on while its roles do, in one branch of one sample."""
    inside = np.isin(roles, (Role.MIDDLE, Role.TOLD))
    begins = np.ones(len(roles), bool)
    begins[1:] = ~(inside[1:] & inside[:-1] & (branches[1:] == branches[:-1]))
    begins[starts[starts < len(roles)]] = True
    return np.cumsum(begins)


def _pieces(samples: Sequence[Sample], starts: npt.NDArray[np.int64]) -> list[Piece]:
    pieces = []
    for sample, start in zip(samples, starts.tolist(), strict=True):
        edges = [0, *(np.flatnonzero(np.diff(sample.branches)) + 1).tolist(), len(sample.ids)]
        num_stem = sample.num_stem
        for begin, end in pairwise(edges):
            stem_length = num_stem if begin else 0
            pieces.append(Piece(start + begin, end - begin, start, stem_length))
    return pieces
