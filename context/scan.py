"""Lists the files of a workspace that may be read, by one walk. Reads no file; follows no symbolic link.

A link's target is either listed under its own name or lies outside the workspace.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from context.ignore import IgnoreRules
from context.languages import language_of
from context.source import MAX_BYTES, FileStatus

MAX_FILES = 50_000
MAX_FOLDERS = 50_000
"""A home folder opened by mistake must not keep us walking."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One line of the list."""

    key: str
    status: FileStatus


def scan(roots: Sequence[str], rules: IgnoreRules, is_stopped: Callable[[], bool]) -> Iterator[ScannedFile]:
    """Every readable source file once, folder by folder in order of name."""
    seen: set[str] = set()
    stack = [(root, root) for root in reversed(roots)]
    num_files = 0
    while stack and not is_stopped():
        folder, root = stack.pop()
        if folder in seen:
            continue
        seen.add(folder)
        if len(seen) > MAX_FOLDERS or num_files > MAX_FILES:
            _log.warning("the workspace is too large: indexed only the first %d files", num_files)
            return
        below = []
        for entry in _entries(folder):
            key = f"{folder.rstrip('/')}/{entry.name}"
            if _is_folder(entry):
                if not rules.skips_folder(key, root):
                    below.append((key, root))
            elif language_of(key) is not None:
                file = _scanned(entry, key)
                if file is not None and not rules.skips_file(key, root):
                    num_files += 1
                    yield file
        stack += reversed(below)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []  # gone, or not ours to read


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _scanned(entry: os.DirEntry[str], key: str) -> ScannedFile | None:
    try:
        if not entry.is_file(follow_symlinks=False):
            return None
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    if status.st_size > MAX_BYTES:
        return None
    identity = (status.st_dev, status.st_ino) if status.st_ino else None
    return ScannedFile(key, FileStatus((status.st_mtime_ns, status.st_size), identity))
