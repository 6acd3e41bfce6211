"""Tells which files of a workspace changed on disk. May see everything, something or nothing, and says
which.

Watches the largest subtrees without skipped folders recursively, the few folders above them alone: a
recursive watch on a root would also register every folder of node_modules. Knows no index.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from context.ignore import IgnoreRules

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

MAX_WATCHES = 64
"""Each watch is a thread."""
LEAF_FOLDERS = frozenset({"__pycache__"})
"""Skipped folders that hold no folders: watching them costs next to nothing."""

_CHANGES = frozenset({"created", "modified", "deleted", "moved", "closed"})
_log = logging.getLogger(__name__)


class Watcher:
    """Watches some roots. `on_file` gets files that changed, `on_folder` folders that came or went."""

    def __init__(
        self,
        roots: Sequence[str],
        rules: IgnoreRules,
        on_file: Callable[[str], None],
        on_folder: Callable[[str], None],
    ) -> None:
        self._roots = tuple(roots)
        self._rules = rules
        self._on_file = on_file
        self._on_folder = on_folder
        self._observer: BaseObserver | None = None

    def start(self) -> bool:
        """Whether all of the workspace is watched from now on. Never raises for what the system lacks."""
        watches = [watch for root in self._roots for watch in watched_folders(root, self._rules)]
        try:
            from watchdog.observers import Observer

            self._observer = Observer()
            self._schedule(watches[:MAX_WATCHES])
            self._observer.start()
        except (ImportError, OSError, RuntimeError) as error:
            _log.warning("file changes are not watched (%s): they are looked for at each plan", error)
            self.stop()
            return False
        return len(watches) <= MAX_WATCHES

    def stop(self) -> None:
        """Ends the watching threads."""
        observer, self._observer = self._observer, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=2)

    def _schedule(self, watches: Sequence[tuple[str, bool]]) -> None:
        from watchdog.events import FileSystemEventHandler

        on_event = self._on_event

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                on_event(event)

        handler = Handler()
        for folder, is_recursive in watches:
            if self._observer is not None:
                self._observer.schedule(handler, folder, recursive=is_recursive)

    def _on_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in _CHANGES:
            return  # our own reading opens files
        report = self._on_folder if event.is_directory else self._on_file
        if event.is_directory and event.event_type in ("modified", "closed"):
            return  # says only that something inside changed, which has an event of its own
        for path in (event.src_path, event.dest_path):
            if path:
                report(os.fsdecode(path))


def watched_folders(root: str, rules: IgnoreRules) -> list[tuple[str, bool]]:
    """What to watch: (folder, recursively)."""
    found, is_clean = _collect(root, root, rules)
    return [(root, True)] if is_clean else found


def _collect(
    folder: str, root: str, rules: IgnoreRules, depth: int = 0
) -> tuple[list[tuple[str, bool]], bool]:
    """Watches for a folder, and whether nothing below it is skipped."""
    try:
        names = sorted(
            entry.name for entry in Path(folder).iterdir() if entry.is_dir() and not entry.is_symlink()
        )
    except OSError:
        return [], True
    is_clean = True
    below: list[tuple[str, bool]] = []
    for name in names:
        key = f"{folder.rstrip('/')}/{name}"
        if rules.skips_folder(key, root):
            is_clean = is_clean and name in LEAF_FOLDERS
            continue
        watches, is_child_clean = _collect(key, root, rules, depth + 1) if depth < MAX_WATCHES else ([], True)
        below += [(key, True)] if is_child_clean else watches
        is_clean = is_clean and is_child_clean
    return [(folder, False), *below], is_clean
