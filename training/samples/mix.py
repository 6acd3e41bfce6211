"""What product samples are made of, and in which shares. Knows no repository."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Weights = tuple[tuple[int, float], ...]


class ContextKind(StrEnum):
    """Where a sample's segments come from."""

    PLAN = "plan"
    """The product's own."""
    DEFINITION = "definition"
    """The very definitions of the names that are to be written."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProductMix:
    """What samples are made of; pairs are values and their weights."""

    kinds: tuple[tuple[ContextKind, float], ...] = (
        (ContextKind.PLAN, 0.55),
        (ContextKind.DEFINITION, 0.2),
        (ContextKind.NONE, 0.25),
    )
    spm: float = 0.75
    context: Weights = ((256, 0.45), (512, 0.25), (1024, 0.2), (2048, 0.1))
    prefix: Weights = ((128, 0.3), (192, 0.25), (256, 0.2), (384, 0.12), (512, 0.08), (768, 0.05))
    suffix: Weights = ((0, 0.15), (64, 0.35), (128, 0.35), (256, 0.15))
    elsewhere: float = 0.85
    """The share of samples whose first site is a name of another file, where there is one."""
    min_branches: int = 3
    """Drawn at least; a file that has fewer sites gives two, or no sample."""
    max_branches: int = 6
    max_samples: int = 40
    """Of one repository."""
    twins: bool = False
    """Only samples with context, and each once more without."""
