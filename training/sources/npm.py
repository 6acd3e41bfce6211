"""An npm archive from the registry that npm is configured for. Runs nothing of it."""

from __future__ import annotations

import re
from pathlib import Path

from training.sources.client import Client
from training.sources.table import Source

NPM = Client(
    name="npm",
    install="install Node.js, which brings it, or leave JavaScript and TypeScript out with --only.",
    unreachable=re.compile(
        r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|E429|E5\d\d|ERR_SOCKET_TIMEOUT|EHOSTUNREACH|CERT_\w+"
    ),
    gone=re.compile(r"E404|ETARGET|No matching version"),
)


def fetch(source: Source, folder: Path, work: Path) -> None:
    """Put the archive in `folder`; raises RegistryError, OSError."""
    del work
    cache = folder.with_name("npm-cache")
    command = [
        "npm",
        "pack",
        "--silent",
        "--ignore-scripts",
        f"--cache={cache}",
        f"--pack-destination={folder}",
    ]
    NPM.run(source, [*command, "--loglevel=error", f"{source.name}@{source.version}"], folder)
