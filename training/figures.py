"""Losses since the last row of loss.tsv: sums that stay on the device, so that nothing waits for them.

Knows roles, no network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.samples.sample import Role


class Figures:
    """Begins empty with every row."""

    def __init__(self, device: torch.device, tokens: int = 0, seconds: float = 0.0) -> None:
        """`tokens` and `seconds` of the run so far."""
        self.steps = 0
        self._tokens, self._seconds = tokens, seconds
        self._norm = torch.zeros((), device=device)
        self._losses = torch.zeros(len(Role), device=device)
        self._counts = torch.zeros(len(Role), device=device)
        self._weighted = torch.zeros(2, device=device)

    def copy(self) -> Figures:
        """Not changed with it."""
        copy = Figures(self._norm.device, self._tokens, self._seconds)
        copy.steps, copy._norm, copy._losses = self.steps, self._norm.clone(), self._losses.clone()
        copy._counts, copy._weighted = self._counts.clone(), self._weighted.clone()
        return copy

    def add(self, roles: Tensor, losses: Tensor, weights: Tensor) -> None:
        """Of one pass: an entry for each target."""
        self._losses.index_add_(0, roles, losses)
        self._counts.index_add_(0, roles, torch.ones_like(losses))
        self._weighted += torch.stack(((losses * weights).sum(), weights.sum()))

    def end_step(self, norm: Tensor) -> None:
        """`norm` is the gradient's length."""
        self.steps += 1
        self._norm += norm

    def rest(self, tokens: int, seconds: float) -> None:
        """What passed up to now does not count for the speed."""
        self._tokens, self._seconds = tokens, seconds

    def speed(self, tokens: int, seconds: float) -> float:
        """Tokens a second."""
        return (tokens - self._tokens) / max(1e-9, seconds - self._seconds)

    def are_finite(self) -> bool:
        """Whether the gradients were numbers."""
        return bool(self._norm.isfinite())

    def row(self) -> dict[str, float]:
        """Weighted loss, mean loss by role and mean gradient; nan where there was no token."""
        means = (self._losses / self._counts).tolist()
        named = {f"loss_{role.name.lower()}": means[role] for role in Role if role is not Role.GIVEN}
        weighted, weight = self._weighted.tolist()
        return {"loss": weighted / max(weight, 1e-9), **named, "gradient": self._norm.item() / self.steps}
