"""One thread that runs models, one mailbox in front of it. Token ids in, token ids out; no text, no HTTP.

Jobs of all lanes share both: what goes first does so whichever model it asks. Every job gets exactly one
`done`, whatever happens, and an error in a job never ends the thread. A job that is pre-empted waits at the
front of its kind and goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakSet

import torch

from engine.api import FinishReason
from engine.errors import GhostfillError
from engine.runtime.decode import Counters
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Job, Mailbox, Outcome
from engine.runtime.model import LoadedModel
from engine.runtime.run import PreemptedError, Run

__all__ = ["Job", "JobCounts", "Outcome", "Worker"]

_log = logging.getLogger(__name__)

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed")
_OUT_OF_MEMORY_ADVICE = "The device ran out of memory: lower context.budgetTokens or use a smaller model."
_RELEASED = "The model was unloaded before this request could run: ask once more."


@dataclass(slots=True)
class JobCounts:
    """How many jobs came and how they left; only grows."""

    requests: int = 0
    finished: int = 0
    cancelled: int = 0
    errors: int = 0
    reused_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    """Of the drafted ones."""


class Worker:
    """Runs jobs one at a time, in the mailbox's order."""

    def __init__(self, lane: Lane) -> None:
        """Jobs that name no lane run on this one."""
        self.lane = lane
        self.counts = JobCounts()
        self._counting = threading.Lock()
        self._lanes = WeakSet([self.lane])
        self._mailbox = Mailbox()
        self._paused: dict[Job, Run] = {}
        self._thread = threading.Thread(target=self._run, name="ghostfill-model", daemon=True)
        self._thread.start()

    @property
    def loaded(self) -> LoadedModel:
        """The model of its own lane."""
        return self.lane.loaded

    @property
    def counters(self) -> Counters:
        """Chunks, steps and tokens computed since the start, on all lanes that count with its own."""
        return self.lane.decoder.counters

    def submit(self, job: Job) -> None:
        """Queue a job; those that give way to it are cancelled. Never waits for the model."""
        with self._counting:
            self.counts.requests += 1
        for never_runs in self._mailbox.put(job):
            self._finish(never_runs, Outcome(FinishReason.CANCELLED))

    def cached_tokens(self, ids: Iterable[int]) -> int:
        """How many of the first `ids` a request would find in a slot now. Never waits for the model."""
        return self.lane.cached_tokens(ids)

    def held(self) -> dict[str, int]:
        """What the slots of its own lane hold now; any thread may ask."""
        return self.lane.held()

    def close(self) -> None:
        """Cancel the running job, answer the waiting ones, end the thread."""
        for job in self._mailbox.close():
            self._finish(job, Outcome(FinishReason.CANCELLED))
        self._thread.join()

    def _run(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        """Run the next job; False once closed. Nothing outlives the call: a job's lane may be released."""
        taken = self._mailbox.take()
        if taken is None:
            return False
        job, queue_ms = taken
        lane = job.lane or self.lane
        self._lanes.add(lane)
        run = self._paused.pop(job, None) or Run(job, lane, self._mailbox.is_preempted)
        outcome = self._turn(run, lane, queue_ms)
        if outcome is not None:
            self._finish(job, outcome)
            return True
        self._paused[job] = run
        for never_runs in self._mailbox.put_back(job):
            self._finish(never_runs, Outcome(FinishReason.CANCELLED))
        return True

    def _turn(self, run: Run, lane: Lane, queue_ms: float) -> Outcome | None:
        """The run's outcome, None if it was pre-empted; without memory once more with all slots given back.

        The one boundary of this room: whatever goes wrong in a job becomes its outcome.
        """
        for is_retry in (False, True):
            try:
                if is_retry:  # not in the handler, whose traceback holds the tensors of the pass that failed
                    self._give_memory_back()
                with lane.turn:
                    if lane.is_released:
                        return run.failed(_RELEASED)
                    return run.turn(0.0 if is_retry else queue_ms)
            except PreemptedError:
                return None
            except GhostfillError as error:
                return run.failed(str(error))
            except Exception as error:  # noqa: BLE001
                if not _is_out_of_memory(error):
                    _log.exception("a job failed")
                    return run.failed(f"The model failed on this request ({type(error).__name__}: {error}).")
                _log.warning("out of memory, all slots are dropped: %s", error)
        return run.failed(_OUT_OF_MEMORY_ADVICE)

    def _give_memory_back(self) -> None:
        for lane in list(self._lanes):
            lane.evict_all()

    def _finish(self, job: Job, outcome: Outcome) -> None:
        """The only caller of `done`."""
        self._paused.pop(job, None)
        with self._counting:
            self.counts.reused_tokens += outcome.timings.reused_tokens
            self.counts.drafted_tokens += outcome.timings.drafted_tokens
            self.counts.accepted_tokens += outcome.timings.accepted_tokens
            if outcome.error is not None:
                self.counts.errors += 1
            elif outcome.finish_reason is FinishReason.CANCELLED:
                self.counts.cancelled += 1
            else:
                self.counts.finished += 1
        try:
            job.done(outcome)
        except Exception:  # noqa: BLE001  (the same boundary: a broken listener must not end the thread)
            _log.exception("a job's `done` failed")


def _is_out_of_memory(error: Exception) -> bool:
    """torch says it with an error of its own on CUDA only."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _OUT_OF_MEMORY)
