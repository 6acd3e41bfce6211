"""One parsing process seen from its parent: jobs go in, facts come out. Knows no pool.

Nothing of the opened workspace can be imported there: `-P`, a working folder of Python's own, and our
packages as the only PYTHONPATH.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from context.source import CONTENT_BYTES, NO_CONTENT
from context.symbols import FileFacts

MAX_ANSWER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """One file to parse: its open buffer's text, or what is on disk."""

    key: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a job; without `encoded` the worker died of it."""

    job: Job
    facts: FileFacts | None = None
    """None for a file that is binary or cannot be read, too."""
    encoded: bytes = b""
    """The facts as they came through the pipe."""
    content: bytes = NO_CONTENT
    """Digest of the bytes read from disk, for which the facts hold."""


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


class WorkerProcess:
    """One process, started at its first job and again after its death."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def parse(self, job: Job) -> Parsed:
        """The job's facts. Raises WorkerDiedError."""
        from context.facts_codec import FactsError, decode

        process = self._running()
        line = json.dumps({"key": job.key, "text": job.text}).encode("ascii") + b"\n"
        try:
            if process.stdin is None or process.stdout is None:
                raise WorkerDiedError
            process.stdin.write(line)
            process.stdin.flush()
            answer = _answer(process.stdout)
            encoded = answer[CONTENT_BYTES:]
            return Parsed(job, decode(encoded), encoded, answer[:CONTENT_BYTES])
        except (OSError, ValueError, FactsError) as error:
            self._end(process)
            raise WorkerDiedError from error

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
                creationflags=_window_flags(),
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


def _answer(pipe: IO[bytes]) -> bytes:
    """The next answer; raises ValueError if none comes, or none that a worker of ours would give."""
    length = int.from_bytes(_exactly(pipe, 4), "big")
    if not CONTENT_BYTES < length <= MAX_ANSWER_BYTES:
        raise ValueError("no answer of ours")
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise ValueError("the worker ended")
    return data


def _window_flags() -> int:
    """On Windows: no console window, and behind the user's own programs."""
    names = ("CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS")
    return sum(getattr(subprocess, name, 0) for name in names)
