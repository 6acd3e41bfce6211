"""`ghostfill demo`: completions on the bundled workspace with the built-in model, computed here and now."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lsp_server.cli.demo_run import Comparison, Start, compare, start
from lsp_server.cli.demo_sites import SITES, TYPING_SITE, cut, unpack
from lsp_server.cli.demo_typing import Answered, Typing, type_along
from lsp_server.cli.demo_view import DemoView
from lsp_server.cli.terminal import console, engine_progress
from lsp_server.cli.workbench import Workbench, figures
from lsp_server.settings import Settings

NUM_KEYS = 20


def run(argv: list[str], cwd: Path) -> int:
    """Run the demo, with default settings whatever the user's say, so that it is the same everywhere."""
    options = _parser().parse_args(argv)
    view = None if options.json else DemoView(console(plain=options.plain))
    # The real path: what is compared with it has seen through links (macOS: /tmp).
    with tempfile.TemporaryDirectory(prefix="ghostfill-demo-") as folder:
        report = asyncio.run(_demo(Path(folder).resolve(), view))
    if options.json:
        print(json.dumps(report, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill demo",
        description="The built-in model on a small workspace, with and without repository context.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plain", action="store_true", help="text alone, no colours")
    return parser


async def _demo(folder: Path, view: DemoView | None) -> dict[str, Any]:
    main = unpack(folder)
    text = main.read_text(encoding="utf-8")
    cuts = [cut(text, site) for site in SITES]
    if view:
        view.intro(main)
    async with Workbench(Settings(), folder) as bench:
        with engine_progress(quiet=view is None) as on_progress:
            started = await start(bench, on_progress)
        if view:
            view.engine(started)
        comparisons: list[Comparison] = []
        async for comparison in compare(bench, main, cuts):
            comparisons.append(comparison)
            plan = comparison.with_context.worked.plan
            if view and plan and len(comparisons) == 1:
                view.context(plan)
            if view:
                view.site(len(comparisons), len(cuts), comparison)
        if view:
            view.summary(comparisons)
        typing = await type_along(bench, main, cut(text, TYPING_SITE), NUM_KEYS)
        if view:
            view.typing(typing)
    return _report(started, comparisons, typing)


def _report(started: Start, comparisons: list[Comparison], typing: Typing) -> dict[str, Any]:
    info = started.info
    return {
        "engine": {
            "model": info.model,
            "device": info.device,
            "dtype": info.dtype,
            "was_loaded_now": started.was_loaded_now,
            "ready_seconds": round(started.seconds, 3),
        },
        "index_ms": round(started.index_ms, 1),
        "sites": [
            {
                "line": each.cut.line,
                "before": each.cut.lines_before(1),
                "author": each.cut.author,
                "without_context": {
                    "verdict": each.without_context.verdict,
                    **figures(each.without_context.worked),
                },
                "with_context": {"verdict": each.with_context.verdict, **figures(each.with_context.worked)},
            }
            for each in comparisons
        ],
        "typing": {
            "num_keys": len(typing.keys),
            "num_typed_through": typing.count(Answered.TYPED_THROUGH),
            "num_engine": typing.count(Answered.ENGINE),
            "median_ms": typing.median_ms(),
            "median_engine_ms": typing.median_ms(Answered.ENGINE),
            "keys": [asdict(key) for key in typing.keys],
        },
    }
