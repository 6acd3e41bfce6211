"""`ghostfill context FILE[:LINE:COL]`: what would be sent for a file, and why. Starts no engine."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from rich.padding import Padding

from engine.errors import GhostfillError
from lsp_server.cli.place import Place, parse_place
from lsp_server.cli.settings_at import settings_at
from lsp_server.cli.terminal import console, segments_table
from lsp_server.cli.workbench import Workbench
from lsp_server.context_explained import explain
from lsp_server.context_page import context_page
from lsp_server.context_report import ContextReport
from lsp_server.engine_at_hand import engine_at_hand
from lsp_server.hole import Hole
from lsp_server.project_root import project_root

STDOUT = "-"


class OutputError(GhostfillError):
    """The page cannot be written where it should go."""


def run(argv: list[str], cwd: Path) -> int:
    """Explain the file, or the place in it, that `argv` names; raises GhostfillError."""
    options = _parser().parse_args(argv)
    place: Place | None = None
    with suppress(ValueError):  # a file alone
        place = parse_place(options.place, cwd)
    file = place.file if place else cwd / Path(options.place).expanduser()
    page = None if options.html in (None, STDOUT) else cwd / Path(options.html).expanduser()
    if page is not None:
        _check(page)
    report = asyncio.run(_report(file, place))
    if options.json:
        print(json.dumps(report.to_json(), indent=2))
    elif page is not None:
        _write(page, report)
    elif options.html == STDOUT:
        sys.stdout.buffer.write(context_page(report).encode())
    else:
        _show(report)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill context", description="What would be sent to the model for a file, and why."
    )
    parser.add_argument("place", metavar="FILE[:LINE:COL]", help="without a place, the end of the file")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object, with the text itself")
    form.add_argument("--html", metavar="OUT", help="write one self-contained page to OUT ('-': to stdout)")
    return parser


async def _report(file: Path, place: Place | None) -> ContextReport:
    root = project_root(file)
    settings = settings_at(root)
    async with Workbench(settings, root) as bench:
        text = bench.read(file)
        offset = place.offset_in(text) if place else len(text)
        info = await engine_at_hand(settings)
        plan = None
        if settings.context.enabled:
            await bench.indexed()
            plan = await asyncio.to_thread(bench.plan, file, text, offset, info)
        hole = Hole.at(text, offset)
        return await explain(
            settings, bench.context, root, file, hole, plan, info, bench.backend.cached_tokens
        )


def _check(page: Path) -> None:
    """Before the work, not after it."""
    if page.is_dir():
        raise OutputError(f"{page} is a folder: name a file to write the page to.")
    if not page.parent.is_dir():
        raise OutputError(f"{page.parent} is no folder: make it first.")


def _write(page: Path, report: ContextReport) -> None:
    try:
        page.write_text(context_page(report), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{page} cannot be written: {error.strerror}.") from error
    print(f"{page} explains {report.file}:{report.line}:{report.column}.")


def _show(report: ContextReport) -> None:
    out = console()
    out.print(f"  {report.file}:{report.line}:{report.column} in {report.root}", markup=False)
    out.print(Padding(segments_table(report), (0, 0, 0, 2), expand=False))
    for note in report.notes:
        out.print(f"  {note}", markup=False)
