"""`python -m training.corpus`: downloads the table's packages and builds the corpus. Says what went wrong."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from engine.errors import GhostfillError
from training.corpus.build import CorpusError, Plan, build
from training.corpus.job import Loader
from training.corpus.report import Report
from training.corpus.unseen import gathered
from training.sources.checkouts import checkouts, installed
from training.sources.table import Source, read_table

MAX_NAMED = 8
"""Missing packages named on the terminal; the report names all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 something is missing or failed, 2 wrong use."""
    asked = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        return _run(asked, console)
    except GhostfillError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        console.print("Interrupted: nothing is half-written; the same command goes on from here.")
    except OSError as error:
        console.print(_disk_sentence(error, asked.work), style="red", markup=False, soft_wrap=True)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.corpus", description="Build the training corpus."
    )
    work = user_cache_path("ghostfill", appauthor=False) / "training"
    parser.add_argument("--work", type=Path, default=work, metavar="DIR", help="work folder (%(default)s)")
    parser.add_argument("--only", metavar="LANG,...", help="only packages of these languages of the table")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N packages of each language")
    parser.add_argument(
        "--checkouts", type=Path, action="append", default=[], metavar="DIR", help="a folder of git checkouts"
    )
    parser.add_argument(
        "--trust-licences", action="store_true", help="you may train on the checkouts, whatever they say"
    )
    parser.add_argument("--installed", action="store_true", help="the packages installed beside this Python")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (%(default)s)"
    )
    return parser


def _run(asked: argparse.Namespace, console: Console) -> int:
    table = read_table()
    chosen = chosen_of(table, asked.only.split(",") if asked.only else [], asked.limit)
    asked.work.mkdir(parents=True, exist_ok=True)
    with console.status("reading what no training may see"):
        found = gathered(asked.work)
    beside = [*_checkouts(asked.checkouts, asked.trust_licences), *(installed() if asked.installed else ())]
    plan = Plan(asked.work, table, chosen, found, beside, max(1, asked.workers))
    report = _built(plan, console)
    console.print(f"{asked.work / 'report.md'} says what was kept and what was dropped.", highlight=False)
    return _tell(report, chosen, console)


def _checkouts(folders: Sequence[Path], trust_licences: bool) -> Iterator[Loader]:
    for folder in folders:
        if not folder.is_dir():
            raise CorpusError(f"{folder} is not a folder: --checkouts wants one with git checkouts in it.")
        yield from checkouts(folder, trust_licences)


def chosen_of(table: Sequence[Source], languages: Sequence[str], limit: int | None) -> list[Source]:
    """The rows to build now; raises CorpusError for a language that the table lacks."""
    have = {source.language: None for source in table}
    for language in languages:
        if language not in have:
            raise CorpusError(f"The table has no packages of {language!r}; it has {', '.join(have)}.")
    wanted = sorted(
        (source for source in table if not languages or source.language in languages),
        key=lambda source: list(have).index(source.language),
    )
    return [source for _, rows in groupby(wanted, lambda row: row.language) for source in list(rows)[:limit]]


def _built(plan: Plan, console: Console) -> Report:
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bars:

        def progress(what: str, num_done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=num_done, total=total)

        return build(plan, progress)


def _tell(report: Report, chosen: Sequence[Source], console: Console) -> int:
    """One line per language, then what is missing."""
    kept = report.chars_by_main_language()
    for language, num_chars in kept.items():
        console.print(f"{language}: {num_chars:,} characters", highlight=False)
    if report.refused:
        console.print(f"Refused, though they are here: {len(report.refused)}; the report says why.")
    for key, why in list(report.missing.items())[:MAX_NAMED]:
        console.print(
            f"{key} is missing. {why}", style="yellow", markup=False, highlight=False, soft_wrap=True
        )
    if len(report.missing) > MAX_NAMED:
        console.print(f"{len(report.missing) - MAX_NAMED} more packages are missing; the report names them.")
    empty = [language for language in dict.fromkeys(row.language for row in chosen) if not kept.get(language)]
    if empty:
        have = ", ".join(language for language, num_chars in kept.items() if num_chars) or "no language"
        raise CorpusError(f"Nothing is left of {', '.join(empty)}; the corpus has {have}.")
    return 1 if report.missing else 0


def _disk_sentence(error: OSError, work: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk with {work} is full: free some, then run the same command again; it goes on."
    return f"The corpus cannot be built ({error}): see that {work} is a folder that you may write to."


if __name__ == "__main__":
    sys.exit(main())
