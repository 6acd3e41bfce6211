"""A folder's files and their texts: no link is followed, nothing outside is read. Knows no licence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from training.sources.errors import ArchiveError
from training.sources.package import decoded

SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "target", "build", "dist"})
"""Folders that hold others' code or built copies."""


def paths_below(folder: Path) -> Iterator[str]:
    """Its regular files with forward slashes, by path; hidden folders and those of others are left out."""
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in SKIPPED)
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def texts_of(folder: Path, paths: Iterable[str], limit: Callable[[str], int]) -> dict[str, str]:
    """The texts among `paths` that are not longer than their limit; raises ArchiveError."""
    texts = {}
    for each in paths:
        wanted = limit(each)
        if not wanted:
            continue
        try:
            with (folder / each).open("rb") as file:
                content = file.read(wanted + 1)
        except OSError as error:
            raise ArchiveError(
                f"{folder / each} cannot be read ({error.strerror}): see to its rights."
            ) from error
        text = decoded(content) if 0 < len(content) <= wanted else None
        if text is not None:
            texts[each] = text
    return texts
