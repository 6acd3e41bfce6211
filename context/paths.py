"""How files are named here: keys, identities, workspace-relative names. Opens no file.

A *key* is the absolute real path with forward slashes: every symbolic link to a file has the same key.
An *identity* (device, inode) also sees through hard links and case-insensitive file systems.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

Identity = tuple[int, int]

_COPY_MARK = (
    r"(?:[._-](?:orig|bak|backup|old|base|local|remote|rej|checkpoint|copy|tmp)(?:[._-]?\d+)?"
    r"|~| copy(?: \d+)?| \(\d+\))"
)


def key_of(path: str | Path) -> str:
    """The key of a path; never raises, not even for loops or NUL characters."""
    text = os.fspath(path)
    try:
        text = os.path.realpath(text)
    except (OSError, ValueError):
        text = os.path.normpath(text)
    return slashes(text)


def lexical_key(path: str | Path) -> str:
    """Like a key, but symbolic links stay as they are written."""
    text = os.fspath(path)
    return slashes(os.path.normpath(text if Path(text).is_absolute() else f"{_cwd()}/{text}"))


def identity_of(path: str | Path) -> Identity | None:
    """Device and inode, or None where there is no such file or the system has no inodes."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a key need not be a valid Path on every system
    except (OSError, ValueError):
        return None
    return (status.st_dev, status.st_ino) if status.st_ino else None


def slashes(path: str) -> str:
    """The path with forward slashes, whatever the system writes."""
    return path.replace(os.sep, "/") if os.sep != "/" else path


def folder_of(key: str) -> str:
    """The key of the folder that holds a file."""
    return key.rpartition("/")[0]


def name_of(key: str) -> str:
    """The last part of a key."""
    return key.rpartition("/")[2]


def is_within(key: str, folder: str) -> bool:
    """Whether `key` is the folder or below it."""
    return key == folder or key.startswith(folder.rstrip("/") + "/")


def relative_to(key: str, roots: Sequence[str]) -> str | None:
    """The name below the innermost root, or None for a file outside every root."""
    inside = [root for root in roots if is_within(key, root) and key != root]
    if not inside:
        return None
    return key[len(max(inside, key=len).rstrip("/")) + 1 :]


def is_twin(key: str, other: str) -> bool:
    """Whether `key` is named like `other`, in any case, or like a backup of it in the same folder."""
    if folder_of(key).casefold() != folder_of(other).casefold():
        return False
    stem, dot, extension = name_of(other).rpartition(".")
    if not dot or not stem:
        stem, dot, extension = name_of(other), "", ""
    pattern = rf"[.#]*{re.escape(stem)}{_COPY_MARK}*{re.escape(dot + extension)}{_COPY_MARK}*#?(?:\.sw[a-p])?"
    return re.fullmatch(pattern, name_of(key), re.IGNORECASE) is not None


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - Path.cwd() is the same call with one more object
    except OSError:
        return ""
