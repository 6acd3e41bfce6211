"""Picks the command and turns failures into exit statuses: 0 done, 1 the job failed, 2 wrong use.

Knows the names of the commands, not what they do; imports the one that is asked for, so that `serve` stays
quick.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib import import_module
from pathlib import Path

from engine.build import VERSION
from engine.errors import GhostfillError

COMMANDS = {
    "serve": ("serve_command", "the language server, on stdio; editors start it"),
    "engine": ("engine_command", "the resident engine; serve starts it when it is needed"),
    "demo": ("demo", "completions on a small workspace, with and without repository context"),
    "complete": ("complete", "one completion at FILE:LINE:COL"),
    "context": ("context_command", "which repository text would be sent for FILE, and why"),
    "index": ("index_command", "builds or refreshes the index of PATH's project, with a progress bar"),
    "pull": ("pull_command", "downloads a model from the hub; nothing else here contacts it"),
    "doctor": ("doctor", "checks everything and says what to do"),
    "stats": ("stats_command", "what was shown and accepted lately, counted on this machine only"),
}
INTERRUPTED = 130


def run(argv: list[str], cwd: str) -> int:
    """Run the command line `argv`, whose relative paths mean files below `cwd`; returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no ghost text is no failure
    try:
        status = _run(argv, Path(cwd))
        sys.stdout.flush()
    except GhostfillError as error:
        print(f"ghostfill: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as leaving:  # argparse: 0 after --help, 2 for wrong use
        return leaving.code if isinstance(leaving.code, int) else 2
    return status


def _run(argv: list[str], cwd: Path) -> int:
    if argv and argv[0] in COMMANDS:
        module, _ = COMMANDS[argv[0]]
        status: int = import_module(f"lsp_server.cli.{module}").run(argv[1:], cwd)
        return status
    _parser().parse_args(argv)  # --help and --version end here, an unknown command too
    _parser().print_help(sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ghostfill", description="Ghost-text code completion that knows the whole repository."
    )
    parser.add_argument("--version", action="version", version=f"ghostfill {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (_, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose)
    return parser
