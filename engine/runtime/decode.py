"""The two verbs over a slot: prefill many known tokens in chunks, decode new ones step by step, greedily.

Token ids in, token ids out. A pass may verify several drafted tokens; the steps are the same as without.
Before every chunk and every step the caller's `poll` is asked whether to go on, so a cancelled request costs
at most the chunk or pass in progress, and the slot keeps what was computed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from engine.api import FinishReason
from engine.runtime.choice import Chooser, Step
from engine.runtime.compiled import CompiledForward
from engine.runtime.draft import CPU_COSTS, DEVICE_COSTS, MAX_DRAFTED, Draft, Drafter, DraftLength
from engine.runtime.graphs import GraphedForward
from engine.runtime.kv_cache import Slot
from engine.runtime.model import LoadedModel

__all__ = ["Counters", "Decoder", "Decoding", "InterruptedPrefillError", "Poll", "Step"]

Poll = Callable[[], FinishReason | None]
"""None to go on, or the reason to end now."""

_GPU_CHUNK_TOKENS = (128, 2048)
_GPU_CHUNK_WORK = 3.5e12
"""Parameters x tokens: at 2 operations each and 60 % of 790 TFLOP/s 15 ms, and up to 10 ms for attention over
16K tokens. That is 512 tokens of a 6.7B model; fewer than 128 would only read the weights more often."""
_CPU_CHUNK_TOKENS = (16, 192)


class InterruptedPrefillError(Exception):
    """`poll` gave a reason before the prompt was done; the slot keeps the chunks that were."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason = reason


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
        token_bytes: Sequence[bytes] | None = None,
        counters: Counters | None = None,
    ) -> None:
        """Ids from `num_valid_ids` on are padding rows; `banned_ids` are marks other than end of sequence.

        Healing needs `token_bytes`, the bytes of each id. `counters` may be another decoder's, to count both.
        """
        self.loaded = loaded
        self.chunk_tokens = chunk_tokens or default_chunk_tokens(loaded)
        self.polite_chunk_tokens = polite_chunk_tokens(loaded)
        self.counters = counters or Counters()
        self.draft_length = DraftLength(CPU_COSTS if loaded.device.type == "cpu" else DEVICE_COSTS)
        num_valid_ids = min(num_valid_ids or loaded.vocab_size, loaded.vocab_size)
        self.chooser = Chooser(num_valid_ids, loaded.eos_ids, banned_ids, token_bytes, loaded.device)
        if isinstance(loaded.forward, GraphedForward):
            loaded.forward.forbid([*self.chooser.banned_ids, *range(num_valid_ids, loaded.vocab_size)])

    def prefill(
        self, slot: Slot, ids: Sequence[int], poll: Poll, chunk_tokens: int | None = None
    ) -> torch.Tensor:
        """Extend the slot by `ids`, at least one; returns the last one's logits. `poll` may interrupt."""
        logits: torch.Tensor | None = None
        size = chunk_tokens or self.chunk_tokens
        for start in range(0, len(ids), size):
            reason = poll()
            if reason is not None:
                raise InterruptedPrefillError(reason)
            chunk = ids[start : start + size]
            logits = self.extend(slot, chunk)
            self.counters.prefill_chunks += 1
            self.counters.prefilled_tokens += len(chunk)
        if logits is None:
            raise ValueError("prefill needs at least one token")
        return logits

    def decode(
        self,
        slot: Slot,
        logits: torch.Tensor,
        *,
        max_tokens: int,
        poll: Poll,
        num_runners_up: int = 0,
        heal: bytes = b"",
        drafter: Drafter | None = None,
        begun: Sequence[int] = (),
    ) -> Decoding:
        """Greedy steps from `logits`, computed as they are asked for.

        The answer begins with `heal`; tokens that lie wholly inside it do not count towards `max_tokens`.
        `begun` is what the slot already holds of the answer: it counts, and is told to the drafter.
        """
        wanted = _Wanted(max_tokens, poll, num_runners_up, heal, drafter)
        return Decoding(self, slot, logits, wanted, begun)

    def extend(self, slot: Slot, ids: Sequence[int]) -> torch.Tensor:
        """One forward pass over `ids` behind the slot's sequence; returns the last one's logits, float32."""
        logits = self.read(slot, ids)
        slot.commit(ids)
        return logits[-1]

    def read(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """The same without the slot being any longer; the last ids' logits. All passes go through here."""
        return self.loaded.forward(slot, ids, num_logits)

    def replay(self, slot: Slot, last: int, max_tokens: int) -> Iterator[Step] | None:
        """Plain steps after `last`, each begun before the one before it is read; None if that cannot be."""
        forward = self.loaded.forward
        pairs = forward.decode(slot, last, max_tokens) if isinstance(forward, GraphedForward) else None
        return None if pairs is None else (Step(*pair) for pair in pairs)

    def choose(self, logits: torch.Tensor, num_runners_up: int = 0) -> Step:
        """The likeliest id that is no padding row and not banned."""
        return self.chooser.verify(logits[None], (), num_runners_up=num_runners_up)[0]


def default_chunk_tokens(loaded: LoadedModel) -> int:
    """As many tokens as take about a tenth of a second, 25 ms on a GPU: so long may a cancel go unnoticed.

    Fixed per model, not adapted to the clock, so that the same prompt is always computed the same way.
    """
    if loaded.device.type != "cpu":
        smallest, largest = _GPU_CHUNK_TOKENS
        wanted = int(_GPU_CHUNK_WORK / loaded.num_parameters)
        return max(smallest, min(largest, 1 << (wanted.bit_length() - 1)))
    smallest, largest = _CPU_CHUNK_TOKENS
    return max(smallest, min(largest, largest * 50_000_000 // loaded.num_parameters))


def polite_chunk_tokens(loaded: LoadedModel) -> int:
    """As many tokens as cost about one decode step: so long a completion waits while chat reads."""
    if loaded.device.type != "cpu":
        return _GPU_CHUNK_TOKENS[0]
    # Measured on the built-in model, in steps: compiled, 3 tokens 1.3 and 8 tokens 3; torch, 8 tokens 1.3.
    return 3 if isinstance(loaded.forward, CompiledForward) else 8


class _Wanted(NamedTuple):
    """What `decode` was asked for."""

    max_tokens: int
    poll: Poll
    num_runners_up: int
    heal: bytes
    drafter: Drafter | None


class Decoding:
    """Iterates over the steps of one answer; afterwards `finish_reason` says why it ended.

    The end-of-sequence token is not among the steps. Steps come one by one, however many a pass gave, and at
    each the slot holds what it would without drafts: all tokens but the last, whose keys nobody needs yet.
    """

    def __init__(
        self, decoder: Decoder, slot: Slot, logits: torch.Tensor, wanted: _Wanted, begun: Sequence[int] = ()
    ) -> None:
        self.finish_reason: FinishReason | None = None
        self.end: Step | None = None
        """The step that ended the sequence, if one did."""
        self.num_passes = 0
        self.num_drafted = 0
        self.num_accepted = 0
        """Of the drafted ones."""
        self._decoder = decoder
        self._slot = slot
        self._wanted = wanted
        self._heal = wanted.heal
        """What of it is left to spell."""
        self._left = wanted.max_tokens
        """Tokens that may still come, if they are not wholly inside `heal`."""
        self._replay: Iterator[Step] | None = None
        """Plain steps under way, since the last pass that verified a draft."""
        for token_id in begun:
            self._count(token_id)
        self._steps = self._run(logits)

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def stop(self) -> None:
        """End by rule: no further step is computed."""
        self._steps.close()
        self.finish_reason = FinishReason.STOP

    def _run(self, logits: torch.Tensor) -> Generator[Step, None, None]:
        ready: deque[Step] = deque()
        last: int | None = None
        while self._left > 0:
            self.finish_reason = self._wanted.poll()
            if self.finish_reason is not None:
                return
            if not ready:
                ready.extend(self._verified(logits[None], ()) if last is None else self._pass(last))
            if last is not None:
                # The pass before wrote its keys; they count from now on.
                self._slot.commit([last])
            step = ready.popleft()
            if step.token_id in self._decoder.loaded.eos_ids:
                self.finish_reason, self.end = FinishReason.EOS, step
                return
            last = step.token_id
            self._count(last)
            yield step
        self.finish_reason = FinishReason.BUDGET

    def _count(self, token_id: int) -> None:
        num_inside = 0
        if self._heal:
            self._heal, num_inside = self._decoder.chooser.healer.after(self._heal, [token_id])
        self._left -= 1 - num_inside
        if self._wanted.drafter is not None:
            self._wanted.drafter.add(token_id)

    def _pass(self, last: int) -> list[Step]:
        """One pass over the last token and a draft."""
        draft = self._draft()
        # A spelling is short, and much of it is forced: it is never cut.
        size = len(draft.ids) if self._heal else self._decoder.draft_length.choose(draft)
        drafted = draft.ids[:size]
        steps = self._replayed(last) if not drafted else None
        if steps is None:
            self._replay = None
            rows = self._decoder.read(self._slot, [last, *drafted], len(drafted) + 1)
            steps = self._verified(rows, drafted)
        num_accepted = len(steps) - 1
        self._decoder.counters.decode_steps += 1
        self.num_passes += 1
        self.num_drafted += len(drafted)
        self.num_accepted += num_accepted
        if draft.source:
            # Without a draft in the pass, the step still tells whether its first id was right.
            num_right = num_accepted if drafted else int(steps[0].token_id == draft.ids[0])
            self._decoder.draft_length.observe(draft.source, num_right, max(1, len(drafted)))
        return steps

    def _replayed(self, last: int) -> list[Step] | None:
        """One plain step, where the device can go on by itself."""
        if self._heal or self._wanted.num_runners_up:
            return None
        if self._replay is None:
            self._replay = self._decoder.replay(self._slot, last, self._left)
        step = next(self._replay, None) if self._replay is not None else None
        return None if step is None else [step]

    def _verified(self, rows: torch.Tensor, drafted: Sequence[int]) -> list[Step]:
        return self._decoder.chooser.verify(rows, drafted, self._heal, self._wanted.num_runners_up)

    def _draft(self) -> Draft:
        """Never more than what may still be said behind the pass's own token."""
        if self._heal:
            return Draft(self._decoder.chooser.healer.spelling(self._heal)[:MAX_DRAFTED], "")
        drafter = self._wanted.drafter
        return Draft([], "") if drafter is None else drafter.propose(self._left - 1)
