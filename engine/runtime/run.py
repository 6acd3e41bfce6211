"""One job on its way through prefill and decode, in turns: what is pre-empted goes on later where it was.

Between turns a run holds no slot. The next turn asks the pool for the prompt and what was decoded so far, so
whatever was evicted meanwhile is read again and the answer is the one of an undisturbed run. Knows a lane;
knows no queue and no text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from engine.api import FinishReason, Timings
from engine.errors import ModelError
from engine.runtime.alternatives import NUM_RUNNERS_UP, Alternatives
from engine.runtime.decode import InterruptedPrefillError, Step
from engine.runtime.draft import Drafter
from engine.runtime.kv_cache import Slot
from engine.runtime.lane import Lane
from engine.runtime.mailbox import AlternativeSinks, Job, Outcome

_WARM_TOKENS = 256
"""Room behind a prompt that is only read: the answer to come shall not begin with a growing buffer."""


class PreemptedError(Exception):
    """Another job goes first; nothing is lost."""


class Run:
    """A job and how far it is."""

    def __init__(self, job: Job, lane: Lane, is_preempted: Callable[[Job], bool]) -> None:
        self.job = job
        self._request = job.request
        self._heal = job.request.heal.encode("utf-8", "replace")
        self._decoder = lane.decoder
        self._pool = lane.pool
        self._is_preempted = is_preempted
        self._timings = Timings(prompt_tokens=len(job.request.prompt_ids))
        self._steps: list[Step] = []
        """Of the first answer, told to the sink."""
        self._reason: FinishReason | None = None
        """Why the first answer ended."""
        self._end: Step | None = None
        self._slot: Slot | None = None
        self._ran_ms = 0.0
        self._began = 0.0
        self._num_turns = 0

    def turn(self, queue_ms: float = 0.0) -> Outcome:
        """Run to the end, after a wait; PreemptedError says that another turn is needed."""
        self._add(queue_ms=queue_ms)
        self._began, self._slot = time.perf_counter(), None
        try:
            return self._go_on()
        finally:
            self._ran_ms += _ms_since(self._began)
            self._num_turns += 1

    def failed(self, error: str) -> Outcome:
        """Drop the slot, whose state nobody vouches for now."""
        if self._slot is not None:
            self._slot.evict()
        return Outcome(FinishReason.CANCELLED, self._timings, error=error)

    def _go_on(self) -> Outcome:
        if self._num_turns == 0:
            self._check()
        reason = self._reason or self._poll()  # the first answer has ended: what failed were further ones
        if reason is not None:
            return self._outcome(reason)
        try:
            self._answer()
        except InterruptedPrefillError as interrupted:
            return self._outcome(interrupted.reason)
        return self._outcome(self._reason or FinishReason.STOP)

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
        if self.job.cancelled.is_set():
            return FinishReason.CANCELLED
        max_ms = self._request.max_ms
        if max_ms is not None and self._ran_ms + _ms_since(self._began) >= max_ms:
            return FinishReason.DEADLINE
        if self._is_preempted(self.job):
            raise PreemptedError
        return None

    def _poll_others(self) -> FinishReason | None:
        """Further answers are extra: another job that goes first ends them."""
        try:
            return self._poll()
        except PreemptedError:
            return FinishReason.CANCELLED

    def _answer(self) -> None:
        if self._request.max_tokens > 0:
            self._decode(*self._prefill())
            return
        if self._pool.touch(self._request.prompt_ids):
            self._add(reused_tokens=len(self._request.prompt_ids))
        else:
            self._prefill()
        self._reason = FinishReason.BUDGET

    def _max_tokens(self) -> int:
        """Behind what is healed, which takes a token a byte at most."""
        used = len(self._request.prompt_ids) + len(self._heal)
        return max(0, min(self._request.max_tokens, self._decoder.loaded.context_length - used))

    def _prefill(self) -> tuple[Slot, torch.Tensor]:
        began = time.perf_counter()
        ids = [*self._request.prompt_ids, *(step.token_id for step in self._steps)]
        behind = len(self._heal) + (self._max_tokens() or _WARM_TOKENS)
        room = len(self._request.prompt_ids) + behind
        slot, reused = self._pool.acquire(
            ids, min(room, self._decoder.loaded.context_length), self._request.document
        )
        self._slot = slot
        try:
            return slot, self._decoder.prefill(slot, ids[reused:], self._poll, self.job.chunk_tokens)
        finally:
            self._add(
                prefill_ms=_ms_since(began),
                reused_tokens=reused if self._num_turns == 0 else 0,
                prefilled_tokens=len(slot) - reused,
            )

    def _decode(self, slot: Slot, logits: torch.Tensor) -> None:
        began, num_before, num_others = time.perf_counter(), len(self._steps), 0
        sinks = self.job.alternatives if self._request.num_answers > 1 else None
        decoding = self._decoder.decode(
            slot,
            logits,
            max_tokens=self._max_tokens(),
            poll=self._poll,
            num_runners_up=NUM_RUNNERS_UP if sinks else 0,
            heal=self._heal,
            drafter=Drafter(self._request.prompt_ids, self.job.draft_ids),
            begun=[step.token_id for step in self._steps],
        )
        try:
            for step in decoding:
                self._steps.append(step)
                if self.job.sink(step.token_id, step.logprob):
                    decoding.stop()
                    break
            self._reason, self._end = decoding.finish_reason or FinishReason.STOP, decoding.end
            if sinks is not None:
                num_others = self._decode_others(slot, sinks)
        finally:
            self._add(
                decode_ms=_ms_since(began),
                decoded_tokens=len(self._steps) - num_before + num_others,
                decode_steps=decoding.num_passes,
                drafted_tokens=decoding.num_drafted,
                accepted_tokens=decoding.num_accepted,
            )

    def _decode_others(self, slot: Slot, sinks: AlternativeSinks) -> int:
        """Answers beyond the first; how many tokens that took."""
        alternatives = Alternatives(
            self._decoder,
            slot,
            self._request.prompt_ids,
            sinks,
            max_tokens=self._max_tokens(),
            poll=self._poll_others,
            heal=self._heal,
        )
        alternatives.run([*self._steps, self._end] if self._end else self._steps)
        return alternatives.num_decoded

    def _outcome(self, reason: FinishReason) -> Outcome:
        steps = self._steps
        return Outcome(
            reason,
            self._timings,
            sum(step.logprob for step in steps) / len(steps) if steps else None,
            end_logprob=self._end.logprob if self._end is not None else None,
        )

    def _add(self, **amounts: float) -> None:
        sums: dict[str, Any] = {name: getattr(self._timings, name) + more for name, more in amounts.items()}
        self._timings = replace(self._timings, **sums)


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
