"""Real packages to measure on: pinned archives, unpacked into a cache folder. Never our own code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path


def unpacked_wheel(name: str, version: str) -> Path:
    """The folder of a wheel's files; raises RuntimeError if it cannot be downloaded."""
    folder = cache_folder() / f"{name}-{version}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=_made(folder.parent)) as scratch:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            _download(
                [*command, "--only-binary=:all:", "--dest", scratch, f"{name}=={version}"], name, version
            )
            partial = Path(scratch) / "files"
            with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
                wheel.extractall(partial)  # noqa: S202 - zipfile drops what would lead out
            _keep(partial, folder)
    return folder


def unpacked_npm(name: str, version: str) -> Path:
    """The folder of an npm archive's files without `dist`; raises RuntimeError if it cannot be downloaded.

    `dist` holds a built copy of the whole source: whoever may look there knows every answer.
    """
    folder = cache_folder() / f"npm-{name.replace('/', '-').lstrip('@')}-{version}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=_made(folder.parent)) as scratch:
            command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", scratch]
            _download([*command, f"{name}@{version}"], name, version)
            partial = Path(scratch) / "files"
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                archive.extractall(partial, filter="data")
            package = next(partial.iterdir())
            for built in sorted(package.rglob("dist")):
                shutil.rmtree(built)
            _keep(package, folder)
    return folder


def cache_folder() -> Path:
    """Where unpacked packages lie."""
    return user_cache_path("ghostfill", appauthor=False) / "workspaces"


def _download(command: Sequence[str], name: str, version: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RuntimeError(f"{name} {version} cannot be downloaded: install {command[0]}.") from None
    if done.returncode != 0:
        raise RuntimeError(f"{name} {version} cannot be downloaded: {done.stderr.strip()[-300:]}")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep(partial: Path, folder: Path) -> None:
    """Put a finished folder in its place in one step; another process may have been first."""
    try:
        os.rename(partial, folder)  # noqa: PTH104 - must not move into an existing folder
    except OSError:
        if not folder.is_dir():
            raise
