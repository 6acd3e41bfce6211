"""Which prompt layout finishes lines best, and at what cost: `python -m benchmarks.layout_quality [--quick]`.

Progress and tables go to stderr; the last line on stdout is the result. Answers are remembered on disk, so an
interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from platformdirs import user_cache_path

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.measure import read
from benchmarks.layout_quality import keys, lines, table
from benchmarks.layout_quality.inprocess import Model
from benchmarks.layout_quality.measure import VARIANTS, Variant, measure, tell
from benchmarks.report import finish
from engine.layout import Layout

QUICK_LINES, FULL_LINES = 60, 540
QUICK_KEYS, FULL_KEYS = 120, 450
"""Typed in each package."""


def main() -> None:
    """Measure what the flags ask for and report."""
    flags = _flags().parse_args()
    corpora = [read(package) for package in lines.HELD_OUT]
    limit = flags.lines or (QUICK_LINES if flags.quick else FULL_LINES)
    chosen = lines.choose(corpora, limit, flags.seed)
    tell(f"{len(chosen)} lines of {len(corpora)} packages")
    model = Model.load(
        "builtin", user_cache_path("ghostfill", appauthor=False) / "benchmarks" / "lines.sqlite"
    )
    try:
        costs = _costs(model, corpora, QUICK_KEYS if flags.quick else FULL_KEYS, flags.seed)
        rows = measure(chosen, model)
    finally:
        model.close()
    details = table.markdown(rows, costs)
    print(details, file=sys.stderr)
    is_full = not (flags.quick or flags.lines)
    finish("layout_quality", table.figures(rows, costs), quick=not is_full, details=details)


def _costs(model: Model, corpora: Sequence[Corpus], keys_each: int, seed: int) -> table.Costs:
    stretches = keys.stretches(corpora, keys_each, seed)
    found: dict[Variant, list[keys.Cost]] = {}
    for variant in VARIANTS:
        layout = Layout(model.tokenizer, model.fim, variant.order)
        typed = (keys.costs(layout, stretch, heals=variant.heals) for stretch in stretches)
        found[variant] = [cost for stretch in typed for cost in stretch]
    tell(f"{len(found[VARIANTS[0]])} keys typed in {len(stretches)} functions, in {len(VARIANTS)} ways")
    return found


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.layout_quality", description=__doc__)
    flags.add_argument("--quick", action="store_true", help="fewer lines and keys")
    flags.add_argument("--lines", type=int, help="so many lines; the result is not kept")
    flags.add_argument("--seed", type=int, default=1, help="of lines and functions")
    return flags


if __name__ == "__main__":
    main()
