"""`ghostfill index [PATH]`: builds or refreshes a project's index, which `serve` then starts with. Starts no
engine.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from context.files import Files
from context.ignore import IgnoreRules
from context.index import Index
from context.languages import language_of
from context.paths import key_of
from context.store import FactsStore
from context.worker_pool import WorkerPool
from engine.errors import GhostfillError
from lsp_server.cli.settings_at import settings_at
from lsp_server.cli.terminal import console
from lsp_server.project_root import project_root

MAX_WORKERS = 8
"""More than behind an editor: somebody waits."""
SKIPPED = {
    "too_large": "too large",
    "binary": "binary",
    "excluded": "private, ignored or backups",
    "excluded_folders": "folders not entered",
    "odd": "links, pipes and the like",
    "unreadable": "unreadable",
    "failed": "the parser failed",
}


class NoProjectError(GhostfillError):
    """There is nothing to index."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What `--json` prints."""

    root: str
    files: int
    """With facts."""
    languages: dict[str, int]
    parsed: int
    """Read and parsed now."""
    from_store: int
    """Known already: same time and size, or the content of another file."""
    manifests: int
    skipped: dict[str, int]
    """By reason; a folder not entered counts once."""
    is_cut: bool
    """Whether the project was too large to be looked at whole."""
    seconds: float
    database: str
    database_bytes: int


def run(argv: list[str], cwd: Path) -> int:
    """Index the project around the path that `argv` names; raises GhostfillError."""
    options = _parser().parse_args(argv)
    path = cwd / Path(options.path).expanduser()
    if not path.exists():
        raise NoProjectError(f"{path} does not exist.")
    root = project_root(path / "_") if path.is_dir() else project_root(path)
    with _progress() as on_progress:
        indexed = _build(root, on_progress)
    if options.json:
        print(json.dumps(asdict(indexed), indent=2))
    else:
        _show(indexed)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill index", description="Build or refresh the index of a project, as the server would."
    )
    parser.add_argument(
        "path", metavar="PATH", nargs="?", default=".", help="a file or folder of the project"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _build(root: Path, on_progress: Callable[[int, int], None]) -> Indexed:
    started = time.perf_counter()
    roots = (key_of(root),)
    store = FactsStore(roots)
    rules = IgnoreRules(roots, settings_at(root).privacy.exclude)
    files = Files(roots)
    pool = WorkerPool(min(MAX_WORKERS, os.cpu_count() or 1))
    index = Index(roots, rules, files, pool, on_progress, store)
    try:
        index.build()
    finally:
        index.close()
    listing, counts = index.listing, index.counts
    with files.project("") as project:
        known = [language_of(key) for key, entry in project.entries.items() if entry.facts is not None]
    languages = Counter(row.id for row in known if row is not None)
    skipped = {
        "too_large": listing.num_too_large,
        "binary": counts["binary"],
        "excluded": listing.num_excluded,
        "excluded_folders": len(listing.excluded_folders),
        "odd": listing.num_odd,
        "unreadable": counts["unreadable"],
        "failed": counts["failed"],
    }
    return Indexed(
        root=str(root),
        files=len(known),
        languages=dict(languages.most_common()),
        parsed=counts["parsed"],
        from_store=counts["stored"],
        manifests=counts["manifest"],
        skipped={reason: number for reason, number in skipped.items() if number},
        is_cut=listing.is_cut,
        seconds=round(time.perf_counter() - started, 2),
        database=str(store.path),
        database_bytes=store.num_bytes,
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, which leaves no trace."""
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    err = Console(stderr=True, highlight=False)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("indexing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(indexed: Indexed) -> None:
    out = console()
    out.print(f"  {indexed.root}", markup=False)
    languages = ", ".join(f"{name} {number:,}" for name, number in indexed.languages.items())
    out.print(f"  {indexed.files:,} files indexed{f' ({languages})' if languages else ''}")
    out.print(f"  {indexed.parsed:,} parsed now, {indexed.from_store:,} known already")
    if indexed.skipped:
        reasons = ", ".join(f"{number:,} {SKIPPED[reason]}" for reason, number in indexed.skipped.items())
        out.print(f"  skipped: {reasons}")
    if indexed.is_cut:
        out.print("  The project is too large to be indexed whole: exclude folders with privacy.exclude.")
    megabytes = indexed.database_bytes / 1e6
    out.print(f"  {indexed.seconds:.1f} s; {megabytes:.1f} MB in {indexed.database}", markup=False)
