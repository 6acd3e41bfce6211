"""An index alone over a folder, with its parsing, scans and store in sight."""

import os
import sqlite3
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from context.files import Files
from context.ignore import IgnoreRules
from context.index import Index
from context.store import FactsStore
from context.worker_pool import WorkerPool
from context.worker_process import Job, Parsed

FILES = {"a.py": "def a(): ...\n", "b/c.ts": "export const c = 1\n", "b/d.go": "package d\n"}


class Lab:
    """An index alone over a folder, with the pool's jobs in sight."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.cache = cache
        self.parsed: list[str] = []
        self.manifests: dict[str, str | None] = {}
        self.progress: list[tuple[int, int]] = []
        self.scans = 0
        self._open: list[Index] = []

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def index(self, *, opened: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Index:
        lab = self
        roots = [str(self.root)]

        class SeenFiles(Files):
            def set_manifest(self, key: str, text: str | None) -> None:
                lab.manifests[key] = text
                super().set_manifest(key, text)

        class SeenPool(WorkerPool):
            def parse(self, jobs: Sequence[Job]) -> Generator[Parsed, None, None]:
                lab.parsed += [job.key[len(roots[0]) + 1 :] for job in jobs]
                return super().parse(jobs)

        class SeenRules(IgnoreRules):
            def forget(self) -> None:
                lab.scans += 1
                super().forget()

        self.files = SeenFiles(roots)
        for name in opened:
            self.files.set_open(f"{roots[0]}/{name}", "")
        on_progress = lambda done, total: self.progress.append((done, total))  # noqa: E731
        store = FactsStore(roots, self.cache)
        index = Index(roots, SeenRules(roots, exclude), self.files, SeenPool(2), on_progress, store)
        self._open.append(index)
        return index

    def build(self, **options: tuple[str, ...]) -> list[str]:
        """What had to be parsed."""
        self.parsed = []
        index = self.index(**options)
        index.build()
        index.close()
        return self.parsed

    def known(self) -> set[str]:
        """The files with facts."""
        with self.files.project("") as project:
            return {entry.path for entry in project.entries.values() if entry.facts is not None}

    def stored(self) -> set[str]:
        """The names in the database."""
        database = sqlite3.connect(self.cache / "facts.sqlite")
        try:
            found = {os.fsdecode(path) for (path,) in database.execute("SELECT path FROM files")}
        finally:
            database.close()
        return {path[len(str(self.root)) + 1 :] for path in found}

    def close(self) -> None:
        for index in self._open:
            index.close()


def age(root: Path, seconds: float = 1000.0) -> None:
    """Lets every file have been changed long ago."""
    then = time.time() - seconds
    for path in root.rglob("*"):
        os.utime(path, (then, then))
