"""One thread that owns the model, one mailbox in front of it. Token ids in, token ids out; no text, no HTTP.

Every job gets exactly one `done`, whatever happens, and an error in a job never ends the thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch

from engine.api import FinishReason, Timings
from engine.errors import GhostfillError, ModelError
from engine.runtime.alternatives import NUM_RUNNERS_UP, Alternatives
from engine.runtime.decode import Counters, Decoder, InterruptedPrefillError, Step
from engine.runtime.kv_cache import Slot, SlotPool
from engine.runtime.mailbox import AlternativeSinks, Job, Mailbox, Outcome
from engine.runtime.model import LoadedModel, kv_budget_bytes

__all__ = ["Job", "JobCounts", "Outcome", "Worker"]

_log = logging.getLogger(__name__)

NUM_SLOTS = 8


@dataclass(slots=True)
class JobCounts:
    """How many jobs came and how they left; only grows."""

    requests: int = 0
    finished: int = 0
    cancelled: int = 0
    errors: int = 0
    reused_tokens: int = 0


class Worker:
    """Runs jobs one at a time, in the mailbox's order."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        num_valid_ids: int | None = None,
        banned_ids: Iterable[int] = (),
        chunk_tokens: int | None = None,
        num_slots: int = NUM_SLOTS,
        memory_gb: float | None = None,
    ) -> None:
        """`memory_gb` bounds weights and slots together; the rest is as for Decoder."""
        self.loaded = loaded
        self.counts = JobCounts()
        self._counting = threading.Lock()
        self._decoder = Decoder(
            loaded, num_valid_ids=num_valid_ids, banned_ids=banned_ids, chunk_tokens=chunk_tokens
        )
        max_tokens = kv_budget_bytes(loaded, memory_gb) // loaded.kv_bytes_per_token
        self._pool = SlotPool(loaded.new_slot, num_slots=num_slots, max_tokens=max_tokens)
        self._mailbox = Mailbox()
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

    def close(self) -> None:
        """Cancel the running job, answer the waiting ones, end the thread."""
        for job in self._mailbox.close():
            self._finish(job, Outcome(FinishReason.CANCELLED))
        self._thread.join()

    def _run(self) -> None:
        while (taken := self._mailbox.take()) is not None:
            job, queue_ms = taken
            outcome = self._answer(job)
            self._finish(job, replace(outcome, timings=replace(outcome.timings, queue_ms=queue_ms)))

    def _answer(self, job: Job) -> Outcome:
        """The one boundary of this room: whatever goes wrong in a job becomes its outcome."""
        run = _Run(job, self._decoder, self._pool)
        try:
            return run.outcome()
        except GhostfillError as error:
            return run.failed(str(error))
        except torch.OutOfMemoryError:
            _log.exception("out of memory")
            return run.failed(
                "The device ran out of memory: lower context.budgetTokens or use a smaller model."
            )
        except Exception as error:  # noqa: BLE001
            _log.exception("a job failed")
            return run.failed(f"The model failed on this request ({type(error).__name__}: {error}).")

    def _finish(self, job: Job, outcome: Outcome) -> None:
        """The only caller of `done`."""
        with self._counting:
            self.counts.reused_tokens += outcome.timings.reused_tokens
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


class _Run:
    """One job on its way through prefill and decode."""

    def __init__(self, job: Job, decoder: Decoder, pool: SlotPool) -> None:
        self._job = job
        self._request = job.request
        self._decoder = decoder
        self._pool = pool
        self._started = time.perf_counter()
        self._slot: Slot | None = None
        self._timings = Timings(prompt_tokens=len(job.request.prompt_ids))

    def outcome(self) -> Outcome:
        """Run to the end."""
        self._check()
        reason = self._poll()
        if reason is not None:
            return Outcome(reason, self._timings)
        try:
            slot, logits = self._prefill()
        except InterruptedPrefillError as interrupted:
            return Outcome(interrupted.reason, self._timings)
        return self._decode(slot, logits)

    def failed(self, error: str) -> Outcome:
        """Drop the slot, whose state nobody vouches for now."""
        if self._slot is not None:
            self._slot.evict()
        return Outcome(FinishReason.CANCELLED, self._timings, error=error)

    def _check(self) -> None:
        """Before anything reaches the device, where a bad id would take the whole process down."""
        ids, loaded = self._request.prompt_ids, self._decoder.loaded
        if not ids:
            raise ModelError("The prompt is empty: send at least one token.")
        if len(ids) >= loaded.context_length:
            raise ModelError(
                f"The prompt of {len(ids)} tokens does not fit the model's context of "
                f"{loaded.context_length}, which also holds the answer: lower context.budgetTokens."
            )
        if not 0 <= min(ids) <= max(ids) < loaded.vocab_size:
            raise ModelError(
                f"The prompt holds ids outside of the model's vocabulary of {loaded.vocab_size}."
            )

    def _poll(self) -> FinishReason | None:
        if self._job.cancelled.is_set():
            return FinishReason.CANCELLED
        max_ms = self._request.max_ms
        if max_ms is not None and _ms_since(self._started) >= max_ms:
            return FinishReason.DEADLINE
        return None

    def _max_tokens(self) -> int:
        return min(
            self._request.max_tokens, self._decoder.loaded.context_length - len(self._request.prompt_ids)
        )

    def _prefill(self) -> tuple[Slot, torch.Tensor]:
        ids = self._request.prompt_ids
        self._slot, reused = self._pool.acquire(ids, len(ids) + self._max_tokens())
        try:
            return self._slot, self._decoder.prefill(self._slot, ids[reused:], self._poll)
        finally:
            self._timings = replace(
                self._timings,
                prefill_ms=_ms_since(self._started),
                reused_tokens=reused,
                prefilled_tokens=len(self._slot) - reused,
            )

    def _decode(self, slot: Slot, logits: torch.Tensor) -> Outcome:
        started = time.perf_counter()
        sinks = self._job.alternatives if self._request.num_answers > 1 else None
        decoding = self._decoder.decode(
            slot,
            logits,
            max_tokens=self._max_tokens(),
            poll=self._poll,
            num_runners_up=NUM_RUNNERS_UP if sinks else 0,
        )
        steps: list[Step] = []
        num_others = 0
        try:
            for step in decoding:
                steps.append(step)
                if self._job.sink(step.token_id, step.logprob):
                    decoding.stop()
                    break
            if sinks is not None:
                num_others = self._decode_others(
                    slot, sinks, [*steps, decoding.end] if decoding.end else steps
                )
        finally:
            self._timings = replace(
                self._timings, decode_ms=_ms_since(started), decoded_tokens=len(steps) + num_others
            )
        mean = sum(step.logprob for step in steps) / len(steps) if steps else None
        return Outcome(
            decoding.finish_reason or FinishReason.STOP,
            self._timings,
            mean,
            end_logprob=decoding.end.logprob if decoding.end is not None else None,
        )

    def _decode_others(self, slot: Slot, sinks: AlternativeSinks, steps: list[Step]) -> int:
        """Answers beyond the first; how many tokens that took."""
        alternatives = Alternatives(
            self._decoder,
            slot,
            self._request.prompt_ids,
            sinks,
            max_tokens=self._max_tokens(),
            poll=self._poll,
        )
        alternatives.run(steps)
        return alternatives.num_decoded


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
