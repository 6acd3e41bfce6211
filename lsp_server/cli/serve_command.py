"""`ghostfill serve`: the language server for one client. Nothing heavy is imported before it reads."""

from __future__ import annotations

import argparse
from pathlib import Path


def run(argv: list[str], cwd: Path) -> int:
    """Serve until the client leaves; the exit status is the one that LSP asks for."""
    options = _parser().parse_args(argv)
    from lsp_server.server import run_stdio, run_tcp
    from lsp_server.stdio import end_process

    status = run_stdio() if options.tcp is None else run_tcp(options.tcp)
    # A plan or an index in the making must not keep a process without a client.
    end_process(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ghostfill serve", description="The language server, on stdio.")
    # Language clients add --stdio by custom; it is what we do anyway.
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stdio", action="store_true", help="serve on stdin and stdout (default)")
    where.add_argument(
        "--tcp", type=int, metavar="PORT", help="serve one client on a loopback port, to debug"
    )
    return parser
