"""Real packages to measure on: pinned wheels, unpacked into a cache folder. Never our own code."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from platformdirs import user_cache_path


def unpacked_wheel(name: str, version: str) -> Path:
    """The folder of a wheel's files; raises RuntimeError if it cannot be downloaded."""
    folder = user_cache_path("ghostfill", appauthor=False) / "workspaces" / f"{name}-{version}"
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run(  # noqa: PLW1510 - the status is read below
            [*command, "--dest", scratch, f"{name}=={version}"], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} {version} cannot be downloaded: {done.stderr.strip()[-300:]}")
        partial = Path(scratch) / "files"
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            wheel.extractall(partial)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mv", partial, folder], check=True)
    return folder
