"""Lists the files of a workspace that may be read, by one walk. Reads no file; follows no symbolic link.

A link's target is either listed under its own name or lies outside the workspace.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from context.ignore import IgnoreRules
from context.languages import is_manifest, language_of
from context.source import MAX_BYTES, FileStatus, regular

MAX_FILES = 50_000
MAX_FOLDERS = 50_000
MAX_ENTRIES = 100_000
"""Of one folder. A home folder opened by mistake must not keep us walking."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Listing:
    """What one walk found."""

    files: dict[str, FileStatus] = field(default_factory=dict)
    """Sources and manifests by key, folder by folder in order of name."""
    num_too_large: int = 0
    num_excluded: int = 0
    """Source files skipped by name: secrets, ignored, backups."""
    folders: dict[str, None] = field(default_factory=dict)
    """Folders looked into, a folder before those below it."""
    excluded_folders: list[str] = field(default_factory=list)
    """Folders not entered; what they hold is not counted."""
    num_odd: int = 0
    """Named like a source but no regular file: links, pipes, sockets, devices; or not ours to look at."""
    is_cut: bool = False
    """Whether the workspace was too large to be listed to its end."""


def is_listed(name: str) -> bool:
    """Whether a file of this name is of use to us."""
    return language_of(name) is not None or is_manifest(name)


def scan(roots: Sequence[str], rules: IgnoreRules, is_stopped: Callable[[], bool]) -> Listing:
    """Every readable source file and manifest once."""
    listing = Listing()
    stack = [(root, root) for root in reversed(roots)]
    while stack and not is_stopped():
        folder, root = stack.pop()
        if folder in listing.folders:
            continue
        if len(listing.folders) >= MAX_FOLDERS or len(listing.files) >= MAX_FILES:
            break
        listing.folders[folder] = None
        below = _look_into(listing, folder, root, rules)
        stack += [(key, root) for key in reversed(below)]
    listing.is_cut = len(listing.folders) >= MAX_FOLDERS or len(listing.files) >= MAX_FILES
    if listing.is_cut:
        _log.warning("the workspace is too large: indexed only the first %d files", len(listing.files))
    return listing


def _look_into(listing: Listing, folder: str, root: str, rules: IgnoreRules) -> list[str]:
    """Lists a folder's files; gives the folders in it that are to be entered."""
    below = []
    for entry in _entries(folder):
        key = f"{folder.rstrip('/')}/{entry.name}"
        if not _is_folder(entry):
            if is_listed(entry.name) and len(listing.files) < MAX_FILES:
                _list(listing, entry, key, rules.skips_file(key, root))
        elif rules.skips_folder(key, root):
            listing.excluded_folders.append(key)
        else:
            below.append(key)
    return below


def _list(listing: Listing, entry: os.DirEntry[str], key: str, is_excluded: bool) -> None:
    status = None if is_excluded else _status(entry)
    if is_excluded:
        listing.num_excluded += 1
    elif status is None:
        listing.num_odd += 1
    elif status.stamp[1] > MAX_BYTES:
        listing.num_too_large += 1
    else:
        listing.files[key] = status


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, MAX_ENTRIES), key=lambda entry: entry.name)
    except (OSError, ValueError):
        return []  # gone, not ours to read, or no possible name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _status(entry: os.DirEntry[str]) -> FileStatus | None:
    try:
        return regular(entry.stat(follow_symlinks=False))
    except OSError:
        return None
