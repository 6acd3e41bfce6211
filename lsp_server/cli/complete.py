"""`ghostfill complete FILE:LINE:COL`: one completion, as an editor would show it, and what it cost."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from rich.console import Console
from rich.text import Text

from engine.errors import NoInfillError
from lsp_server.cli.place import Place, parse_place
from lsp_server.cli.settings_at import settings_at
from lsp_server.cli.terminal import CURSOR, GHOST, console, engine_progress
from lsp_server.cli.workbench import Workbench, Worked, figures
from lsp_server.project_root import project_root

LINES_AROUND = 3


def run(argv: list[str], cwd: Path) -> int:
    """Complete at the place that `argv` names; raises GhostfillError."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        place = parse_place(options.place, cwd)
    except ValueError as error:
        parser.error(str(error))
    text, worked = asyncio.run(_complete(place, is_quiet=options.json))
    if options.json:
        print(json.dumps(_report(place, worked), indent=2))
    else:
        _show(console(), text, place.offset_in(text), worked)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill complete", description="One completion through the same steps as in an editor."
    )
    parser.add_argument("place", metavar="FILE:LINE:COL", help="where the cursor stands; both count from 1")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


async def _complete(place: Place, *, is_quiet: bool) -> tuple[str, Worked]:
    """The file's text and the completion."""
    root = project_root(place.file)
    async with Workbench(settings_at(root), root) as bench:
        text = bench.read(place.file)
        offset = place.offset_in(text)
        with engine_progress(quiet=is_quiet) as on_progress:
            info = await bench.ready(on_progress)
        if info.refusal and text[offset:].strip():
            raise NoInfillError(info.refusal)
        return text, await bench.complete(place.file, text, offset)


def _report(place: Place, worked: Worked) -> dict[str, object]:
    return {"file": str(place.file), "line": place.line, "column": place.column, **figures(worked)}


def _show(out: Console, text: str, offset: int, worked: Worked) -> None:
    before = "\n".join(text[:offset].split("\n")[-LINES_AROUND - 1 :])
    rest_of_line, newline, below = text[offset:].partition("\n")
    after = rest_of_line + newline + "\n".join(below.split("\n")[:LINES_AROUND])
    code = Text.assemble(before, (CURSOR, "bold"), (worked.text, GHOST), after.rstrip("\n"))
    out.print()
    out.print(code, no_wrap=True, overflow="ignore", crop=False)
    out.print()
    if not worked.text:
        out.print("  Nothing is offered here.")
    if worked.prompt.segments:
        files = dict.fromkeys(segment.path for segment in worked.prompt.segments)
        out.print(f"  The model saw text of {', '.join(files)}.")
    timings = worked.completion.timings
    out.print(
        f"  {worked.total_ms:.0f} ms (context {worked.context_ms:.0f}, engine {worked.engine_ms:.0f}: "
        f"prefill {timings.prefill_ms:.0f}, decode {timings.decode_ms:.0f}), "
        f"ended by {worked.completion.finish_reason}"
    )
    out.print(
        f"  {timings.prompt_tokens} prompt tokens ({worked.prompt.context_tokens} of other files), "
        f"{timings.reused_tokens} reused, {timings.prefilled_tokens} prefilled; "
        f"{timings.decoded_tokens} decoded"
    )
