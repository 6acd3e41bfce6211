"""Which context makes the model write the right line: `python -m benchmarks.context_quality [--quick]`.

Sites, conditions and measures are described in the modules beside this one. Progress and tables go to stderr;
the last line on stdout is the result.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.context_quality import recall, table, timing
from benchmarks.context_quality.answers import Answerer
from benchmarks.context_quality.measure import CONDITIONS, Order, measure, read, tell
from benchmarks.context_quality.packages import FOR_TUNING, LARGE, REPORTED, Package
from benchmarks.context_quality.score import Row
from benchmarks.context_quality.sites import Origin
from benchmarks.report import finish
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

QUICK_BUDGETS, FULL_BUDGETS = (1024,), (1024, 2048, 4096)
QUICK_SITES, FULL_SITES = 60, 96
QUICK_RECALL_SITES_PER_FILE = 1
RECALL_BUDGETS = (1024, 2048, 4096, 8192)
CROSS_FILE_PER_OTHER = 4
"""In the full run, for so many cross-file sites there is one of each other class."""


def main() -> None:
    """Measure what the flags ask for and report."""
    flags = _flags().parse_args()
    known = FOR_TUNING if flags.dev else REPORTED
    packages = [package for package in known if not flags.packages or package.name in flags.packages]
    is_part = flags.recall_only or flags.time_only
    is_usual = not (flags.dev or flags.packages)
    figures: dict[str, Any] = {}
    rows: list[Row] = []
    found: list[recall.Found] = []
    if not is_part:
        rows = asyncio.run(_answers(flags, packages))
        figures |= table.figures(rows)
    if flags.recall_only or not is_part:
        found = _recall(flags, packages)
        figures |= recall.figures(found)
    if flags.time_only or (not is_part and is_usual):
        tell(f"times in {', '.join(package.name for package in LARGE)}")
        figures |= timing.measure(LARGE, flags.seed)
    if flags.json_out:
        _write(flags.json_out, [*map(table.as_json, rows), *map(recall.as_json, found)])
    is_full = is_usual and not (is_part or flags.conditions or flags.budgets or flags.sites or flags.quick)
    finish("context_quality", figures, quick=not is_full, details=table.markdown(rows))


async def _answers(flags: argparse.Namespace, packages: list[Package]) -> list[Row]:
    num = flags.sites or (QUICK_SITES if flags.quick else FULL_SITES)
    others = 0 if flags.quick or flags.cross_file_only else num // CROSS_FILE_PER_OTHER
    limits = {Origin.CROSS_FILE: num, Origin.IN_FILE: others, Origin.LIBRARY: others}
    budgets = flags.budgets or (QUICK_BUDGETS if flags.quick else FULL_BUDGETS)
    order = Order(packages, budgets, flags.conditions or CONDITIONS, limits, flags.seed)
    # No editor runs beside us, for which an engine on a CPU leaves one core free.
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    answerer = await Answerer.start(flags.model)
    try:
        for budget in budgets:
            if answerer.budget(budget).context < budget:
                tell(f"the model reads {answerer.budget(budget).context} tokens of context, not {budget}")
        rows = await measure(order, answerer)
    finally:
        await answerer.close()
    print(table.markdown(rows), file=sys.stderr)
    return rows


def _recall(flags: argparse.Namespace, packages: list[Package]) -> list[recall.Found]:
    """Counted by the built-in tokenizer, whatever the model: budgets stay the same."""
    count_tokens = Tokenizer.from_folder(BUILTIN_FOLDER).count
    per_file = QUICK_RECALL_SITES_PER_FILE if flags.quick else recall.SITES_PER_FILE
    found: list[recall.Found] = []
    for package in packages:
        if package.language == "python":
            here = list(recall.look(read(package), RECALL_BUDGETS, count_tokens, flags.seed, per_file))
            shown = recall.figures(here)
            definitions = " ".join(f"{shown[key]:.3f}" for key in shown if key.startswith("def_"))
            names = " ".join(f"{shown[key]:.3f}" for key in shown if key.startswith("name_"))
            num = len(here) // len(RECALL_BUDGETS)
            tell(f"recall in {package.name}, {num} sites: definitions {definitions}, names {names}")
            found += here
    return found


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.context_quality", description=__doc__)
    flags.add_argument("--quick", action="store_true", help="one budget of 1,024 tokens and fewer sites")
    flags.add_argument("--dev", action="store_true", help="other packages: the set to tune on")
    flags.add_argument("--model", default="builtin", help="as in the settings")
    flags.add_argument("--budgets", type=_numbers, help="tokens of context, as 1024,4096")
    flags.add_argument("--conditions", type=_words, help=f"some of {','.join(CONDITIONS)}")
    flags.add_argument("--packages", type=_words, help="some of the packages, by name")
    flags.add_argument("--sites", type=int, help="cross-file sites at most; a quarter of each other class")
    flags.add_argument("--cross-file-only", action="store_true", help="no in-file and library sites")
    flags.add_argument("--seed", type=int, default=1, help="of sites and places")
    flags.add_argument("--recall-only", action="store_true", help="no answers, no times")
    flags.add_argument("--time-only", action="store_true", help="no answers, no recall")
    flags.add_argument("--json-out", type=Path, help="one JSON object per site, condition and budget")
    return flags


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in text.split(",")))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


if __name__ == "__main__":
    main()
