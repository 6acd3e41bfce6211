"""What is known of every file: on disk, in a buffer, and the project made of both. Thread-safe; starts no
thread.

Buffers win over the disk. They are parsed when a plan needs them, so that a keystroke costs nothing here;
the facts of files on disk are brought by the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from context.extract import extract
from context.graph import dependency_order
from context.languages import is_manifest, language_of
from context.paths import folder_of, identity_of, is_within, name_of, relative_to
from context.project import Entry, Project
from context.source import MAX_BYTES, FileStatus, normalize, read_source
from context.symbols import FileFacts

MAX_PARSED_HERE = 256_000
"""Characters of a buffer parsed in this process; a longer one is for a worker."""
SETTLED_AT_ONCE = 100
"""Files whose imports are resolved before a waiting plan may go on: a few milliseconds."""
MAX_SETTLED_FOR_PLAN = 500
"""More come only while the index is built."""


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
    """The files of one workspace and the open buffers.

    Two locks, so that an editor's change never waits for a plan: one for buffers' texts, one for all that is
    derived. Where both are taken, the latter comes first.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple(roots)
        self._lock = threading.RLock()
        self._buffer_lock = threading.Lock()
        self._disk: dict[str, _OnDisk] = {}
        self._buffers: dict[str, _Buffer] = {}
        self._num_opened = 0
        self._changed_buffers: set[str] = set()
        self._project = Project(self._roots)
        self.words = self._project.words
        """Only to be asked within `project`."""

    def set_open(self, key: str, text: str) -> None:
        """Remembers a buffer's text."""
        with self._buffer_lock:
            old = self._buffers.get(key)
            if old is None:
                self._num_opened += 1
                self._buffers[key] = _Buffer(text, self._num_opened)
            elif old.text != text:
                self._buffers[key] = replace(old, text=text, is_parsed=False)
            self._changed_buffers.add(key)

    def set_closed(self, key: str) -> None:
        """The disk speaks for the file again."""
        with self._buffer_lock:
            self._buffers.pop(key, None)
            self._changed_buffers.add(key)

    def opened(self) -> list[str]:
        """Open files, the most recently opened first."""
        with self._buffer_lock:
            return sorted(self._buffers, key=lambda key: -self._buffers[key].position)

    def is_open(self, key: str) -> bool:
        """Whether a buffer stands for the file."""
        with self._buffer_lock:
            return key in self._buffers

    def long_buffer(self, key: str) -> str | None:
        """The text of a buffer that a worker must parse."""
        with self._buffer_lock:
            buffer = self._buffers.get(key)
            return buffer.text[:MAX_BYTES] if buffer and len(buffer.text) > MAX_PARSED_HERE else None

    def text(self, key: str) -> str:
        """A file's text as it is now, or an empty string."""
        with self._buffer_lock:
            buffer = self._buffers.get(key)
        if buffer is not None:
            return normalize(buffer.text) if len(buffer.text) <= MAX_BYTES else ""
        return read_source(key) or ""

    def stamp(self, key: str) -> object:
        """Changes whenever `text` does, as far as buffers and the index have noticed."""
        with self._buffer_lock:
            buffer = self._buffers.get(key)
        if buffer is not None:
            return buffer.text
        file = self._disk.get(key)
        return file.status.stamp if file else None

    def status(self, key: str) -> FileStatus | None:
        """What the index last saw of a file on disk."""
        file = self._disk.get(key)
        return file.status if file else None

    def holds_folder(self, key: str) -> bool:
        """Whether some known file is below it."""
        with self._lock:
            return any(is_within(folder_of(known), key) for known in self._disk)

    def replace_all(self, found: Mapping[str, FileStatus]) -> list[str]:
        """The disk after a scan. Gives the files that must be parsed or read, in the order of `found`."""
        with self._lock:
            for key in self._disk.keys() - found.keys():
                self._forget(key)
            return [key for key, status in found.items() if self._note(key, status)]

    def replace_one(self, key: str, status: FileStatus | None) -> bool:
        """One file as it is now, None if it is gone. Whether it must be parsed or read."""
        with self._lock:
            if status is None:
                self._forget(key)
                return False
            return self._note(key, status)

    def store(self, key: str, facts: FileFacts | None, buffer_text: str | None = None) -> None:
        """What a worker found on disk, or in a long buffer's text."""
        with self._lock:
            if buffer_text is None and key in self._disk:
                self._disk[key] = replace(self._disk[key], facts=facts, is_parsed=True)
            elif buffer_text is not None:
                with self._buffer_lock:
                    buffer = self._buffers.get(key)
                    if buffer is not None and buffer.text[:MAX_BYTES] == buffer_text:
                        self._buffers[key] = replace(buffer, facts=facts, is_parsed=True)
            self._publish(key)

    def set_manifest(self, key: str, text: str | None) -> None:
        """What a manifest says; None if it cannot be read."""
        with self._lock:
            if key in self._disk:
                self._disk[key] = replace(self._disk[key], is_parsed=True)
                self._project.graph.set_manifest(key, text)

    @contextmanager
    def project(self, current: str) -> Iterator[Project]:
        """All files as they are now, which stay so within the context.

        `current` is not parsed: it changes with every keystroke. The global order may be that of before the
        last change of imports, until `refresh`.
        """
        with self._lock:
            for key in self._take_changed():
                buffer = self._buffers.get(key)
                if buffer is not None and not buffer.is_parsed:
                    if key == current:
                        with self._buffer_lock:
                            self._changed_buffers.add(key)
                    elif len(buffer.text) <= MAX_PARSED_HERE:
                        self._parse_buffer(key, buffer)
                self._publish(key)
            self._project.graph.settle(MAX_SETTLED_FOR_PLAN)
            yield self._project

    def refresh(self) -> None:
        """Brings all that is derived up to date, the order too, letting plans through. Parses no buffer."""
        is_settled = False
        while not is_settled:
            with self._lock:
                is_settled = self._project.graph.settle(SETTLED_AT_ONCE)
            time.sleep(0)
        with self._lock:
            is_stale = self._project.graph.is_order_stale
            edges = self._project.graph.edges_to_order()
        if is_stale:
            order = dependency_order(edges, edges)
            with self._lock:
                self._project.graph.take_order(edges, order)

    def _take_changed(self) -> set[str]:
        with self._buffer_lock:
            changed, self._changed_buffers = self._changed_buffers, set()
            return changed

    def _parse_buffer(self, key: str, buffer: _Buffer) -> None:
        row = language_of(key)
        facts = extract(normalize(buffer.text), row) if row is not None else None
        with self._buffer_lock:
            now = self._buffers.get(key)
            if now is not None and now.text is buffer.text:
                self._buffers[key] = replace(now, facts=facts, is_parsed=True)

    def _publish(self, key: str) -> None:
        """Makes the project's entry of one file that of its buffer or of the disk."""
        file, buffer = self._disk.get(key), self._buffers.get(key)
        if (file is None and buffer is None) or language_of(key) is None:
            self._project.drop(key)
            return
        facts = file.facts if file is not None else None
        if buffer is not None and (buffer.is_parsed or buffer.facts is not None):
            facts = buffer.facts
        identity = file.status.identity if file is not None else identity_of(key)
        self._project.put(key, Entry(self._path(key), identity, facts))

    def _note(self, key: str, status: FileStatus) -> bool:
        """Whether what we know of a file is not of this status."""
        old = self._disk.get(key)
        is_wanted = self.is_parsed_kind(key)
        if old is not None and old.status.stamp == status.stamp and (old.is_parsed or not is_wanted):
            return False
        self._disk[key] = _OnDisk(status, old.facts if old else None)
        self._publish(key)
        return is_wanted

    def _forget(self, key: str) -> None:
        if self._disk.pop(key, None) is not None:
            self._project.graph.set_manifest(key, None)
            self._publish(key)

    def _path(self, key: str) -> str:
        return relative_to(key, self._roots) or name_of(key)

    @staticmethod
    def is_parsed_kind(key: str) -> bool:
        """Whether the index has something to read in a file of this name."""
        return language_of(key) is not None or is_manifest(name_of(key))
