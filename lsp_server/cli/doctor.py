"""`ghostfill doctor`: looks at all that a completion needs, says what to do. Starts and changes nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lsp_server.backend_choice import engine_spec
from lsp_server.cli.chat_checks import check_chat
from lsp_server.cli.check import Check, State, ok, warning
from lsp_server.cli.engine_checks import check_local_engine, check_model, check_remote_engine
from lsp_server.cli.largest_model import check_largest
from lsp_server.cli.machine_checks import (
    check_grammars,
    check_local_extra,
    check_packages,
    check_python,
    check_torch,
    check_watching,
)
from lsp_server.cli.terminal import console
from lsp_server.settings import Settings, load_settings, user_file

MARKS = {
    State.OK: ("ok", "green"),
    State.WARNING: ("warning", "yellow"),
    State.PROBLEM: ("problem", "bold red"),
}


def run(argv: list[str], cwd: Path) -> int:
    """Print every finding; 1 if one of them stops completions."""
    options = _parser().parse_args(argv)
    settings, problems = load_settings({}, {}, [cwd])
    checks: list[Check] = []
    out = None if options.json else console()
    for check in _checks(settings, [str(each) for each in problems]):
        checks.append(check)
        if out is not None:
            _show(out, check)
    is_well = all(check.state is not State.PROBLEM for check in checks)
    if options.json:
        print(json.dumps({"ok": is_well, "checks": [asdict(check) for check in checks]}, indent=2))
    elif out is not None:
        out.print()
        out.print(
            "Completions can be made." if is_well else "Completions cannot be made: see the problems above."
        )
    return 0 if is_well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill doctor", description="Checks everything and says what to do."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _checks(settings: Settings, problems: list[str]) -> Iterator[Check]:
    is_local = settings.engine.url is None
    yield check_python()
    yield check_packages()
    yield check_grammars()
    yield from _check_settings(problems)
    yield check_local_extra(is_needed=is_local)
    of_torch = list(check_torch(is_needed=is_local))
    yield from of_torch
    probe = next((check.facts for check in of_torch if check.name == "torch"), {})
    if is_local:
        spec = engine_spec(settings)
        yield check_model(spec)
        yield check_largest(settings, probe)
        yield from check_local_engine(spec)
    else:
        yield check_remote_engine(settings)
    yield check_chat(settings, probe)
    yield from check_watching()


def _check_settings(problems: list[str]) -> Iterator[Check]:
    file = user_file()
    for each in problems:
        yield warning("settings", each, f"Correct it in {file} or in the workspace's .ghostfill.toml.")
    if not problems:
        yield ok("settings", str(file) if file.exists() else f"defaults ({file} does not exist)")


def _show(out: Console, check: Check) -> None:
    word, style = MARKS[check.state]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(width=8)
    table.add_column(width=15)
    table.add_column(overflow="fold")
    message = Text(check.message)
    if check.advice:
        message.append("\n→ " + check.advice, style="" if check.state is State.OK else style)
    table.add_row(Text(word, style), Text(check.name, "bold"), message)
    out.print(table)
