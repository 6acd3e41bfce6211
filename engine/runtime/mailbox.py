"""Jobs that wait for the model: those that a user waits for before those made ahead, each kind oldest first.

At most one of each kind per document. Knows jobs, not what they compute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from engine.api import CompletionRequest, FinishReason, Priority, Timings

Sink: TypeAlias = Callable[[int, float], bool]
"""Called in the model's thread for each token id and log-probability; True stops the decoding."""


class AlternativeSinks(Protocol):
    """Where answers beyond the first go, in the model's thread."""

    @property
    def num_wanted(self) -> int:
        """How many more."""
        ...

    @property
    def first_line_tokens(self) -> int | None:
        """The first answer's tokens up to the one that ended its first line; None if it did not end."""
        ...

    def begin(self) -> Sink:
        """For all tokens of one more try."""
        ...

    def keep(self, finish_reason: FinishReason) -> None:
        """That try has ended; it counts if it says something new."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. Where `error` is set, it says all; the job did not run to its end."""

    finish_reason: FinishReason
    timings: Timings = field(default_factory=Timings)
    mean_logprob: float | None = None
    error: str | None = None
    """A sentence fit to show; `finish_reason` is then `cancelled`."""
    end_logprob: float | None = None
    """Of the end of sequence, where that ended it."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A request and where its tokens and its outcome go."""

    request: CompletionRequest
    sink: Sink
    done: Callable[[Outcome], None]
    """Called exactly once: in the model's thread, or in the submitter's or closer's if the job never ran."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set by anyone to cancel; polled before every chunk and step."""
    alternatives: AlternativeSinks | None = None

    @property
    def is_ahead(self) -> bool:
        """Nobody waits for it yet."""
        return self.request.priority is Priority.AHEAD

    def gives_way_to(self, newer: Job) -> bool:
        """The newer job makes this one pointless: newest wins in a document, but never ahead over visible."""
        document = self.request.document
        is_same = document is not None and document == newer.request.document
        return is_same and (self.is_ahead or not newer.is_ahead)


class Mailbox:
    """Newest wins among the jobs of one document; None is no document."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[Job, float]] = []
        """In the order they came."""
        self._running: Job | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> list[Job]:
        """Queue a job; returns those that now never run: its elders, or itself once closed.

        The job takes its elder's place, so that typing fast does not send a document to the back. An elder
        that already runs is cancelled, and so is any job made ahead when a visible one comes.
        """
        with self._changed:
            if self._is_closed:
                return [job]
            running = self._running
            if running is not None and (running.gives_way_to(job) or (running.is_ahead and not job.is_ahead)):
                running.cancelled.set()
            self._changed.notify()
            return self._enqueue(job)

    def _enqueue(self, job: Job) -> list[Job]:
        elders = [older for older, _ in self._waiting if older.gives_way_to(job)]
        places = (
            place
            for place, (older, _) in enumerate(self._waiting)
            if older in elders and older.is_ahead == job.is_ahead
        )
        self._waiting.insert(next(places, len(self._waiting)), (job, time.perf_counter()))
        self._waiting = [entry for entry in self._waiting if entry[0] not in elders]
        return elders

    def take(self) -> tuple[Job, float] | None:
        """Wait for the next job, which runs from now on; with it, the ms it waited. None once closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return None
            first = min(self._waiting, key=lambda entry: entry[0].is_ahead)  # the oldest of equals
            self._waiting.remove(first)
            self._running, since = first
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
