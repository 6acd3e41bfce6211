"""For tests of the engine's HTTP side: an engine in a thread of this process, and a hold on its model."""

from __future__ import annotations

import dataclasses
import queue
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from engine.runtime.kv_cache import Slot
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Job, Outcome
from engine.runtime.resident import ResidentModel
from engine.runtime.service import create_app

PATIENCE_S = 60


@contextmanager
def serving(resident: ResidentModel, path: Path, api_key: str | None = None) -> Iterator[Path]:
    """The real application at a Unix socket, with an event loop of its own, until the block ends."""
    config = uvicorn.Config(create_app(resident, api_key), log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()  # from here on connections wait; none is refused
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield path
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server did not shut down"


def evict_all(resident: ResidentModel) -> None:
    """Give the next request a fresh slot. Only while no job runs."""
    assert resident.worker is not None
    for slot in resident.worker.lane.pool.slots:
        slot.evict()


class Hold:
    """Holds the model inside its n-th forward pass, until `release` or until the first job is cancelled."""

    def __init__(
        self,
        resident: ResidentModel,
        monkeypatch: pytest.MonkeyPatch,
        at_pass: int,
        chunk_tokens: int | None = None,
        lane: Lane | None = None,
    ) -> None:
        """Its own lane's passes count, or those of `lane`."""
        worker = resident.worker
        assert worker is not None
        decoder = (lane or worker.lane).decoder
        self.is_reached = threading.Event()
        self.was_cancelled = False
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self.jobs: list[Job] = []
        self._released = threading.Event()
        self._left = at_pass
        self._submit, self._read = worker.submit, decoder.read
        monkeypatch.setattr(worker, "submit", self._spy)
        monkeypatch.setattr(decoder, "read", self._held)
        monkeypatch.setattr(decoder, "chunk_tokens", chunk_tokens or decoder.chunk_tokens)

    def release(self) -> None:
        """Let the model go on."""
        self._released.set()

    def outcome(self) -> Outcome:
        """Wait for the next job's end."""
        return self.outcomes.get(timeout=PATIENCE_S)

    def _spy(self, job: Job) -> None:
        def done(outcome: Outcome) -> None:
            job.done(outcome)
            self.outcomes.put(outcome)

        spied = dataclasses.replace(job, done=done)
        self.jobs.append(spied)
        self._submit(spied)

    def _held(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> Any:
        self._left -= 1
        if self._left == 0:
            self.is_reached.set()
            self._wait(self.jobs[0])
        return self._read(slot, ids, num_logits)

    def _wait(self, job: Job) -> None:
        for _ in range(PATIENCE_S * 100):
            self.was_cancelled = job.cancelled.wait(0.01)
            if self.was_cancelled or self._released.is_set():
                return
