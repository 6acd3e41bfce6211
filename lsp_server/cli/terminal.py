"""How things look in a terminal: consoles, ghost text, the table of files. Computes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from context import Plan
from engine.backends.base import OnProgress
from lsp_server.context_report import ContextReport

GHOST = "italic dim"
CURSOR = "▏"
PIPED_WIDTH = 100


def console(*, plain: bool = False) -> Console:
    """The console for stdout; `plain` and a pipe mean text alone, as does NO_COLOR for colours."""
    is_terminal = sys.stdout.isatty() and not plain
    return Console(
        highlight=False,
        force_terminal=is_terminal,
        no_color=True if plain else None,
        width=None if sys.stdout.isatty() else PIPED_WIDTH,
    )


@contextmanager
def engine_progress(*, quiet: bool = False) -> Iterator[OnProgress]:
    """Shows on stderr that an engine starts and loads, then leaves no trace; `quiet` shows nothing."""
    err = Console(stderr=True, highlight=False, quiet=quiet or not sys.stderr.isatty())
    with err.status("waiting for the engine") as status:
        yield lambda fraction, message: status.update(f"{message} {fraction:.0%}")


def files_table(plan: Plan) -> Table:
    """The files that were considered, what they take, and the sum against the budget."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("repository context", "together", overflow="fold")
    table.add_column("reason", f"of {plan.budget_tokens:,} that it may take")
    table.add_column("tokens", f"{plan.num_tokens:,}", justify="right")
    table.add_column("")
    for file in plan.considered:
        style = "" if file.chosen else "dim"
        tokens = f"{file.num_tokens:,}" if file.chosen else f"({file.num_tokens:,})"
        is_chosen = "chosen" if file.chosen else "left out"
        table.add_row(Text(file.path), Text(file.reason), tokens, is_chosen, style=style)
    return table


def segments_table(report: ContextReport) -> Table:
    """The prompt in order, then the files left out: what, why, how many tokens, and whether cached."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("file", "prompt", overflow="fold")
    table.add_column("kind", "")
    table.add_column("reason", f"of {report.limit_tokens:,} with the answer")
    table.add_column("tokens", f"{report.prompt_tokens:,}", justify="right")
    cached = "unknown" if report.cached_tokens is None else f"{report.cached_tokens:,}"
    table.add_column("cached", cached, justify="right")
    for row in report.rows:
        name, kind = Text(row.path), Text(row.kind.replace("_", " "))
        if row.is_sent:
            table.add_row(name, kind, Text(row.reason), f"{row.num_tokens:,}", str(row.cached))
        else:
            table.add_row(name, kind, Text(row.reason), f"({row.num_tokens:,})", "not sent", style="dim")
    for file in report.left_out:
        table.add_row(
            Text(file.path), "left out", Text(file.reason), f"({file.num_tokens:,})", "", style="dim"
        )
    return table
