"""Parses files in other processes. Knows how to start, feed, replace and end workers; knows no index.

A file at which a worker dies is skipped and the worker replaced, a bounded number of times. Nothing of the
opened workspace can be imported there: `-P`, a working folder of Python's own, and our packages as the only
PYTHONPATH.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from context.symbols import FileFacts

MAX_DEATHS = 8
JOBS_PER_WORKER = 64
"""A further worker is started for each so many jobs: starting one costs as much as parsing 50 files."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One file to parse: its open buffer's text, or what is on disk."""

    key: str
    text: str | None = None


class WorkerDiedError(Exception):
    """The process ended before it answered."""


def worker_command() -> list[str]:
    """How a worker is started."""
    return [sys.executable, "-P", "-m", "context.worker"]


def worker_environment() -> dict[str, str]:
    """The parent's environment, with our packages as the only entry of PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONSAFEPATH"] = "1"
    return environment


class Worker:
    """One process, started at its first job."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def parse(self, job: Job) -> FileFacts | None:
        """The facts, or None for a file that cannot be read. Raises WorkerDiedError."""
        process = self._running()
        line = json.dumps({"key": job.key, "text": job.text}).encode("ascii") + b"\n"
        try:
            if process.stdin is None or process.stdout is None:
                raise WorkerDiedError
            process.stdin.write(line)
            process.stdin.flush()
            answer = process.stdout.readline()
            facts = json.loads(answer)
        except (OSError, ValueError) as error:
            self._end(process)
            raise WorkerDiedError from error
        return FileFacts.from_json(facts) if facts is not None else None

    def close(self) -> None:
        """Ends the process at once; a job under way raises WorkerDiedError."""
        with self._lock:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.kill()

    def release(self) -> None:
        """Closes the pipes, once no job is under way."""
        self.close()
        if self._process is not None:
            self._end(self._process)

    def _running(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_closed:
                raise WorkerDiedError
            if self._process is None:
                self._process = self._started()
            return self._process

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=sys.prefix,
                env=worker_environment(),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise WorkerDiedError from error

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # what was buffered for a dead process
        process.wait()
        with self._lock:
            self._process = None


class WorkerPool:
    """Some workers and the bound on how often they may die."""

    def __init__(self, max_workers: int, command: Sequence[str] | None = None) -> None:
        self._command = command or worker_command()
        self._workers = [Worker(self._command) for _ in range(max_workers)]
        self._deaths = 0
        self._is_closed = False

    def parse(self, jobs: Sequence[Job]) -> Generator[tuple[Job, FileFacts | None], None, None]:
        """Every job with its facts, as they come. None: unreadable, or a worker died of it."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[tuple[Job, FileFacts | None]] = queue.SimpleQueue()
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
            for worker in self._workers[1:count]:
                worker.release()
            self._workers[1:count] = [Worker(self._command) for _ in range(count - 1)]

    def close(self) -> None:
        """Ends all processes; jobs under way and waiting come back as None."""
        self._is_closed = True
        for worker in self._workers:
            worker.close()

    def release(self) -> None:
        """Closes the pipes as well, once `parse` has returned."""
        for worker in self._workers:
            worker.release()

    def _serve(
        self,
        worker: Worker,
        waiting: queue.SimpleQueue[Job],
        done: queue.SimpleQueue[tuple[Job, FileFacts | None]],
    ) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((job, self._parse_one(worker, job)))

    def _parse_one(self, worker: Worker, job: Job) -> FileFacts | None:
        if self._is_closed or self._deaths >= MAX_DEATHS:
            return None
        try:
            return worker.parse(job)
        except WorkerDiedError:
            self._deaths += 1
            if not self._is_closed:
                _log.warning("a parser died at %s: the file is skipped", job.key)
            return None


def _empty(waiting: queue.SimpleQueue[Job]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
