"""How well a network predicts samples that it does not learn from: loss and share of right tokens.

Middles and the names that only the context tells count apart. Knows no training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from training.batches import split_passes
from training.network import Network
from training.pack import Pack, RoleWeights, pack_samples
from training.samples.sample import Role, Sample, SampleFolder

GROUPS: dict[str, tuple[Role, ...]] = {
    "middle": (Role.MIDDLE, Role.TOLD),
    "told": (Role.TOLD,),
    "plain": (Role.PLAIN,),
}
_COUNTED: RoleWeights = {role: 1.0 for roles in GROUPS.values() for role in roles}
_AT_ONCE = 2_048
"""Targets whose logits are in memory together."""


class _Predicted(NamedTuple):
    """One pass, an entry for each target."""

    roles: torch.Tensor
    middles: torch.Tensor
    losses: torch.Tensor
    rights: torch.Tensor


@dataclass(frozen=True, slots=True)
class Score:
    """Over all tokens of a group."""

    num: int
    loss: float
    accuracy: float
    """The share that is the network's first choice."""
    exact: float
    """The share of middles whose tokens are all its first choice: greedy decoding would write just them."""

    def __str__(self) -> str:
        return f"loss {self.loss:.4f}, right {self.accuracy:.4f}, exact {self.exact:.4f}"


@torch.no_grad()
def evaluate(
    network: Network, samples: Iterable[Sample], device: torch.device, *, pass_tokens: int, pad: bool = False
) -> dict[str, Score]:
    """By group; a group without tokens is left out."""
    passes = [
        _predict(network, pack_samples(group, _COUNTED, device, pad_to=pass_tokens if pad else 0))
        for chunk in _chunks(samples, 8 * pass_tokens)
        for group in split_passes(chunk, pass_tokens)
    ]
    return dict(_scores(passes))


def _predict(network: Network, pack: Pack) -> _Predicted:
    hidden = network.hidden(pack.ids, pack.positions, pack.attention, pack.at)
    parts = list(zip(hidden.split(_AT_ONCE), pack.targets.split(_AT_ONCE), strict=True))
    losses = [network.losses(part, targets) for part, targets in parts]
    rights = [network.logits(part).argmax(-1) == targets for part, targets in parts]
    return _Predicted(*(x.cpu() for x in (pack.roles, pack.middles, torch.cat(losses), torch.cat(rights))))


def _scores(passes: Sequence[_Predicted]) -> Iterator[tuple[str, Score]]:
    for name, members in GROUPS.items():
        losses, rights, wholes = [], [], []
        for predicted in passes:
            chosen = torch.isin(predicted.roles, torch.tensor(members))
            losses.append(predicted.losses[chosen])
            rights.append(predicted.rights[chosen].float())
            middles, numbers = predicted.middles[chosen].unique(return_inverse=True)
            wrong = torch.zeros(len(middles)).index_add_(0, numbers, 1 - rights[-1])
            wholes.append((wrong == 0).float())
        found, right, whole = torch.cat(losses), torch.cat(rights), torch.cat(wholes)
        if len(found):
            yield name, Score(len(found), found.mean().item(), right.mean().item(), whole.mean().item())


def _chunks(samples: Iterable[Sample], num_tokens: int) -> Iterator[list[Sample]]:
    """Lists of at least so many tokens, the last one shorter."""
    chunk: list[Sample] = []
    size = 0
    for sample in samples:
        chunk.append(sample)
        size += len(sample.ids)
        if size >= num_tokens:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def first(samples: SampleFolder, num: int) -> Iterator[Sample]:
    """So many of them; all for 0."""
    return (samples[index] for index in range(min(num, len(samples)) if num else len(samples)))
