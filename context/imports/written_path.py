"""Paths as manifests and import statements write them -> keys. Pure text: the disk is never asked."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath, relpath

from context.paths import folder_of

MAX_WRITTEN = 1000
"""Longer than this nobody writes a path; hostile ones are not worth splitting."""


def joined(folder: str, written: str) -> str | None:
    """The key of a path written in a folder, or None if it is too long to be meant."""
    if len(written) > MAX_WRITTEN:
        return None
    is_absolute = written.startswith("/") or written[1:3] == ":/"
    return normpath(written if is_absolute else f"{folder}/{written}").rstrip("/")


def relative(folder: str, key: str) -> str:
    """A key as an import in a folder writes it: with `./` or `../` before it."""
    written = relpath(key, folder)
    return written if written.startswith("../") or written == ".." else f"./{written}"


def upwards(folder: str) -> Iterator[str]:
    """A folder and those around it, from the inside out."""
    while folder:
        yield folder
        folder = folder_of(folder)
