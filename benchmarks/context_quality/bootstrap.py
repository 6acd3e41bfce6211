"""How sure a difference is: paired bootstrap over packages, McNemar's exact test. Knows only numbers."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence

NUM_RESAMPLES = 2000


def interval(
    differences: Sequence[float], clusters: Sequence[str], seed: int = 0, resamples: int = NUM_RESAMPLES
) -> tuple[float, float]:
    """The 95 % interval of the mean difference when whole clusters (packages) are drawn anew.

    `differences` are paired, one per site. Sites of a package are alike, so sites are never drawn alone.
    """
    by_cluster: dict[str, list[float]] = defaultdict(list)
    for difference, cluster in zip(differences, clusters, strict=True):
        by_cluster[cluster].append(difference)
    sums = [(sum(values), len(values)) for _, values in sorted(by_cluster.items())]
    if not sums:
        return 0.0, 0.0
    chance = random.Random(seed)  # noqa: S311 - must be repeatable
    means = sorted(_mean_of(chance.choices(sums, k=len(sums))) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[min(resamples - 1, int(0.975 * resamples))]


def mcnemar(helped: int, hurt: int) -> float:
    """The two-sided probability of so uneven a split if neither side were better."""
    total = helped + hurt
    if not total:
        return 1.0
    tail = sum(math.comb(total, num) for num in range(min(helped, hurt) + 1))
    return min(1.0, float(2 * tail / 2**total))


def _mean_of(drawn: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in drawn) / sum(num for _, num in drawn)
