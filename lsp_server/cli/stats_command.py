"""`ghostfill stats`: what became of completions lately, from the local file. Writes nothing."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lsp_server.cli.settings_at import settings_at
from lsp_server.cli.terminal import console
from lsp_server.counts import LATENCY_BOUNDS_MS, Counts
from lsp_server.settings import user_file
from lsp_server.stats import DEFAULT_DAYS, add_up, counts_by, stats_report
from lsp_server.stats_file import KEPT_DAYS, Days, StatsFile

WEEK = 7
NONE = "–"


def run(argv: list[str], cwd: Path) -> int:
    """Print the counts; raises GhostfillError if the file cannot be read."""
    options = _parser().parse_args(argv)
    file = StatsFile()
    days = file.read(options.days)
    is_enabled = settings_at(cwd).stats.enabled
    if options.json:
        print(json.dumps(stats_report(days, options.days, file.path, is_enabled=is_enabled), indent=2))
    else:
        _show(console(), file, days, options.days, is_enabled=is_enabled)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill stats", description="What was shown and accepted, counted on this machine only."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--days",
        type=_num_days,
        default=DEFAULT_DAYS,
        metavar="N",
        help=f"look back so many days, today among them; {DEFAULT_DAYS} unless told, {KEPT_DAYS} are kept",
    )
    return parser


def _num_days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= KEPT_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {KEPT_DAYS}")
    return int(text)


def _show(out: Console, file: StatsFile, days: Days, num_days: int, *, is_enabled: bool) -> None:
    out.print()
    if days:
        out.print(_table("", _spans(days, num_days, file)))
        together = add_up(days.values())
        out.print(_table("language", counts_by("language", together)))
        out.print(_table("source", counts_by("source", together)))
        _show_requests(out, Counts.of(together))
    else:
        out.print("  Nothing has been counted yet.")
        out.print()
    if is_enabled:
        out.print(f"  The counts, and nothing else, are in {file.path}", soft_wrap=True, markup=False)
        out.print(
            f"  Delete it to begin anew; stats.enabled = false in {user_file()} ends the counting.",
            soft_wrap=True,
            markup=False,
        )
    else:
        out.print("  Counting is turned off by stats.enabled.")
        out.print(f"  What was counted before, if anything, is in {file.path}", soft_wrap=True, markup=False)


def _spans(days: Days, num_days: int, file: StatsFile) -> dict[str, Counts]:
    """The counts of today, of the last week and of all days asked for, by name."""
    today = file.today()
    sizes = sorted({1, min(WEEK, num_days), num_days})
    return {
        "today" if size == 1 else f"{size} days": Counts.of(
            add_up(tally for day, tally in days.items() if today - day < timedelta(days=size))
        )
        for size in sizes
    }


def _table(title: str, rows: dict[str, Counts]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, min_width=12)
    for name in ("shown", "accepted", "in part", "chars", "at once", "p50", "p95", "reused"):
        table.add_column(name, justify="right")
    for name, counts in rows.items():
        table.add_row(Text(name), *_figures(counts))
    return table


def _figures(counts: Counts) -> list[str]:
    return [
        f"{counts.shown:,}",
        _percent(counts.accepted_share),
        f"{counts.partially_accepted:,}",
        f"{counts.accepted_chars:,}",
        _percent(counts.without_engine_share),
        _milliseconds(counts, 0.5),
        _milliseconds(counts, 0.95),
        _percent(counts.reused_share),
    ]


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.0%}"


def _milliseconds(counts: Counts, share: float) -> str:
    """Buckets know no more than "at most"."""
    if not counts.answered:
        return NONE
    bound = counts.latency.percentile(share)
    return f"≤{bound:,} ms" if bound is not None else f">{LATENCY_BOUNDS_MS[-1]:,} ms"


def _show_requests(out: Console, counts: Counts) -> None:
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in counts.empty.items())
    figures = {
        "at once": "answered without the engine; reused: prompt tokens the engine held already",
        "requests": f"{counts.requests:,}, with text {counts.answered:,}, cancelled {counts.cancelled:,}",
        "without text": reasons or "none",
        "dismissed": f"{counts.dismissed:,} of {counts.shown:,} shown",
    }
    for name, figure in figures.items():
        out.print(f"  {name}: {figure}", soft_wrap=True, markup=False)
    out.print()
