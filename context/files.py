"""What is known of every file: on disk, in a buffer, and the project made of both. Thread-safe; starts no
thread.

Buffers win over the disk. They are parsed when a plan needs them, so that a keystroke costs nothing here;
the facts of files on disk are brought by the index.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from context.languages import language_of
from context.parse import extract
from context.paths import folder_of, identity_of, is_within, name_of, relative_to
from context.project import Entry, Project
from context.source import MAX_BYTES, FileStatus, normalize, read_source
from context.symbols import FileFacts

MAX_PARSED_HERE = 256_000
"""Characters of a buffer parsed in this process; a longer one is for a worker."""


@dataclass(frozen=True, slots=True)
class _OnDisk:
    status: FileStatus
    facts: FileFacts | None = None
    is_parsed: bool = False
    """Whether the facts, or their absence, are those of the status."""


@dataclass(frozen=True, slots=True)
class _Buffer:
    text: str
    position: int
    """Grows with each file opened."""
    facts: FileFacts | None = None
    is_parsed: bool = False


class Files:
    """The files of one workspace and the open buffers."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple(roots)
        self._lock = threading.RLock()
        self._disk: dict[str, _OnDisk] = {}
        self._buffers: dict[str, _Buffer] = {}
        self._num_opened = 0
        self._project = Project({}, self._roots)
        self._is_stale = False

    def set_open(self, key: str, text: str) -> None:
        """Remembers a buffer's text."""
        with self._lock:
            old = self._buffers.get(key)
            if old is None:
                self._num_opened += 1
                self._buffers[key] = _Buffer(text, self._num_opened)
            elif old.text != text:
                self._buffers[key] = replace(old, text=text, is_parsed=False)

    def set_closed(self, key: str) -> None:
        """The disk speaks for the file again."""
        with self._lock:
            self._is_stale |= self._buffers.pop(key, None) is not None

    def opened(self) -> list[str]:
        """Open files, the most recently opened first."""
        with self._lock:
            return sorted(self._buffers, key=lambda key: -self._buffers[key].position)

    def is_open(self, key: str) -> bool:
        """Whether a buffer stands for the file."""
        with self._lock:
            return key in self._buffers

    def long_buffer(self, key: str) -> str | None:
        """The text of a buffer that a worker must parse."""
        with self._lock:
            buffer = self._buffers.get(key)
            return buffer.text[:MAX_BYTES] if buffer and len(buffer.text) > MAX_PARSED_HERE else None

    def text(self, key: str) -> str:
        """A file's text as it is now, or an empty string."""
        with self._lock:
            buffer = self._buffers.get(key)
        if buffer is not None:
            return normalize(buffer.text) if len(buffer.text) <= MAX_BYTES else ""
        return read_source(key) or ""

    def holds_folder(self, key: str) -> bool:
        """Whether some known file is below it."""
        with self._lock:
            return any(is_within(folder_of(known), key) for known in self._disk)

    def replace_all(self, found: Mapping[str, FileStatus]) -> list[str]:
        """The disk after a scan. Gives the files that must be parsed, near the open ones first."""
        with self._lock:
            is_same_set = self._disk.keys() == found.keys()
            changed = [key for key, status in found.items() if self._note(key, status)]
            self._disk = {key: self._disk[key] for key in found}
            self._is_stale = self._is_stale or bool(changed) or not is_same_set
            near = {folder_of(key) for key in self._buffers}
        return sorted((key for key in changed if is_python(key)), key=lambda key: folder_of(key) not in near)

    def replace_one(self, key: str, status: FileStatus | None) -> bool:
        """One file as it is now, None if it is gone. Whether it must be parsed."""
        with self._lock:
            if status is None:
                self._is_stale |= self._disk.pop(key, None) is not None
                return False
            is_new = self._note(key, status)
            self._is_stale |= is_new
            return is_new and is_python(key)

    def store(self, key: str, facts: FileFacts | None, buffer_text: str | None = None) -> None:
        """What a worker found on disk, or in a long buffer's text."""
        with self._lock:
            buffer = self._buffers.get(key)
            if buffer_text is None and key in self._disk:
                self._disk[key] = replace(self._disk[key], facts=facts, is_parsed=True)
            elif buffer_text is not None and buffer is not None and buffer.text[:MAX_BYTES] == buffer_text:
                self._buffers[key] = replace(buffer, facts=facts, is_parsed=True)
            self._is_stale = True

    def project(self, current: str) -> Project:
        """All files as they are now. `current` is not parsed: it changes with every keystroke."""
        with self._lock:
            for key, buffer in list(self._buffers.items()):
                if key != current and not buffer.is_parsed and len(buffer.text) <= MAX_PARSED_HERE:
                    facts = extract(normalize(buffer.text)) if is_python(key) else None
                    self._buffers[key] = replace(buffer, facts=facts, is_parsed=True)
                    self._is_stale |= facts != buffer.facts or key not in self._project.entries
            return self.refresh()

    def refresh(self) -> Project:
        """The project, made anew if something changed; no buffer is parsed."""
        with self._lock:
            if self._is_stale:
                self._project = Project(self._entries(), self._roots, self._project)
                self._is_stale = False
            return self._project

    def _note(self, key: str, status: FileStatus) -> bool:
        """Whether what we know of a file is not of this status."""
        old = self._disk.get(key)
        if old is not None and old.status.stamp == status.stamp and (old.is_parsed or not is_python(key)):
            return False
        self._disk[key] = _OnDisk(status, old.facts if old else None)
        return True

    def _entries(self) -> dict[str, Entry]:
        entries = {
            key: Entry(self._path(key), file.status.identity, file.facts) for key, file in self._disk.items()
        }
        for key, buffer in self._buffers.items():
            below = entries.get(key)
            is_known = buffer.is_parsed or buffer.facts is not None or below is None
            facts = buffer.facts if is_known or below is None else below.facts
            entries[key] = Entry(self._path(key), below.identity if below else identity_of(key), facts)
        return entries

    def _path(self, key: str) -> str:
        return relative_to(key, self._roots) or name_of(key)


def is_python(key: str) -> bool:
    """Whether we know how to find a file's facts."""
    row = language_of(key)
    return row is not None and row.id == "python"
