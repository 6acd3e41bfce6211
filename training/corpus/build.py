"""From a table of packages to a folder of clean repositories. Whole or not at all, package by package.

A package that was cleaned by the same pipeline is not cleaned again; what compares packages with each other
is done anew from kept signatures. So an interrupted run goes on, and the result is the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from engine.errors import GhostfillError
from training.corpus.crossing import Pair, crossed
from training.corpus.job import CleanedFolder, FromArchive, Job, Loader, Worker
from training.corpus.record import Record
from training.corpus.report import Report
from training.corpus.repository import SUFFIX, Repository
from training.corpus.unseen import Gathered
from training.sources.errors import NoSpaceError, SourceError, UnreachableError
from training.sources.registry import downloaded
from training.sources.table import Registry, Source

UNVERSIONED = "-unversioned"
"""Ends the key of a checkout whose commit is not known: it may have changed, and is cleaned each time."""
VERSION = 2
"""Raise it when a rule, a cut or the order changes: everything is then cleaned again."""
NUM_DOWNLOADS = 4
MAX_SILENCES = 3
"""Times that a registry may not answer before it is asked no more."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


class CorpusError(GhostfillError):
    """The corpus cannot be built as asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build."""

    work: Path
    table: Sequence[Source]
    """The whole table: it gives the precedence among near-duplicates."""
    chosen: Sequence[Source]
    """Those of it to download and clean in this run."""
    gathered: Gathered
    beside: Sequence[Loader] = ()
    """Checkouts and installed packages."""
    num_workers: int = 2

    @property
    def fingerprint(self) -> str:
        """Of the pipeline and of what every file is compared with."""
        digest = hashlib.sha256(f"{VERSION}".encode())
        for known in (self.gathered.unseen.benchmarks, self.gathered.unseen.packages):
            digest.update(known.grams.tobytes())
        return digest.hexdigest()[:16]


def build(plan: Plan, progress: Progress) -> Report:
    """Raises CorpusError, NoSpaceError, OSError; the report tells of packages that cannot be had or used."""
    for name in ("archives", "cleaned", "repositories"):
        (plan.work / name).mkdir(parents=True, exist_ok=True)
    folder = CleanedFolder(plan.work / "cleaned")
    crew = _Crew(plan, folder)
    crew.clean(progress)
    records, pairs = _compare(plan, folder, progress)
    told = plan.gathered.compared, plan.gathered.by_name_only
    report = Report(records, pairs, crew.missing, crew.refused, *told)
    _write_all(plan.work / "repositories", folder, records, progress)
    report.write(plan.work)
    return report


class _Crew:
    """Downloads and cleans what is not there yet, several packages at a time."""

    def __init__(self, plan: Plan, folder: CleanedFolder) -> None:
        self.missing: dict[str, str] = {}
        """By key, why a package of the table cannot be had or used."""
        self.refused: dict[str, str] = {}
        """The same for checkouts and installed packages."""
        self._plan = plan
        self._folder = folder
        self._fingerprint = plan.fingerprint
        self._silences: Counter[Registry] = Counter()

    def clean(self, progress: Progress) -> None:
        """A package that cannot be had or used is noted, not raised."""
        sources = [source for source in self._plan.chosen if not self._is_done(source.key)]
        beside = [loader for loader in self._plan.beside if not self._is_done(loader.key)]
        progress("packages", 0, len(sources) + len(beside))
        if not sources and not beside:
            return
        workers = self._workers()
        hands = ThreadPoolExecutor(NUM_DOWNLOADS + self._plan.num_workers)
        try:
            running = [hands.submit(self._from_table, source, workers) for source in sources]
            running += [hands.submit(self._from_beside, loader, workers) for loader in beside]
            for num_done, future in enumerate(as_completed(running), start=1):
                future.result()
                progress("packages", num_done, len(running))
        except BrokenProcessPool:
            raise CorpusError(
                "A worker was ended from outside, most likely for want of memory: free some, then run the "
                "same command again; it goes on from here."
            ) from None
        finally:
            workers.shutdown(cancel_futures=True)
            hands.shutdown(cancel_futures=True)

    def _is_done(self, key: str) -> bool:
        record = self._folder.record(key)
        return (
            record is not None and record.fingerprint == self._fingerprint and not key.endswith(UNVERSIONED)
        )

    def _workers(self) -> ProcessPoolExecutor:
        benchmarks, packages = (self._plan.work / name for name in ("benchmarks.npz", "held_out.npz"))
        self._plan.gathered.unseen.benchmarks.save(benchmarks)
        self._plan.gathered.unseen.packages.save(packages)
        return ProcessPoolExecutor(
            self._plan.num_workers,
            get_context("spawn"),
            initializer=Worker.start,
            initargs=(self._folder.folder, benchmarks, packages),
        )

    def _from_table(self, source: Source, workers: ProcessPoolExecutor) -> None:
        archives = self._plan.work / "archives"
        try:
            if self._silences[source.registry] >= MAX_SILENCES and not (archives / source.key).is_dir():
                raise UnreachableError(f"{source.registry} does not answer, and was not asked again.")
            loader = FromArchive(source, downloaded(source, archives))
            workers.submit(Worker.run, Job(loader, self._fingerprint, is_listed=True)).result()
        except NoSpaceError:
            raise
        except SourceError as error:
            self._silences[source.registry] += isinstance(error, UnreachableError)
            self.missing[source.key] = str(error)
            self._folder.forget(source.key)

    def _from_beside(self, loader: Loader, workers: ProcessPoolExecutor) -> None:
        try:
            workers.submit(Worker.run, Job(loader, self._fingerprint, is_listed=False)).result()
        except SourceError as error:
            self.refused[loader.key] = str(error)
            self._folder.forget(loader.key)


def _compare(plan: Plan, folder: CleanedFolder, progress: Progress) -> tuple[list[Record], list[Pair]]:
    """All that was cleaned by this pipeline, also by earlier runs, in the table's order."""
    progress("comparing", 0, 1)
    places = {source.key: place for place, source in enumerate(plan.table)}
    fingerprint = plan.fingerprint
    current = []
    for key in folder.all_keys():
        record = folder.record(key)
        if record is None or (record.is_listed and key not in places):
            folder.forget(key)
        elif record.fingerprint == fingerprint:
            current.append((places.get(key, len(places)), key, record))
    ordered = [record for *_, record in sorted(current, key=lambda row: row[:2])]
    found = crossed([(record, folder.signatures(record.key)) for record in ordered])
    progress("comparing", 1, 1)
    return found


def _write_all(
    repositories: Path, folder: CleanedFolder, records: Sequence[Record], progress: Progress
) -> None:
    wanted = {record.key: record for record in records if record.kept}
    for path in repositories.glob("*" + SUFFIX):
        if path.name.removesuffix(SUFFIX) not in wanted:
            path.unlink()
    for num_done, (key, record) in enumerate(wanted.items()):
        progress("writing", num_done, len(wanted))
        whole = folder.repository(key)
        paths = {kept.path for kept in record.kept}
        files = tuple(file for file in whole.files if file.path in paths)
        Repository(key, whole.licence, files).write(repositories)
    progress("writing", len(wanted), len(wanted))
