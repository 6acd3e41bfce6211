"""Products with weight matrices, in floating point or as int8 rows with a scale each. Knows no model.

Inputs are (tokens, in) in the model's dtype, outputs (tokens, out) in the same or in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch.nn.functional import linear

__all__ = ["FloatLinear", "Int8Linear", "Linear", "Rows", "expand_rows", "fuse", "quantise_rows"]

_MAX_INT8_TOKENS = 6
"""Up to so many tokens a CPU is faster with int8 rows, which costs by the token; beyond, in bfloat16."""


class Rows(NamedTuple):
    """A quantised matrix: weight = values x scale of the row."""

    values: torch.Tensor
    """(out, in), int8."""
    scale: torch.Tensor
    """(out,), float32."""


class Linear(Protocol):
    """y = x W^T + b."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(tokens, in) -> (tokens, out)."""
        ...

    @property
    def step_bytes(self) -> int:
        """Bytes of weights that one decode step reads."""
        ...


class FloatLinear:
    """The weights as they are."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._weight = weight
        self._bias = bias

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """See Linear."""
        return linear(x, self._weight, self._bias)

    @property
    def step_bytes(self) -> int:
        """See Linear."""
        return self._weight.nbytes


class Int8Linear:
    """int8 rows: on a CPU multiplied as they are for few tokens, expanded for many.

    `expanded` is the same matrix in floating point, if there is memory for it; otherwise each product with
    many tokens expands its own. Other devices always expand: that saves memory, not time.
    """

    def __init__(
        self, rows: Rows, *, bias: torch.Tensor | None = None, expanded: torch.Tensor | None = None
    ) -> None:
        self.rows = rows
        self.bias = bias
        self._expanded = expanded
        self._is_cpu = rows.values.device.type == "cpu"
        # The kernel wants bfloat16 inputs and scales (float32 ones are 20 times slower); it adds in float32.
        # Rounded scales would shift whole rows: it is given ones, and the exact scales follow.
        self._ones = torch.ones_like(rows.scale, dtype=torch.bfloat16)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """See Linear."""
        if self._is_cpu and x.shape[0] <= _MAX_INT8_TOKENS:
            y = torch.ops.aten._weight_int8pack_mm(x.bfloat16(), self.rows.values, self._ones)
            scaled: torch.Tensor = y * self.rows.scale
            return scaled if self.bias is None else scaled.add_(self.bias)
        weight = expand_rows(self.rows, x.dtype) if self._expanded is None else self._expanded
        return linear(x, weight, self.bias)

    @property
    def step_bytes(self) -> int:
        """See Linear."""
        return self.rows.values.nbytes + self.rows.scale.nbytes


def expand_rows(rows: Rows, dtype: torch.dtype) -> torch.Tensor:
    """The matrix that the rows stand for, rounded once to `dtype`."""
    return (rows.values.to(torch.float32) * rows.scale[:, None]).to(dtype)


def quantise_rows(weight: torch.Tensor) -> Rows:
    """The nearest int8 rows: the largest weight of each row becomes 127."""
    exact = weight.detach().float()
    scale = exact.abs().amax(1).clamp_(min=torch.finfo(torch.float32).tiny) / 127
    return Rows((exact / scale[:, None]).round_().to(torch.int8), scale)


def fuse(modules: Sequence[torch.nn.Linear]) -> torch.Tensor:
    """One matrix of all their rows, (sum of out, in); their weights become views of it: no second copy."""
    if len(modules) == 1:
        return modules[0].weight.data
    fused = torch.cat([module.weight.data for module in modules])
    parts = torch.split(fused, [module.out_features for module in modules])
    for module, part in zip(modules, parts, strict=True):
        module.weight.data = part
    return fused
