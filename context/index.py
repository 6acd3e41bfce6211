"""Keeps the files' state true in the background: one thread scans, reads, then follows changes.

Knows no plan. Nothing that a file, a worker, the store or a callback does ends the thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from context.backlog import Backlog
from context.change_queue import ChangeQueue
from context.files import Files
from context.ignore import IgnoreRules
from context.paths import is_within, name_of
from context.scan import Listing, is_listed, scan
from context.source import MAX_BYTES, FileStatus, status_of
from context.store import FactsStore
from context.watch import Watcher, watched_folders
from context.worker_pool import WorkerPool

RESCAN_S = 5.0
"""How old the last look at the disk may be where nothing watches it."""
MAX_STEPS = 200
"""Changes followed one by one; after more at once, as by a checkout, the whole disk is looked at."""

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
        store: FactsStore | None = None,
    ) -> None:
        self._roots = tuple(roots)
        self._rules = rules
        self._files = files
        self._pool = pool
        self._on_progress = on_progress
        self._store = store or FactsStore(roots)
        self._backlog = Backlog(files, pool, self._store, self._report)
        self._listing = Listing()
        self._is_listing_new = False
        """Whether what is watched must be thought over."""
        self._is_prunable = False
        """Whether the store may hold files that the listing lacks."""
        self._watcher = Watcher(self._on_file, self._on_folder)
        self._changes = ChangeQueue()
        self._ready = threading.Event()
        self._closing = threading.Event()
        self._is_watched = False
        self._scanned_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the first build is done."""
        return self._ready.is_set()

    @property
    def listing(self) -> Listing:
        """What the last scan found."""
        return self._listing

    @property
    def counts(self) -> Counter[str]:
        """What became of the files, as `Backlog.counts`."""
        return self._backlog.counts

    def start(self) -> None:
        """Builds in the background, then follows changes."""
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="ghostfill-index", daemon=True)
            self._thread.start()

    def build(self) -> None:
        """The first build alone, in this thread; instead of `start`."""
        self._store.open()
        try:
            self._scan()
            while not self._backlog.is_empty and not self._closing.is_set():
                self._guarded(partial(self._backlog.work, self._closing.is_set))
            self._prune()
        finally:
            self._store.close()
        self._ready.set()

    def wait_ready(self, timeout_s: float | None) -> bool:
        """Waits for the first build; one that was never started is not waited for."""
        return self._thread is not None and self._ready.wait(timeout_s)

    def close(self) -> None:
        """Ends thread, watcher and workers."""
        self._closing.set()
        self._changes.close()
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
        self._guarded(self._store.open)
        self._guarded(self._scan)
        while not self._closing.is_set():
            if not self._backlog.is_empty:
                self._guarded(partial(self._backlog.work, self._closing.is_set))
            if self._backlog.is_empty:
                self._guarded(self._settle)
            batch = self._changes.take(is_waiting=self._backlog.is_empty)
            if batch and not self._closing.is_set():
                self._guarded(partial(self._follow, batch))
        self._watcher.stop()
        self._guarded(self._prune)
        self._store.close()

    def _guarded(self, step: Callable[[], None]) -> None:
        """The room's one boundary: whatever goes wrong in a step, the index lives on."""
        try:
            step()
        except Exception:  # noqa: BLE001 - see above
            _log.exception("a step of the index failed; it goes on without it")

    def _scan(self) -> None:
        self._rules.forget()
        listing = scan(self._roots, self._rules, self._closing.is_set)
        if self._closing.is_set():
            return  # not all of it was seen
        self._listing = listing
        self._is_listing_new = self._is_prunable = True
        wanted = self._files.replace_all(listing.files)
        self._scanned_at = time.monotonic()
        for key in self._files.opened():
            if self._rules.is_excluded(key):
                self._files.set_closed(key)
        self._backlog.want(wanted)

    def _settle(self) -> None:
        """What is due once all files of a scan have been read."""
        self._ready.set()
        self._prune()
        if not self._is_listing_new:
            return
        self._is_listing_new = False
        watches = watched_folders(self._listing.folders, self._listing.excluded_folders)
        if self._watcher.watch(watches):
            self.changed("")  # what changed before it was watched
        self._is_watched = self._watcher.is_complete and not self._listing.is_cut

    def _prune(self) -> None:
        """Not before the build: a file that was renamed is found again by its content."""
        if self._is_prunable:
            self._is_prunable = False
            self._store.keep_only(self._listing.files)

    def _follow(self, batch: set[str]) -> None:
        if len(batch) > MAX_STEPS or _has_case_twins(batch) or any(map(self._is_about_folders, batch)):
            self._scan()
            return
        for key in sorted(batch):
            text = self._files.long_buffer(key)
            if text is not None:
                self._backlog.want_buffer(key, text)
            elif self._files.replace_one(key, self._status(key)):
                self._backlog.want([key])
        self._files.refresh()

    def _is_about_folders(self, key: str) -> bool:
        if not key or name_of(key) == ".gitignore":
            return True
        if status_of(key) is not None:
            return False
        return _is_folder(key) or self._files.holds_folder(key)

    def _status(self, key: str) -> FileStatus | None:
        """The status of a file that we may read, else None."""
        is_ours = any(is_within(key, root) for root in self._roots) and is_listed(name_of(key))
        status = status_of(key) if is_ours else None
        if status is None or status.stamp[1] > MAX_BYTES or self._rules.is_excluded(key):
            return None
        return status

    def _on_file(self, key: str) -> None:
        if name_of(key) == ".gitignore" or is_listed(name_of(key)):
            self.changed(key)

    def _on_folder(self, _: str) -> None:
        self.changed("")

    def _report(self) -> None:
        if self._on_progress is not None and not self._ready.is_set() and not self._closing.is_set():
            done = self.counts.total()
            self._guarded(partial(self._on_progress, done, done + self._backlog.num_left))


def _is_folder(key: str) -> bool:
    try:
        return Path(key).is_dir()
    except (OSError, ValueError):
        return False


def _has_case_twins(batch: set[str]) -> bool:
    """A file renamed in case alone is still found under its old name on many systems."""
    return len({key.casefold() for key in batch}) < len(batch)
