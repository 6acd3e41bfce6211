"""`ghostfill context FILE[:LINE:COL]`: which repository text would be sent, and why. Starts no engine."""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.padding import Padding

from context import Plan
from engine.backends.base import EngineInfo
from lsp_server.cli.engine_at_hand import engine_at_hand
from lsp_server.cli.place import Place, parse_place
from lsp_server.cli.settings_at import settings_at
from lsp_server.cli.terminal import console, files_table
from lsp_server.cli.workbench import Workbench
from lsp_server.project_root import project_root


def run(argv: list[str], cwd: Path) -> int:
    """Plan for the file, or the place in it, that `argv` names; raises GhostfillError."""
    options = _parser().parse_args(argv)
    place: Place | None = None
    with suppress(ValueError):  # a file alone
        place = parse_place(options.place, cwd)
    file = place.file if place else cwd / Path(options.place).expanduser()
    root, info, plan = asyncio.run(_plan(file, place))
    if options.json:
        print(json.dumps(_report(root, info, plan), indent=2))
    else:
        _show(root, info, plan)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill context", description="Which repository text would be sent for a file, and why."
    )
    parser.add_argument("place", metavar="FILE[:LINE:COL]", help="without a place, the end of the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the text itself")
    return parser


async def _plan(file: Path, place: Place | None) -> tuple[Path, EngineInfo, Plan]:
    root = project_root(file)
    settings = settings_at(root)
    async with Workbench(settings, root) as bench:
        text = bench.read(file)
        offset = place.offset_in(text) if place else len(text)
        info = await engine_at_hand(settings)
        await bench.indexed()
        return root, info, await asyncio.to_thread(bench.plan, file, text, offset, info)


def _report(root: Path, info: EngineInfo, plan: Plan) -> dict[str, Any]:
    return {
        "file": plan.path,
        "root": str(root),
        "model": info.model,
        "device": info.device,
        "is_engine_running": bool(info.pid),
        "num_tokens": plan.num_tokens,
        "budget_tokens": plan.budget_tokens,
        "is_complete": plan.is_complete,
        "files": [asdict(file) for file in plan.considered],
        "segments": [asdict(segment) for segment in plan.segments],
    }


def _show(root: Path, info: EngineInfo, plan: Plan) -> None:
    out = console()
    out.print(f"  {plan.path} in {root}")
    if plan.considered:
        out.print(Padding(files_table(plan), (0, 0, 0, 2), expand=False))
    else:
        out.print(f"  No other file has anything to say here (budget {plan.budget_tokens:,} tokens).")
    if not plan.is_complete:
        out.print("  The index was not complete when this was planned; try again.")
    if not info.pid:
        out.print(f"  No engine is running: counted with the tokenizer of {info.model}, for {info.device}.")
