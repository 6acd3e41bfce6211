"""Many prompts to one model: what it answered before from disk, the rest in parallel. Knows no tasks.

An answer depends on the prompt, the weights, the device and the code that runs them, not on how the prompt
was chosen. It is on disk as soon as it is there, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import engine
from benchmarks.builtin_model.model import Ask, Model, Reply, Speed
from benchmarks.context_quality.answers import AnswerStore
from engine.errors import ModelError

Respond = Callable[[Iterable[Ask]], Iterable[Reply]]
"""Answers in the order of the prompts, each as soon as it is there."""

RUNNING_FILES = ("brackets.py", "sentencepiece.py", "stopping.py", "token_bytes.py", "tokens.py")
"""Of the engine, beside `runtime`: what lies between a prompt's ids and the answer."""
TELL_SECONDS = 15.0


class Remembered:
    """The answers of some weights."""

    def __init__(self, store: AnswerStore, weights: str, device: str, respond: Respond) -> None:
        self._store = store
        self._model = [running_code(), weights, device]
        self._respond = respond
        self.num_asked = 0
        """Prompts that the model really saw."""

    def replies(self, asks: Sequence[Ask], what: str) -> list[Reply]:
        """One for each; `what` they are is told as progress."""
        keys = [self._key(ask) for ask in asks]
        missing = {key: ask for key, ask in zip(keys, asks, strict=True) if self._store.get(key) is None}
        begun = last = time.monotonic()
        for num, (key, reply) in enumerate(zip(missing, self._respond(missing.values()), strict=True), 1):
            self._store.put(key, json.dumps([reply.text, reply.loss]))
            self.num_asked += 1
            if time.monotonic() - last > TELL_SECONDS or num == len(missing):
                last = time.monotonic()
                tell(f"{what}: {num} of {len(missing)} answers, {last - begun:.0f} s")
        return [Reply(*json.loads(self._store.get(key) or "")) for key in keys]

    def _key(self, ask: Ask) -> str:
        what = json.dumps([self._model, asdict(ask)])
        return hashlib.blake2b(what.encode(), digest_size=20).hexdigest()


class Pool:
    """Processes that hold the same model, each on one core."""

    def __init__(self, folder: Path, num_processes: int) -> None:
        self._folder = folder
        self._num_processes = num_processes
        self._executor: ProcessPoolExecutor | None = None

    def respond(self, asks: Iterable[Ask]) -> Iterator[Reply]:
        """See Respond; raises ModelError."""
        waiting = list(asks)
        if waiting:
            with self._whole():
                yield from self._started().map(_reply, waiting)

    def speed(self) -> Speed:
        """Of one of them, while the others wait; raises ModelError."""
        with self._whole():
            return self._started().submit(_speed).result()

    def close(self) -> None:
        """End them; what waits is dropped."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except BrokenProcessPool as error:
            raise ModelError(
                f"A process with the model in {self._folder} ended: what stands above says why, or memory "
                f"ran out ({self._num_processes} of them take about 1 GiB each)."
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            with _one_thread():
                self._executor = ProcessPoolExecutor(
                    self._num_processes,
                    multiprocessing.get_context("spawn"),
                    initializer=_load,
                    initargs=(self._folder,),
                )
                self._executor.submit(os.getpid)  # starts all of them
        return self._executor


def device() -> str:
    """What the engine would choose here."""
    from engine.runtime.model import choose_device

    return choose_device("auto").type


def num_processes(device: str) -> int:
    """One for each core; a GPU needs no second one."""
    if device != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def running_code() -> str:
    """A digest of the code between ids and answer."""
    digest = hashlib.blake2b(digest_size=6)
    root = Path(engine.__file__).parent
    for path in [root / name for name in RUNNING_FILES] + sorted((root / "runtime").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def tell(line: str) -> None:
    """Progress, beside the result."""
    print(f"builtin_model: {line}", file=sys.stderr, flush=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Children started inside run torch on one thread: several of them share the cores, not every product."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


_model: Model | None = None
"""Of a child process."""


def _load(folder: Path) -> None:
    global _model  # noqa: PLW0603 - an executor's initializer has no other place
    _model = Model.load(folder)


def _reply(ask: Ask) -> Reply:
    assert _model is not None
    return _model.reply(ask)


def _speed() -> Speed:
    assert _model is not None
    return _model.speed()
