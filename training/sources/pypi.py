"""A wheel from the index that pip is configured for. Runs nothing of it.

Wheels only: for a source archive pip runs the package's own build to learn its name. The same wheel on every
machine: the pure one, or the one for one fixed platform.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from training.sources.client import Client
from training.sources.errors import GoneError
from training.sources.table import Source

PIP = Client(
    name="pip",
    install=f"run {sys.executable} -m ensurepip, or use an environment that has it.",
    unreachable=re.compile(
        r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Max retries exceeded"
        r"|Retrying \(|HTTP error (?:429|5\d\d)|IncompleteRead|ProtocolError|ConnectionResetError"
    ),
    gone=re.compile(r"No matching distribution found|HTTP error 404|has been yanked"),
)
_PURE = ("--platform=any", "--implementation=py", "--abi=none", "--python-version=3.11")
_LINUX = (
    *(
        f"--platform={each}_x86_64"
        for each in ("manylinux_2_28", "manylinux_2_27", "manylinux2014", "manylinux1")
    ),
    *("--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none", "--python-version=3.11"),
)


def fetch(source: Source, folder: Path, work: Path) -> None:
    """Put the wheel in `folder`; raises RegistryError, OSError."""
    del work
    if importlib.util.find_spec("pip") is None:
        raise PIP.missing()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir"]
    wanted = [f"--dest={folder}", f"{source.name}=={source.version}"]
    try:
        PIP.run(source, [*pip, "--only-binary=:all:", *_PURE, *wanted], folder)
    except GoneError:
        PIP.run(source, [*pip, "--only-binary=:all:", *_LINUX, *wanted], folder)
