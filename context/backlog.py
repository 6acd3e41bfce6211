"""The files that wait for their facts: taken from the store where it has them, else parsed; nearest first.

For one thread. Knows neither how files are found nor how changes are noticed.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable

from context.facts_codec import FactsError, decode
from context.files import Files
from context.languages import is_manifest
from context.paths import folder_of, name_of
from context.source import NO_CONTENT, FileStatus, content_of, read_bytes, read_source
from context.store import FactsStore, StoredFile
from context.worker_pool import WorkerPool
from context.worker_process import Job, Parsed

BATCH = 256
"""Files between two looks at what the user opened or changed meanwhile; one transaction of the store."""
BREATH = 16
"""Files between two moments in which other threads may have the interpreter."""
RECENT_NS = 7 * 24 * 3600 * 1_000_000_000
"""What changed so recently is likely to be worked on."""


class Backlog:
    """What is still to be read, and one batch of that work at a time."""

    def __init__(
        self, files: Files, pool: WorkerPool, store: FactsStore, on_done: Callable[[], None]
    ) -> None:
        self._files = files
        self._pool = pool
        self._store = store
        self._on_done = on_done
        self._waiting: dict[str, str | None] = {}
        self._order: list[str] = []
        """The waiting ones, the next last."""
        self._ordered_for: frozenset[str] = frozenset()
        self._num_in_work = 0
        self.counts: Counter[str] = Counter()
        """Files dealt with, by what became of them; those `stored` and `parsed` have facts."""

    @property
    def is_empty(self) -> bool:
        """Whether `work` has nothing to do."""
        return not self._waiting

    @property
    def num_left(self) -> int:
        """Files not dealt with yet, those under work included."""
        return len(self._waiting) + self._num_in_work

    def want(self, keys: Iterable[str]) -> None:
        """The facts of files on disk."""
        self._waiting.update(dict.fromkeys(keys))
        self._order = []

    def want_buffer(self, key: str, text: str) -> None:
        """The facts of an open buffer."""
        self._waiting[key] = text
        self._order = []

    def work(self, is_stopped: Callable[[], bool]) -> None:
        """The nearest few files. What a stop leaves undone is forgotten."""
        jobs: list[Job] = []
        known: list[StoredFile] = []
        batch = self._next()
        for number, (key, text) in enumerate(batch, start=1):
            if is_stopped():
                return
            if text is not None or not self._is_read_here(key, known):
                jobs.append(Job(key, text))
            if number % BREATH == 0:
                time.sleep(0)
        self._store.save(known)
        self._parse(jobs)
        if len(batch) == BATCH:
            # What lives as long as the files do is hidden from the cycle collector, which stops every thread
            # while it looks at each object: a third of a second for 5,000 files.
            gc.freeze()
        if not self._waiting:
            self._pool.rest()
            self._files.refresh()  # here rather than at the next plan

    def _next(self) -> list[tuple[str, str | None]]:
        near = frozenset(map(folder_of, self._files.opened()))
        if not self._order or near != self._ordered_for:
            self._ordered_for = near
            now = time.time_ns()
            ranks = {key: _rank(key, self._files.status(key), near, now) for key in self._waiting}
            self._order = sorted(self._waiting, key=ranks.__getitem__, reverse=True)
        batch = self._order[: -BATCH - 1 : -1]
        del self._order[-BATCH:]
        self._num_in_work = len(batch)
        return [(key, self._waiting.pop(key)) for key in batch]

    def _is_read_here(self, key: str, known: list[StoredFile]) -> bool:
        """Whether a file needs no worker; what is to be stored of it goes to `known`."""
        status = self._files.status(key)
        if status is None:
            self._done("gone")
        elif is_manifest(name_of(key)):
            self._files.set_manifest(key, read_source(key))
            self._done("manifest")
        else:
            return self._is_stored(key, status, known)
        return True

    def _is_stored(self, key: str, status: FileStatus, known: list[StoredFile]) -> bool:
        encoded = self._store.find(key, status.stamp)
        if encoded is None:
            data = read_bytes(key)
            content = content_of(key, data) if data is not None else NO_CONTENT
            encoded = self._store.find_content(content)
            if encoded is not None:
                known.append(StoredFile(key, status.stamp, content, encoded))
        if encoded is None:
            return False
        try:
            facts = decode(encoded)
        except FactsError:
            return False
        self._files.store(key, facts)
        self._done("stored" if facts is not None else "binary")
        return True

    def _parse(self, jobs: list[Job]) -> None:
        known = []
        for parsed in self._pool.parse(jobs) if jobs else ():
            key, text = parsed.job.key, parsed.job.text
            self._files.store(key, parsed.facts, text)
            status = self._files.status(key)
            if text is None and status is not None and parsed.content != NO_CONTENT:
                known.append(StoredFile(key, status.stamp, parsed.content, parsed.encoded))
            self._done(_outcome(parsed))
        self._store.save(known)

    def _done(self, outcome: str) -> None:
        self.counts[outcome] += 1
        self._num_in_work -= 1
        self._on_done()


def _rank(key: str, status: FileStatus | None, near: frozenset[str], now: int) -> tuple[bool, int, int, str]:
    """Beside an open file first, then what changed lately, then what lies high in the tree."""
    changed = status.stamp[0] if status is not None else now
    return folder_of(key) not in near, -changed if changed > now - RECENT_NS else 0, key.count("/"), key


def _outcome(parsed: Parsed) -> str:
    if parsed.job.text is not None:
        return "buffer"
    if not parsed.encoded:
        return "failed"
    if parsed.content == NO_CONTENT:
        return "unreadable"
    return "parsed" if parsed.facts is not None else "binary"
