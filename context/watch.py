"""Tells which files of a workspace changed on disk. May see everything, something or nothing, and says
which.

Watches the largest subtrees without skipped folders recursively, the few folders above them alone: a
recursive watch on a root would also register every folder of node_modules. Knows no index.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from context.paths import folder_of, name_of, slashes

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

MAX_WATCHES = 64
"""Each watch is a thread."""
LEAF_FOLDERS = frozenset({"__pycache__"})
"""Skipped folders that hold no folders: watching them costs next to nothing."""

Watch = tuple[str, bool]
"""A folder, and whether all below it is meant."""

_CHANGES = frozenset({"created", "modified", "deleted", "moved", "closed"})
_log = logging.getLogger(__name__)


class Watcher:
    """Reports to `on_file` the files that changed, to `on_folder` the folders that came or went.

    `watch` and `stop` are for one thread; the reports come from another.
    """

    def __init__(self, on_file: Callable[[str], None], on_folder: Callable[[str], None]) -> None:
        self._on_file = on_file
        self._on_folder = on_folder
        self._observer: BaseObserver | None = None
        self._watches: dict[Watch, ObservedWatch] = {}
        self._lost: set[str] = set()
        """Folders that went: the system forgets to watch them, even if they come again."""
        self._has_failed = False
        self.is_complete = False
        """Whether all that was asked for is watched."""

    def watch(self, wanted: Sequence[Watch]) -> bool:
        """Watches these from now on, and nothing else. Gives whether some are new, unseen so far.

        Never raises for what the system lacks: then nothing is watched, now and later.
        """
        if self._has_failed:
            return False
        chosen = wanted[:MAX_WATCHES]
        gone = [watch for watch in self._watches if watch not in chosen or watch[0] in self._lost]
        new = [watch for watch in chosen if watch not in self._watches or watch in gone]
        self._lost -= {folder for folder, _ in gone}
        try:
            self._replace(gone, new)
        except (ImportError, OSError, RuntimeError) as error:
            _log.warning("file changes are not watched (%s): they are looked for at each plan", error)
            self._has_failed = True
            self.stop()
            return False
        self.is_complete = len(wanted) <= MAX_WATCHES
        return bool(new)

    def stop(self) -> None:
        """Ends the watching threads."""
        observer, self._observer = self._observer, None
        self._watches = {}
        self.is_complete = False
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=2)

    def _replace(self, gone: Sequence[Watch], new: Sequence[Watch]) -> None:
        observer = self._observer = self._observer or _observer()
        handler = _handler(self._on_event)
        for each in gone:
            observer.unschedule(self._watches.pop(each))
        for folder, is_recursive in new:
            try:
                watch = observer.schedule(handler, folder, recursive=is_recursive)
                self._watches[folder, is_recursive] = watch
            except FileNotFoundError:
                self._lost.add(folder)  # gone since it was listed

    def _on_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _CHANGES:
            return  # our own reading opens files
        source, target = slashes(os.fsdecode(event.src_path)), slashes(os.fsdecode(event.dest_path))
        if not event.is_directory:
            for path in (source, target):
                if path:
                    self._on_file(path)
        elif event.event_type in ("created", "deleted", "moved"):  # else it tells of a change inside
            if event.event_type != "created":
                self._lost.add(source)
            for path in (source, target):
                if path and name_of(path) not in LEAF_FOLDERS:
                    self._on_folder(path)


def watched_folders(folders: Iterable[str], excluded: Iterable[str]) -> list[Watch]:
    """What to watch, to see all of some folders and nothing of those excluded below them."""
    known = dict.fromkeys(folders)
    mixed: set[str] = set()
    """Folders with an excluded one somewhere below."""
    for key in excluded:
        above = folder_of(key) if name_of(key) not in LEAF_FOLDERS else ""
        while above in known and above not in mixed:
            mixed.add(above)
            above = folder_of(above)
    whole = known.keys() - mixed
    return [(key, key in whole) for key in known if key in mixed or folder_of(key) not in whole]


def _observer() -> BaseObserver:
    from watchdog.observers import Observer

    # it calls it an error that a watch ends while an event is on its way
    logging.getLogger("watchdog.observers").setLevel(logging.CRITICAL)
    observer = Observer()
    observer.start()
    return observer


def _handler(on_event: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            on_event(event)

    return Handler()
