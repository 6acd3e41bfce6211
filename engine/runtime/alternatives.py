"""Further answers of one request, decoded from the keys and values of the first. Token ids only, no text.

Each follows the first answer for some steps of its first line, takes a runner-up there, and goes on greedily.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import torch

from engine.api import FinishReason
from engine.runtime.decode import Decoder, InterruptedPrefillError, Poll, Step
from engine.runtime.draft import Drafter
from engine.runtime.kv_cache import Slot, common_length
from engine.runtime.mailbox import AlternativeSinks

NUM_RUNNERS_UP = 3
"""Remembered of each step."""


class Deviation(NamedTuple):
    """Another way through the first line."""

    logprob: float
    """Of all its steps together."""
    steps: tuple[Step, ...]
    """The first answer's, and the runner-up instead of its next."""


def deviations(steps: Sequence[Step]) -> list[Deviation]:
    """One for each runner-up of each step, the likeliest first."""
    found, total = [], 0.0
    for number, step in enumerate(steps):
        kept = tuple(steps[:number])
        found += [Deviation(total + other.logprob, (*kept, other)) for other in step.runners_up]
        total += step.logprob
    return sorted(found, key=lambda each: -each.logprob)


class Alternatives:
    """Tries the deviations of one answer, in the slot that holds its prompt."""

    def __init__(
        self,
        decoder: Decoder,
        slot: Slot,
        prompt_ids: Sequence[int],
        sinks: AlternativeSinks,
        *,
        max_tokens: int,
        poll: Poll,
        heal: bytes = b"",
    ) -> None:
        self.num_decoded = 0
        """Tokens, over all tries."""
        self._decoder = decoder
        self._slot = slot
        self._prompt_ids = list(prompt_ids)
        self._sinks = sinks
        self._max_tokens = max_tokens
        self._poll = poll
        self._heal = heal
        self._known: list[list[int]] = []
        """Answers so far, the latest first: the next one is likely to join them again."""

    def run(self, steps: Sequence[Step]) -> None:
        """Until there are as many as wanted, deviations run out, or `poll` says so; a half one is dropped.

        `steps` are the first answer's, the end of sequence among them if it came.
        """
        first = [step.token_id for step in steps[:-1]]
        self._known = [first]
        for deviation in deviations(steps[: self._sinks.first_line_tokens]):
            if self._sinks.num_wanted == 0:
                break
            try:
                reason = self._try(deviation.steps)
            except InterruptedPrefillError:
                return
            if reason in (FinishReason.CANCELLED, FinishReason.DEADLINE):
                return
            self._sinks.keep(reason)
        self._bring_back(first)

    def _try(self, steps: Sequence[Step]) -> FinishReason:
        sink = self._sinks.begin()
        self.num_decoded += 1
        if any(sink(step.token_id, step.logprob) for step in steps):
            return FinishReason.STOP
        begun = [step.token_id for step in steps]
        logits = self._read([*self._prompt_ids, *begun])
        decoding = self._decoder.decode(
            self._slot,
            logits,
            max_tokens=self._max_tokens,
            poll=self._poll,
            heal=self._heal,
            drafter=Drafter(self._prompt_ids, self._known),
            begun=begun,
        )
        for step in decoding:
            self.num_decoded += 1
            begun.append(step.token_id)
            if sink(step.token_id, step.logprob):
                decoding.stop()
        self._known.insert(0, begun)
        return decoding.finish_reason or FinishReason.STOP

    def _read(self, ids: list[int]) -> torch.Tensor:
        self._slot.rewind(common_length(self._slot.token_ids, ids))
        return self._decoder.prefill(self._slot, ids[len(self._slot) :], self._poll)

    def _bring_back(self, first: list[int]) -> None:
        """Read the first answer again, the likeliest to be accepted: one pass, else nothing is done."""
        ids = [*self._prompt_ids, *first]
        num_missing = len(ids) - common_length(self._slot.token_ids, ids)
        if 0 < num_missing <= self._decoder.chunk_tokens:
            with suppress(InterruptedPrefillError):
                self._read(ids)
