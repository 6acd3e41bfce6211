"""The VS Code extension as a file to install, built when its sources are newer. Knows no editor."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from terminal import require

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
VSIX = EXTENSION / "ghostfill.vsix"
BUILT = {"node_modules", "dist", "dist-test", VSIX.name}


def npm(*arguments: str) -> str:
    """Run npm in the extension's folder; fails with what it said."""
    command = [require("npm", "npm"), *arguments]
    done = subprocess.run(command, cwd=EXTENSION, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"npm {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


@cache
def installed() -> Path:
    """The folder of the packages that the build needs, as the lock file says."""
    modules, lock = EXTENSION / "node_modules", EXTENSION / "package-lock.json"
    marker = modules / ".package-lock.json"  # npm writes it last
    with _alone():
        if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
            npm("ci")
            marker.touch()
    return modules


@cache
def built_vsix() -> Path:
    """The extension, built from the sources as they are when it is first asked for."""
    installed()
    with _alone():
        if not VSIX.exists() or VSIX.stat().st_mtime < max(path.stat().st_mtime for path in _sources()):
            npm("run", "package")
    return VSIX


def _sources() -> Iterator[Path]:
    for path in EXTENSION.iterdir():
        if path.name in BUILT:
            continue
        yield from (each for each in [path, *path.rglob("*")] if each.is_file())


@contextmanager
def _alone() -> Iterator[None]:
    """Two test runs in one checkout do not build over each other."""
    import fcntl

    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "vscode.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
