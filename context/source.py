"""Reads one source file: small, regular, text. Never raises for the file's sake; knows no language."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from context.paths import Identity

MAX_BYTES = 1_000_000

Stamp = tuple[int, int]
"""Modification time in nanoseconds, and size: what a cached fact is valid for."""


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What one `stat` says of a regular file."""

    stamp: Stamp
    identity: Identity | None


def status_of(key: str) -> FileStatus | None:
    """None for what is not there, not a regular file, or a link."""
    try:
        status = Path(key).lstat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    identity = (status.st_dev, status.st_ino) if status.st_ino else None
    return FileStatus((status.st_mtime_ns, status.st_size), identity)


def read_source(key: str) -> str | None:
    """The text with `\\n` line ends, or None: too large, binary, unreadable, gone. Bad UTF-8 is replaced."""
    status = status_of(key)
    if status is None or status.stamp[1] > MAX_BYTES:
        return None
    try:
        with Path(key).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    if len(data) > MAX_BYTES or b"\0" in data:
        return None
    return normalize(data.decode("utf-8-sig", errors="replace"))


def normalize(text: str) -> str:
    """One kind of line end, so that a file's text does not depend on who wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
