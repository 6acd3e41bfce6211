"""The two verbs over a slot: prefill many known tokens in chunks, decode new ones step by step, greedily.

Token ids in, token ids out. Before every chunk and every step the caller's `poll` is asked whether to go
on, so a cancelled request costs at most the chunk or step in progress, and the slot keeps what was computed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from engine.api import FinishReason
from engine.runtime.kv_cache import Slot
from engine.runtime.model import LoadedModel

Poll = Callable[[], FinishReason | None]
"""None to go on, or the reason to end now."""

_GPU_CHUNK_TOKENS = 1024
_CPU_CHUNK_TOKENS = (16, 128)


class InterruptedPrefillError(Exception):
    """`poll` gave a reason before the prompt was done; the slot keeps the chunks that were."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token and its natural-log probability."""

    token_id: int
    logprob: float
    runners_up: tuple[Step, ...] = ()
    """The likeliest others, best first, if they were asked for; never the end of sequence."""


@dataclass(slots=True)
class Counters:
    """What was computed since the start; only grows."""

    prefill_chunks: int = 0
    prefilled_tokens: int = 0
    decode_steps: int = 0


class Decoder:
    """Runs one model over slots."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        num_valid_ids: int | None = None,
        banned_ids: Iterable[int] = (),
        chunk_tokens: int | None = None,
    ) -> None:
        """Ids from `num_valid_ids` on are padding rows; `banned_ids` are marks other than end of sequence."""
        self.loaded = loaded
        self.chunk_tokens = chunk_tokens or default_chunk_tokens(loaded)
        self.counters = Counters()
        self._num_valid_ids = min(num_valid_ids or loaded.vocab_size, loaded.vocab_size)
        banned = sorted({i for i in banned_ids if i < self._num_valid_ids} - loaded.eos_ids)
        self._banned = torch.tensor(banned, dtype=torch.long, device=loaded.device)

    def prefill(self, slot: Slot, ids: Sequence[int], poll: Poll) -> torch.Tensor:
        """Extend the slot by `ids`, at least one; returns the last one's logits. `poll` may interrupt."""
        logits: torch.Tensor | None = None
        for start in range(0, len(ids), self.chunk_tokens):
            reason = poll()
            if reason is not None:
                raise InterruptedPrefillError(reason)
            chunk = ids[start : start + self.chunk_tokens]
            logits = self.extend(slot, chunk)
            self.counters.prefill_chunks += 1
            self.counters.prefilled_tokens += len(chunk)
        if logits is None:
            raise ValueError("prefill needs at least one token")
        return logits

    def decode(
        self, slot: Slot, logits: torch.Tensor, *, max_tokens: int, poll: Poll, num_runners_up: int = 0
    ) -> Decoding:
        """Greedy steps from `logits`, computed as they are asked for."""
        return Decoding(self, slot, logits, max_tokens, poll, num_runners_up)

    @torch.inference_mode()
    def extend(self, slot: Slot, ids: Sequence[int]) -> torch.Tensor:
        """One forward pass over `ids` behind the slot's sequence; returns the last one's logits, float32."""
        output = self.loaded.model(
            input_ids=torch.tensor([ids], dtype=torch.long, device=self.loaded.device),
            past_key_values=slot.cache,
            use_cache=True,
            # An index, not the number 1: a slice is not contiguous, and torch would then copy the whole head.
            logits_to_keep=torch.tensor([len(ids) - 1], device=self.loaded.device),
        )
        slot.commit(ids)
        return output.logits[0, -1].float()  # type: ignore[no-any-return]

    @torch.inference_mode()
    def choose(self, logits: torch.Tensor, num_runners_up: int = 0) -> Step:
        """The likeliest id that is no padding row and not banned."""
        allowed = logits[: self._num_valid_ids].index_fill(0, self._banned, -torch.inf)
        best = allowed.argmax()
        total = allowed.logsumexp(0)
        step = Step(int(best), float(allowed[best] - total))
        if num_runners_up == 0:
            return step
        skipped = {step.token_id} | self.loaded.eos_ids
        values, ids = (allowed - total).topk(min(num_runners_up + len(skipped), len(allowed)))
        others = [Step(*pair) for pair in zip(ids.tolist(), values.tolist(), strict=True)]
        others = [each for each in others if each.token_id not in skipped and each.logprob > -torch.inf]
        return replace(step, runners_up=tuple(others[:num_runners_up]))


def default_chunk_tokens(loaded: LoadedModel) -> int:
    """As many tokens as take about a tenth of a second: so long may a cancel go unnoticed.

    Fixed per model, not adapted to the clock, so that the same prompt is always computed the same way.
    """
    if loaded.device.type != "cpu":
        return _GPU_CHUNK_TOKENS
    smallest, largest = _CPU_CHUNK_TOKENS
    return max(smallest, min(largest, largest * 50_000_000 // loaded.num_parameters))


class Decoding:
    """Iterates over the steps of one answer; afterwards `finish_reason` says why it ended.

    The end-of-sequence token is not among the steps. The last token is not written to the slot: nobody needs
    its keys yet.
    """

    def __init__(
        self,
        decoder: Decoder,
        slot: Slot,
        logits: torch.Tensor,
        max_tokens: int,
        poll: Poll,
        num_runners_up: int,
    ) -> None:
        self.finish_reason: FinishReason | None = None
        self.end: Step | None = None
        """The step that ended the sequence, if one did."""
        self._decoder = decoder
        self._num_runners_up = num_runners_up
        self._steps = self._run(slot, logits, max_tokens, poll)

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def stop(self) -> None:
        """End by rule: no further step is computed."""
        self._steps.close()
        self.finish_reason = FinishReason.STOP

    def _run(
        self, slot: Slot, logits: torch.Tensor, max_tokens: int, poll: Poll
    ) -> Generator[Step, None, None]:
        token_id: int | None = None
        for _ in range(max_tokens):
            self.finish_reason = poll()
            if self.finish_reason is not None:
                return
            if token_id is not None:
                logits = self._decoder.extend(slot, [token_id])
                self._decoder.counters.decode_steps += 1
            step = self._decoder.choose(logits, self._num_runners_up)
            token_id = step.token_id
            if token_id in self._decoder.loaded.eos_ids:
                self.finish_reason, self.end = FinishReason.EOS, step
                return
            yield step
        self.finish_reason = FinishReason.BUDGET
