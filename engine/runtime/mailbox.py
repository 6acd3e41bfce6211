"""Jobs that wait for the model: visible ones before those made ahead before chat, each kind oldest first.

At most one of each kind per document. Knows jobs, not what they compute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from engine.api import CompletionRequest, FinishReason, Priority, Timings

if TYPE_CHECKING:
    from engine.runtime.lane import Lane

_ORDER = (Priority.VISIBLE, Priority.AHEAD, Priority.CHAT)

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
    draft_ids: tuple[tuple[int, ...], ...] = ()
    """The request's drafts as token ids; the first, if there is one, begins with what is healed."""
    lane: Lane | None = None
    """What it runs on; None is the worker's own."""
    chunk_tokens: int | None = None
    """Of its prompt in one pass; None is as many as the lane reads at once."""

    @property
    def rank(self) -> int:
        """Its place in the order of priorities; the lowest goes first."""
        return _ORDER.index(self.request.priority)

    def gives_way_to(self, newer: Job) -> bool:
        """The newer job makes this one pointless: newest of a kind wins in a document.

        What was made ahead for a document is pointless too once somebody waits for a completion in it.
        """
        mine, other = self.request, newer.request
        is_guess = mine.priority is Priority.AHEAD and other.priority is Priority.VISIBLE
        is_same = mine.document is not None and mine.document == other.document
        return is_same and (is_guess or mine.priority is other.priority)


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
        that already runs is cancelled.
        """
        with self._changed:
            if self._is_closed:
                return [job]
            if self._running is not None and self._running.gives_way_to(job):
                self._running.cancelled.set()
            self._changed.notify()
            return self._enqueue(job)

    def put_back(self, job: Job) -> list[Job]:
        """The running job goes on later, before its equals; returns it once closed, when it never will."""
        with self._changed:
            self._running = None
            if self._is_closed:
                return [job]
            self._waiting.insert(0, (job, time.perf_counter()))
            return []

    def is_preempted(self, job: Job) -> bool:
        """Whether a job waits that goes before this one, which runs."""
        with self._changed:
            return any(other.rank < job.rank for other, _ in self._waiting)

    def _enqueue(self, job: Job) -> list[Job]:
        elders = [older for older, _ in self._waiting if older.gives_way_to(job)]
        places = (
            place
            for place, (older, _) in enumerate(self._waiting)
            if older in elders and older.rank == job.rank
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
            first = min(self._waiting, key=lambda entry: entry[0].rank)  # the oldest of equals
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
