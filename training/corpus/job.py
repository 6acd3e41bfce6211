"""Makes one package's clean repository and keeps it in the work folder; runs in a process of its own.

What is kept of a package: `cleaned/<key>.jsonl.gz`, its signatures beside it, and the record, which is
written last and says that the others are whole.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.corpus.clean import Unseen, cleaned
from training.corpus.known_text import KnownText
from training.corpus.record import Kept, Record
from training.corpus.repository import SUFFIX, Repository
from training.sources.licence import checked_licence, refused_files
from training.sources.package import Package
from training.sources.table import Source
from training.sources.unpack import unpacked


@dataclass(frozen=True, slots=True)
class CleanedFolder:
    """Where clean repositories wait to be compared with each other."""

    folder: Path

    def record(self, key: str) -> Record | None:
        """What became of a package, if it was cleaned."""
        return Record.read(self.folder / f"{key}.json")

    def all_keys(self) -> list[str]:
        """All that were cleaned."""
        return sorted(path.name.removesuffix(".json") for path in self.folder.glob("*.json"))

    def repository(self, key: str) -> Repository:
        """Raises OSError."""
        return Repository.read(self.folder / (key + SUFFIX))

    def signatures(self, key: str) -> npt.NDArray[np.uint32]:
        """One row per kept file; raises OSError."""
        return np.asarray(np.load(self.folder / f"{key}.npy"), np.uint32)

    def keep(self, repository: Repository, signatures: npt.NDArray[np.uint32], record: Record) -> None:
        """Raises OSError."""
        self.forget(repository.key)
        repository.write(self.folder)
        partial = self.folder / f"{repository.key}.{os.getpid()}.partial.npy"
        try:
            np.save(partial, signatures)
            partial.replace(self.folder / f"{repository.key}.npy")
        finally:
            partial.unlink(missing_ok=True)
        record.write(self.folder / f"{repository.key}.json")

    def forget(self, key: str) -> None:
        """Raises OSError."""
        for suffix in (".json", ".npy", SUFFIX):
            (self.folder / (key + suffix)).unlink(missing_ok=True)


class Loader(Protocol):
    """Where a package comes from; it travels to another process."""

    @property
    def key(self) -> str:
        """Names its files in the work folder."""

    @property
    def language(self) -> str:
        """Its main language."""

    def __call__(self) -> tuple[str, Package]:
        """Its licence and files; raises SourceError."""


@dataclass(frozen=True, slots=True)
class FromArchive:
    """Loads a package of the table."""

    source: Source
    archive: Path

    @property
    def key(self) -> str:
        """The source's."""
        return self.source.key

    @property
    def language(self) -> str:
        """The source's."""
        return self.source.language

    def __call__(self) -> tuple[str, Package]:
        """Raises SourceError."""
        package = unpacked(self.archive, self.source)
        return checked_licence(self.source, package), package


@dataclass(frozen=True, slots=True)
class Job:
    """One package to clean."""

    load: Loader
    fingerprint: str
    is_listed: bool


def run(job: Job, folder: CleanedFolder, unseen: Unseen) -> None:
    """Raises SourceError, OSError."""
    licence, package = job.load()
    found = cleaned(package.files, unseen, refused_files(package))
    key = job.load.key
    record = Record(
        key,
        job.load.language,
        licence,
        job.fingerprint,
        tuple(Kept(file.path, file.language, len(file.text)) for file in found.files),
        found.dropped,
        job.is_listed,
    )
    folder.keep(Repository(key, licence, found.files), found.signatures, record)


class Worker:
    """A process's own copy of what every job is compared with."""

    folder: CleanedFolder
    unseen: Unseen

    @classmethod
    def start(cls, folder: Path, benchmarks: Path, packages: Path) -> None:
        """Ctrl-C is for the parent, which then asks for no more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        cls.folder = CleanedFolder(folder)
        cls.unseen = Unseen(KnownText.load(benchmarks), KnownText.load(packages))

    @classmethod
    def run(cls, job: Job) -> None:
        """Raises SourceError, OSError."""
        run(job, cls.folder, cls.unseen)


def _end_with_parent() -> None:
    """A pool's process would wait for ever for work from a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
