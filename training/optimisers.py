"""Muon for the matrices of the layers, AdamW for the embedding and the vectors; both follow one scale.

Knows names and sizes of weights, no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rates:
    """Before the schedule's scale."""

    muon: float
    adamw: float
    weight_decay: float
    """Of matrices."""
    clip: float = 1.0
    """The longest gradient, all weights together."""


class Optimisers:
    """One step for all weights."""

    def __init__(self, weights: Mapping[str, Tensor], rates: Rates) -> None:
        matrices = [weight for name, weight in weights.items() if weight.ndim == 2 and "embed" not in name]
        others = [weight for name, weight in weights.items() if weight.ndim != 2 or "embed" in name]
        self._weights = list(weights.values())
        self._clip = rates.clip
        self._members: list[tuple[torch.optim.Optimizer, float]] = [
            (
                torch.optim.Muon(
                    matrices, lr=rates.muon, weight_decay=rates.weight_decay, adjust_lr_fn="original"
                ),
                rates.muon,
            ),
            (
                torch.optim.AdamW(others, lr=rates.adamw, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
                rates.adamw,
            ),
        ]

    def step(self, scale: float) -> Tensor:
        """Learn from the gradients and drop them; how long they were together."""
        norm = torch.nn.utils.clip_grad_norm_(self._weights, self._clip)
        for member, rate in self._members:
            for group in member.param_groups:
                group["lr"] = rate * scale
            member.step()
        self.drop_gradients()
        return norm

    def drop_gradients(self) -> None:
        """As if no pass had been made."""
        for weight in self._weights:
            weight.grad = None

    def state(self) -> list[dict[str, Any]]:
        """What they remember."""
        return [member.state_dict() for member, _ in self._members]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Go on with what `state` told."""
        for (member, _), remembered in zip(self._members, state, strict=True):
            member.load_state_dict(remembered)
