"""Greedy choice: from rows of logits to ids that may come. Knows no slots, no passes and no text.

What may not come: padding rows, banned marks, and whatever contradicts text that is still to be healed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from engine.errors import ModelError
from engine.runtime.healing import Healer
from engine.runtime.kv_cache import common_length


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token and its natural-log probability, among the ids that might have come."""

    token_id: int
    logprob: float
    runners_up: tuple[Step, ...] = ()
    """The likeliest others, best first, if they were asked for; never the end of sequence."""


class Chooser:
    """What may come, and what comes."""

    def __init__(
        self,
        num_valid_ids: int,
        eos_ids: Collection[int],
        banned_ids: Iterable[int],
        token_bytes: Sequence[bytes] | None,
        device: torch.device,
    ) -> None:
        """As for Decoder."""
        self._num_valid_ids = num_valid_ids
        self._eos_ids = frozenset(eos_ids)
        self.banned_ids = sorted({i for i in banned_ids if i < num_valid_ids} - self._eos_ids)
        """Marks that never come, but for the end of sequence."""
        self._banned = torch.tensor(self.banned_ids, dtype=torch.long, device=device)
        # Made now: nearly every request heals, and sorting a large vocabulary takes half a second.
        self._healer = (
            None
            if token_bytes is None
            else Healer(token_bytes[:num_valid_ids], {*self.banned_ids, *self._eos_ids}, device)
        )

    @property
    def healer(self) -> Healer:
        """Raises ModelError if the ids' bytes are not known."""
        if self._healer is None:
            raise ModelError("This engine does not know its tokens' bytes: send the prompt without `heal`.")
        return self._healer

    @torch.inference_mode()
    def verify(
        self, rows: torch.Tensor, drafted: Sequence[int], heal: bytes = b"", num_runners_up: int = 0
    ) -> list[Step]:
        """The model's own choices by `rows`: the drafted ids that it agrees with, and the one after them.

        The first row follows what was said, each other one the drafted id before it. While `heal` is not
        spelled, only ids that go on with it may come.
        """
        rows = self._allowed(rows, drafted, heal)
        values, chosen = rows.max(-1)
        ids = chosen.tolist()
        num = common_length(ids[:-1], list(drafted)) + 1
        rows, totals = rows[:num], rows[:num].logsumexp(-1)
        logprobs = (values[:num] - totals).tolist()
        steps = [Step(*pair) for pair in zip(ids[:num], logprobs, strict=True)]
        if num_runners_up == 0:
            return steps
        return self._with_runners_up(steps, rows - totals[:, None], heal, num_runners_up)

    def _allowed(self, rows: torch.Tensor, drafted: Sequence[int], heal: bytes) -> torch.Tensor:
        """The rows with everything that may not come at minus infinity."""
        rows = rows[:, : self._num_valid_ids].index_fill(1, self._banned, -torch.inf)
        for number, row in enumerate(rows):
            if not heal:
                break
            ids = self.healer.allowed(heal)
            values = row[ids]
            row.fill_(-torch.inf)[ids] = values
            if number == len(drafted) or not self.healer.fits(heal, drafted[number]):
                break  # the model does not agree with that draft, so no later row counts
            heal, _ = self.healer.after(heal, drafted[number : number + 1])
        return rows

    def _with_runners_up(
        self, steps: list[Step], logprobs: torch.Tensor, heal: bytes, num_wanted: int
    ) -> list[Step]:
        num_top = min(num_wanted + 1 + len(self._eos_ids), logprobs.shape[1])
        tops = zip(*(each.tolist() for each in logprobs.topk(num_top)), strict=True)
        found = []
        for step, (values, ids) in zip(steps, tops, strict=True):
            skipped = {step.token_id} | self._eos_ids
            others = [Step(*pair) for pair in zip(ids, values, strict=True)]
            others = [each for each in others if each.token_id not in skipped and each.logprob > -torch.inf]
            if heal:
                # Another way to cut up what was typed would only give the same text.
                others = [each for each in others if self.healer.completes(heal, each.token_id)]
                heal, _ = self.healer.after(heal, [step.token_id])
            found.append(replace(step, runners_up=tuple(others[:num_wanted])))
        return found
