"""Parses files in other processes. Knows how to feed and replace workers; knows no index and no store.

A file at which a worker dies is skipped and the worker replaced, until several die in a row.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Generator, Sequence

from context.worker_process import Job, Parsed, WorkerDiedError, WorkerProcess, worker_command

MAX_DEATHS = 8
"""Without an answer between them: then it is the machine, not a file."""
JOBS_PER_WORKER = 64
"""A further worker is started for each so many jobs: starting one costs as much as parsing 50 files."""
MAX_WORKERS = 4

_log = logging.getLogger(__name__)


class WorkerPool:
    """Some workers and the bound on how often they may die."""

    def __init__(self, max_workers: int | None = None, command: Sequence[str] | None = None) -> None:
        count = max_workers or max(1, min(MAX_WORKERS, (os.cpu_count() or 2) // 2))
        self._command = command or worker_command()
        self._workers = [WorkerProcess(self._command) for _ in range(count)]
        self._deaths = 0
        self._is_closed = False

    def parse(self, jobs: Sequence[Job]) -> Generator[Parsed, None, None]:
        """Every job with its facts, as they come."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[Parsed] = queue.SimpleQueue()
        count = max(1, min(len(self._workers), len(jobs) // JOBS_PER_WORKER))
        threads = [
            threading.Thread(
                target=self._serve, args=(worker, waiting, done), name="ghostfill-parse", daemon=True
            )
            for worker in self._workers[:count]
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in jobs:
                yield done.get()
        finally:
            _empty(waiting)  # if the caller left early; a worker must not serve two calls at once
            for thread in threads:
                thread.join()

    def rest(self) -> None:
        """Ends all processes but one: there is little to parse from now on."""
        for worker in self._workers[1:]:
            worker.release()
        if not self._is_closed:
            self._workers[1:] = [WorkerProcess(self._command) for _ in self._workers[1:]]

    def close(self) -> None:
        """Ends all processes; jobs under way and waiting come back without facts."""
        self._is_closed = True
        for worker in self._workers:
            worker.close()

    def release(self) -> None:
        """Closes the pipes as well, once `parse` has returned."""
        for worker in self._workers:
            worker.release()

    def _serve(
        self, worker: WorkerProcess, waiting: queue.SimpleQueue[Job], done: queue.SimpleQueue[Parsed]
    ) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            done.put(self._parse_one(worker, job))

    def _parse_one(self, worker: WorkerProcess, job: Job) -> Parsed:
        if self._is_closed or self._deaths >= MAX_DEATHS:
            return Parsed(job)
        try:
            parsed = worker.parse(job)
        except WorkerDiedError:
            self._deaths += 1
            if not self._is_closed:
                _log.warning("a parser died at %s: the file is skipped", job.key)
            return Parsed(job)
        self._deaths = 0
        return parsed


def _empty(waiting: queue.SimpleQueue[Job]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
