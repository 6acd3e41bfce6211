"""How many small faults `ghostfill.fix` fixes: `python -m benchmarks.fix_quality [--quick] [--tune]`.

Faults, checkers and scores are described in the modules beside this one. Progress and tables go to stderr;
the last line on stdout is the result. Tuning is done with `--tune`, on packages that are never reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.context_quality.measure import read
from benchmarks.context_quality.packages import FOR_TUNING, REPORTED
from benchmarks.fix_quality import table
from benchmarks.fix_quality.faults import Kind
from benchmarks.fix_quality.measure import Order, measure
from benchmarks.report import RESULTS, finish

QUICK_PER_KIND, FULL_PER_KIND = 6, 36


def main() -> None:
    """Measure what the flags ask for and report."""
    flags = _flags().parse_args()
    known = [each for each in (FOR_TUNING if flags.tune else REPORTED) if each.language == "python"]
    corpora = [read(each) for each in known if not flags.packages or each.name in flags.packages]
    per_kind = flags.per_kind or (QUICK_PER_KIND if flags.quick else FULL_PER_KIND)
    chat_model = str(flags.chat_model.resolve()) if flags.chat_model else None
    measured = measure(Order(corpora, per_kind, flags.kinds or tuple(Kind), chat_model, flags.seed))
    drawn = table.charts(measured)
    details = table.markdown(measured, list(drawn))
    print(details, file=sys.stderr)
    if flags.json_out:
        rows = (json.dumps(table.as_json(row)) + "\n" for row in measured.rows)
        flags.json_out.write_text("".join(rows), encoding="utf-8")
    is_part = flags.quick or flags.tune or flags.packages or flags.per_kind or flags.kinds or flags.seed != 1
    is_full = not is_part and chat_model is None
    for name, text in drawn.items() if is_full else ():
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / name).write_text(text, encoding="utf-8")
    figures = table.figures(measured) | ({"chat_model": flags.chat_model.name} if chat_model else {})
    finish("fix_quality", figures, quick=not is_full, details=details)


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.fix_quality", description=__doc__)
    flags.add_argument("--quick", action="store_true", help=f"{QUICK_PER_KIND} faults of each kind")
    flags.add_argument("--tune", action="store_true", help="other packages: the set to tune on")
    flags.add_argument("--chat-model", type=Path, help="the folder of an instruct model: sets chat.model")
    flags.add_argument("--per-kind", type=int, help=f"faults of each kind; {FULL_PER_KIND} in the full run")
    flags.add_argument("--kinds", type=_kinds, help=f"some of {', '.join(Kind)}")
    flags.add_argument("--packages", type=_words, help="some of the packages, by name")
    flags.add_argument("--seed", type=int, default=1, help="of faults and places")
    flags.add_argument("--json-out", type=Path, help="one JSON object per fault, for study")
    return flags


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _kinds(text: str) -> tuple[Kind, ...]:
    try:
        return tuple(map(Kind, _words(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: {', '.join(Kind)} are the kinds") from None


if __name__ == "__main__":
    main()
