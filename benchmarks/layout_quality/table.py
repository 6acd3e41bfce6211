"""Rows and counts as figures and tables. Knows nothing of how they came about."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.context_quality.bootstrap import interval
from benchmarks.context_quality.score import mean
from benchmarks.layout_quality.keys import Cost
from benchmarks.layout_quality.lines import TAILS
from benchmarks.layout_quality.measure import VARIANTS, Row, Variant
from engine.fim import Order

Costs = Mapping[Variant, Sequence[Cost]]
"""Of each key, by the way the prompt was laid out."""
Group = Callable[[Row], bool]

WHERE: dict[str, Group] = {
    "inside_word": lambda row: row.tail > 0 and row.line.is_inside_word(row.tail),
    "outside_word": lambda row: row.tail > 0 and not row.line.is_inside_word(row.tail),
    "all": lambda _: True,
}
LANGUAGES: dict[str, Group] = {
    "python": lambda row: row.line.language == "python",
    "javascript": lambda row: row.line.language == "javascript",
}
NOTE = """\
The rest of a line, greedily, of packages that the built-in model never saw: exact match, and edit similarity
(`rapidfuzz.fuzz.ratio`). A tail is what is typed of the line behind its indentation; with one, the cursor is
inside a word if a letter, digit or underscore stands on both sides. Prompts hold at most 512 tokens before
the cursor, 256 behind the line and no repository context. In brackets stands how many cursors there are."""


def figures(rows: Sequence[Row], costs: Costs) -> dict[str, Any]:
    """Flat, by way to ask and tail."""
    one = _of(rows, VARIANTS[0])
    groups = {f"tail{tail}": _at(tail) for tail in TAILS} | WHERE
    named: dict[str, Any] = {f"n_{name}": sum(map(group, one)) for name, group in groups.items()}
    for measure, value in (("em", _exact), ("es", _similarity)):
        for variant in VARIANTS:
            mine = _of(rows, variant)
            for name, group in groups.items():
                named[f"{measure}_{variant.name}_{name}"] = mean([value(row) for row in mine if group(row)])
    for variant, found in costs.items():
        counts = [cost.now for cost in found]
        named[f"prefilled_{variant.name}"] = statistics.median(counts)
        named[f"prefilled_{variant.name}_p90"] = _quantile(counts, 0.9)
    return named | {"keys": len(next(iter(costs.values()), ()))}


def markdown(rows: Sequence[Row], costs: Costs) -> str:
    """What is right, how alike, how sure the differences are, and what a key costs."""
    groups = {f"tail {tail}": _at(tail) for tail in TAILS}
    groups |= {name.replace("_", " "): group for name, group in WHERE.items()}
    parts = (
        ("Exact match", _means(rows, groups | LANGUAGES, _exact)),
        ("Edit similarity", _means(rows, groups | LANGUAGES, _similarity)),
        ("Exact match, differences and their 95 % intervals by packages", _differences(rows, groups)),
        ("Tokens read per key", _costs(costs)),
    )
    tables = ["\n".join((f"### {title}", "", *table, "")) for title, table in parts]
    return "\n".join((NOTE, "", *tables))


def _means(rows: Sequence[Row], groups: Mapping[str, Group], value: Callable[[Row], float]) -> Iterator[str]:
    one = _of(rows, VARIANTS[0])
    yield from _head(["layout", *(f"{name} ({sum(map(group, one))})" for name, group in groups.items())])
    for variant in VARIANTS:
        mine = _of(rows, variant)
        yield _cells(
            _shown(variant), *(f"{mean([value(r) for r in mine if g(r)]):.3f}" for g in groups.values())
        )


def _differences(rows: Sequence[Row], groups: Mapping[str, Group]) -> Iterator[str]:
    yield from _head(["difference", *groups])
    for better, other in _pairs():
        left, right = _of(rows, better), _of(rows, other)
        yield _cells(
            f"{_shown(better)} over {_shown(other)}",
            *(
                _difference([(a, b) for a, b in zip(left, right, strict=True) if g(a)])
                for g in groups.values()
            ),
        )


def _pairs() -> Iterator[tuple[Variant, Variant]]:
    """What is compared: healed or not within an order, and the orders with one another."""
    spm, psm, anchored = Order.SPM, Order.PSM, Order.ANCHORED
    for order in (spm, psm, anchored):
        yield Variant(order, heals=True), Variant(order, heals=False)
    for heals in (False, True):
        for better, other in ((spm, psm), (spm, anchored), (anchored, psm)):
            yield Variant(better, heals), Variant(other, heals)


def _difference(pairs: Sequence[tuple[Row, Row]]) -> str:
    values = [_exact(a) - _exact(b) for a, b in pairs]
    low, high = interval(values, [a.line.package for a, _ in pairs])
    return f"{mean(values):+.3f} ({low:+.3f} to {high:+.3f})"


def _costs(costs: Costs) -> Iterator[str]:
    yield from _head(["layout", "median", "p90", "p99", "mean", "mean ahead", "keys"])
    for variant, found in costs.items():
        now, ahead = [cost.now for cost in found], statistics.fmean(cost.ahead for cost in found)
        quantiles = (f"{statistics.median(now):g}", str(_quantile(now, 0.9)), str(_quantile(now, 0.99)))
        means = (f"{statistics.fmean(now):.1f}", f"{ahead:.1f}")
        yield _cells(_shown(variant), *quantiles, *means, str(len(found)))


def _head(names: Sequence[str]) -> tuple[str, str]:
    return _cells(*names), _cells(*("---" for _ in names))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _of(rows: Iterable[Row], variant: Variant) -> list[Row]:
    return [row for row in rows if row.variant == variant]


def _at(tail: int) -> Group:
    return lambda row: row.tail == tail


def _shown(variant: Variant) -> str:
    return f"{variant.order}, healed" if variant.heals else str(variant.order)


def _exact(row: Row) -> float:
    return float(row.is_exact)


def _similarity(row: Row) -> float:
    return row.similarity


def _quantile(counts: Sequence[int], share: float) -> int:
    return sorted(counts)[min(len(counts) - 1, int(share * len(counts)))]
