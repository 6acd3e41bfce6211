"""Keeps the files' state true in the background: one thread scans, asks the workers, then follows changes.

Knows no plan. Nothing that a file, a worker or a callback does ends the thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from context.files import Files
from context.ignore import IgnoreRules
from context.languages import language_of
from context.paths import is_within, name_of, slashes
from context.scan import scan
from context.source import MAX_BYTES, FileStatus, status_of
from context.watch import Watcher
from context.worker_pool import Job, WorkerPool

RESCAN_S = 5.0
"""How old the last look at the disk may be where nothing watches it."""

_log = logging.getLogger(__name__)


class Index:
    """Thread-safe. `start` and `close` once; the rest at any time, also before and after."""

    def __init__(
        self,
        roots: Sequence[str],
        rules: IgnoreRules,
        files: Files,
        pool: WorkerPool,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._roots = tuple(roots)
        self._rules = rules
        self._files = files
        self._pool = pool
        self._on_progress = on_progress
        self._changes: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._is_watched = False
        self._scanned_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the first build is done."""
        return self._ready.is_set()

    def start(self) -> None:
        """Builds in the background, then follows changes."""
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="ghostfill-index", daemon=True)
            self._thread.start()

    def wait_ready(self, timeout_s: float | None) -> bool:
        """Waits for the first build; one that was never started is not waited for."""
        return self._thread is not None and self._ready.wait(timeout_s)

    def close(self) -> None:
        """Ends thread, watcher and workers."""
        self._closing.set()
        self._changes.put(None)
        self._pool.close()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._pool.release()

    def changed(self, key: str) -> None:
        """A file or folder changed, came or went. An empty key means: anything may have."""
        if not self._closing.is_set():
            self._changes.put(key)

    def look_again_if_unwatched(self) -> None:
        """Asks for a new scan where nothing reports changes and the last is old. Returns at once."""
        if self.is_ready and not self._is_watched and time.monotonic() - self._scanned_at > RESCAN_S:
            self._scanned_at = time.monotonic()
            self.changed("")

    def _run(self) -> None:
        self._guarded(self._scan)
        self._ready.set()
        watcher = Watcher(self._roots, self._rules, self._on_file, self._on_folder)
        if not self._closing.is_set():
            self._is_watched = watcher.start()
            self._guarded(self._scan)  # what changed between the first scan and the watch
        while not self._closing.is_set():
            batch = self._next_changes()
            if batch and not self._closing.is_set():
                self._guarded(partial(self._follow, batch))
        watcher.stop()

    def _guarded(self, step: Callable[[], None]) -> None:
        """The room's one boundary: whatever goes wrong in a step, the index lives on."""
        try:
            step()
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a step of the index failed; it goes on without it")

    def _next_changes(self) -> set[str]:
        """The next change and all that already wait behind it."""
        batch = set()
        key = self._changes.get()
        while key is not None:
            batch.add(key)
            try:
                key = self._changes.get_nowait()
            except queue.Empty:
                break
        return batch

    def _on_file(self, path: str) -> None:
        if name_of(slashes(path)) == ".gitignore" or language_of(path) is not None:
            self.changed(slashes(path))

    def _on_folder(self, path: str) -> None:
        self.changed("")

    def _scan(self) -> None:
        self._rules.forget()
        found = scan(self._roots, self._rules, self._closing.is_set)
        changed = self._files.replace_all({file.key: file.status for file in found})
        self._scanned_at = time.monotonic()
        for key in self._files.opened():
            if self._rules.is_excluded(key):
                self._files.set_closed(key)
        self._parse([Job(key) for key in changed])

    def _follow(self, batch: set[str]) -> None:
        if any(self._is_about_folders(key) for key in batch):
            self._scan()
            return
        jobs = []
        for key in sorted(batch):
            text = self._files.long_buffer(key)
            if text is not None:
                jobs.append(Job(key, text))
            elif self._files.replace_one(key, self._status(key)):
                jobs.append(Job(key))
        self._parse(jobs)

    def _is_about_folders(self, key: str) -> bool:
        if not key or name_of(key) == ".gitignore":
            return True
        return language_of(key) is None and self._files.holds_folder(key)

    def _status(self, key: str) -> FileStatus | None:
        """The status of a file that we may read, else None."""
        is_ours = any(is_within(key, root) for root in self._roots) and language_of(key) is not None
        status = status_of(key) if is_ours else None
        if status is None or status.stamp[1] > MAX_BYTES or self._rules.is_excluded(key):
            return None
        return status

    def _parse(self, jobs: Sequence[Job]) -> None:
        for number, (job, facts) in enumerate(self._pool.parse(jobs) if jobs else (), start=1):
            self._files.store(job.key, facts, job.text)
            self._guarded(partial(self._report, number, len(jobs)))
        self._files.refresh()  # here rather than at the next plan

    def _report(self, number: int, total: int) -> None:
        if self._on_progress is not None and not self._ready.is_set() and not self._closing.is_set():
            self._on_progress(number, total)
