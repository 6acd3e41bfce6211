"""One thread that owns the model, one mailbox in front of it. Token ids in, token ids out; no text, no HTTP.

Every job gets exactly one `done`, whatever happens, and an error in a job never ends the thread. A job that
is pre-empted waits at the front of its kind and goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from engine.api import FinishReason
from engine.errors import GhostfillError
from engine.runtime.decode import Counters, Decoder
from engine.runtime.kv_cache import SlotPool
from engine.runtime.mailbox import Job, Mailbox, Outcome
from engine.runtime.model import LoadedModel, kv_budget_bytes
from engine.runtime.run import PreemptedError, Run

__all__ = ["Job", "JobCounts", "Outcome", "Worker"]

_log = logging.getLogger(__name__)

NUM_SLOTS = 8
"""More prompts are seldom alive at once: what is typed in, asked ahead and warm, of a few documents."""

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed")
_OUT_OF_MEMORY_ADVICE = "The device ran out of memory: lower context.budgetTokens or use a smaller model."


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

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        num_valid_ids: int | None = None,
        banned_ids: Iterable[int] = (),
        token_bytes: Sequence[bytes] | None = None,
        chunk_tokens: int | None = None,
        num_slots: int = NUM_SLOTS,
        memory_gb: float | None = None,
    ) -> None:
        """`memory_gb` bounds weights and slots together; the rest is as for Decoder."""
        self.loaded = loaded
        self.counts = JobCounts()
        self._counting = threading.Lock()
        self._decoder = Decoder(
            loaded,
            num_valid_ids=num_valid_ids,
            banned_ids=banned_ids,
            token_bytes=token_bytes,
            chunk_tokens=chunk_tokens,
        )
        # While a layer's buffers grow, its old ones are still there.
        bytes_per_token = loaded.kv_bytes_per_token * (1 + 1 / loaded.num_layers)
        max_tokens = int(kv_budget_bytes(loaded, memory_gb) / bytes_per_token)
        self._pool = SlotPool(loaded.new_slot, num_slots=num_slots, max_tokens=max_tokens)
        self._mailbox = Mailbox()
        self._paused: dict[Job, Run] = {}
        self._thread = threading.Thread(target=self._run, name="ghostfill-model", daemon=True)
        self._thread.start()

    @property
    def counters(self) -> Counters:
        """Chunks, steps and tokens computed since the start."""
        return self._decoder.counters

    def submit(self, job: Job) -> None:
        """Queue a job; those that give way to it are cancelled. Never waits for the model."""
        with self._counting:
            self.counts.requests += 1
        for never_runs in self._mailbox.put(job):
            self._finish(never_runs, Outcome(FinishReason.CANCELLED))

    def cached_tokens(self, ids: Iterable[int]) -> int:
        """How many of the first `ids` a request would find in a slot now. Never waits for the model."""
        return self._pool.cached_tokens(list(ids))

    def held(self) -> dict[str, int]:
        """What the slots hold now, in slots and in tokens; any thread may ask."""
        lengths = [len(slot) for slot in self._pool.slots]
        return {
            "slots_in_use": sum(length > 0 for length in lengths),
            "kv_tokens": sum(lengths),
            "kv_tokens_reserved": sum(slot.capacity for slot in self._pool.slots),
            "kv_tokens_limit": self._pool.max_tokens,
        }

    def close(self) -> None:
        """Cancel the running job, answer the waiting ones, end the thread."""
        for job in self._mailbox.close():
            self._finish(job, Outcome(FinishReason.CANCELLED))
        self._thread.join()

    def _run(self) -> None:
        while (taken := self._mailbox.take()) is not None:
            job, queue_ms = taken
            run = self._paused.pop(job, None) or Run(
                job, self._decoder, self._pool, self._mailbox.is_preempted
            )
            outcome = self._turn(run, queue_ms)
            if outcome is not None:
                self._finish(job, outcome)
                continue
            self._paused[job] = run
            for never_runs in self._mailbox.put_back(job):
                self._finish(never_runs, Outcome(FinishReason.CANCELLED))

    def _turn(self, run: Run, queue_ms: float) -> Outcome | None:
        """The run's outcome, None if it was pre-empted; without memory once more with all slots given back.

        The one boundary of this room: whatever goes wrong in a job becomes its outcome.
        """
        for is_retry in (False, True):
            try:
                if is_retry:  # not in the handler, whose traceback holds the tensors of the pass that failed
                    self._give_memory_back()
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
        self._pool.evict_all()
        if self.loaded.device.type == "cuda":
            torch.cuda.empty_cache()

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
