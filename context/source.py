"""Reads one source file: small, regular, text. Never raises for the file's sake; of languages it knows only
the names.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from context.languages import language_of
from context.paths import Identity

MAX_BYTES = 1_000_000
CONTENT_BYTES = 16
NO_CONTENT = bytes(CONTENT_BYTES)
"""Stands for the content of what could not be read."""

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
    return regular(status)


def regular(status: os.stat_result) -> FileStatus | None:
    """What a `stat` says of a regular file; None for everything else."""
    if not stat.S_ISREG(status.st_mode):
        return None
    identity = (status.st_dev, status.st_ino) if status.st_ino else None
    return FileStatus((status.st_mtime_ns, status.st_size), identity)


def read_source(key: str) -> str | None:
    """The text with `\\n` line ends, or None: too large, binary, unreadable, gone. Bad UTF-8 is replaced."""
    data = read_bytes(key)
    return text_of(data) if data is not None else None


def read_bytes(key: str) -> bytes | None:
    """What a small regular file holds, binary or not; None: too large, unreadable, gone."""
    status = status_of(key)
    if status is None or status.stamp[1] > MAX_BYTES:
        return None
    try:
        with open(key, "rb", opener=_open) as file:
            is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_BYTES + 1) if is_regular else None
    except OSError:
        return None
    return data if data is not None and len(data) <= MAX_BYTES else None


def _open(path: str, flags: int) -> int:
    """A name that became a pipe or a link since it was looked at is neither waited for nor followed."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))


def text_of(data: bytes) -> str | None:
    """The text of a file's bytes; None for a binary file."""
    return normalize(data.decode("utf-8-sig", errors="replace")) if b"\0" not in data else None


def content_of(key: str, data: bytes) -> bytes:
    """A digest: two files that share it have the same bytes and language, and so the same facts."""
    language = language_of(key)
    digest = hashlib.blake2b(f"{language.id if language else ''}\n".encode(), digest_size=CONTENT_BYTES)
    digest.update(data)
    return digest.digest()


def normalize(text: str) -> str:
    """One kind of line end, so that a file's text does not depend on who wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
