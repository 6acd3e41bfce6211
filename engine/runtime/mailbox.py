"""Jobs that wait for the model, oldest first, at most one per document. Knows jobs, not what they compute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.api import CompletionRequest, FinishReason, Timings


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. Where `error` is set, it says all; the job did not run to its end."""

    finish_reason: FinishReason
    timings: Timings = field(default_factory=Timings)
    mean_logprob: float | None = None
    error: str | None = None
    """A sentence fit to show; `finish_reason` is then `cancelled`."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A request and where its tokens and its outcome go."""

    request: CompletionRequest
    sink: Callable[[int, float], bool]
    """Called in the model's thread for each token id and log-probability; True stops the decoding."""
    done: Callable[[Outcome], None]
    """Called exactly once: in the model's thread, or in the submitter's or closer's if the job never ran."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set by anyone to cancel; polled before every chunk and step."""


class Mailbox:
    """Newest wins among the jobs of one document; None is no document."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[Job, float]] = []
        self._running: Job | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> Job | None:
        """Queue a job; returns the one that now never runs: its elder, or itself once closed.

        The job takes its elder's place, so that typing fast does not send a document to the back. An elder
        that already runs is cancelled.
        """
        document = job.request.document
        with self._changed:
            if self._is_closed:
                return job
            if (
                document is not None
                and self._running is not None
                and self._running.request.document == document
            ):
                self._running.cancelled.set()
            self._changed.notify()
            for place, (older, _) in enumerate(self._waiting):
                if document is not None and older.request.document == document:
                    self._waiting[place] = (job, time.perf_counter())
                    return older
            self._waiting.append((job, time.perf_counter()))
            return None

    def take(self) -> tuple[Job, float] | None:
        """Wait for the oldest job, which runs from now on; with it, the ms it waited. None once closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return None
            self._running, since = self._waiting.pop(0)
            return self._running, (time.perf_counter() - since) * 1000

    def close(self) -> list[Job]:
        """Accept no more, cancel the running job; returns those that now never run."""
        with self._changed:
            self._is_closed = True
            if self._running is not None:
                self._running.cancelled.set()
            waiting, self._waiting = self._waiting, []
            self._changed.notify_all()
            return [job for job, _ in waiting]
