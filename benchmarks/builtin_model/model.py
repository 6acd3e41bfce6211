"""One model in this process: what it writes into a hole, and how likely it finds the truth. Ids in, text out.

Runs the engine's own worker, lane and stop rules, one prompt after the other, without HTTP. Knows no sites
and no scores.
"""

from __future__ import annotations

import queue
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from engine.api import CompletionRequest, FinishReason, StopRules
from engine.errors import ModelError
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Job, Outcome
from engine.runtime.resident import EngineOptions, ResidentModel
from engine.runtime.sink import TextSink
from engine.runtime.worker import Worker
from engine.stopping import Stopper
from engine.tokens import Tokenizer

PREFILL_TOKENS, DECODE_TOKENS, NUM_TIMED = 1024, 48, 5


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt, and the truth if its likelihood is wanted."""

    ids: tuple[int, ...]
    rules: StopRules
    max_tokens: int
    heal: str = ""
    seen: tuple[int, ...] = ()
    """The prompt without healing, before the truth."""
    middle: tuple[int, ...] = ()
    """The truth."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model made of it."""

    text: str
    loss: float | None = None
    """Of the truth: the sum over its tokens, natural logarithm; None if it was not given."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians."""

    prefill_ms: float
    """Per token."""
    decode_ms: float


class Model:
    """A loaded model that answers one prompt at a time."""

    def __init__(self, resident: ResidentModel) -> None:
        if resident.worker is None or resident.tokenizer is None:
            raise ModelError(resident.message or "the model is not loaded")
        self._resident = resident
        self._worker: Worker = resident.worker
        self._tokenizer: Tokenizer = resident.tokenizer

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load it here; raises ModelError."""
        resident = ResidentModel(EngineOptions(model=str(folder)))
        resident.load()
        return cls(resident)

    def reply(self, ask: Ask) -> Reply:
        """Greedily; raises ModelError."""
        text = self._say(ask)
        return Reply(text, self._loss(ask) if ask.middle else None)

    def speed(self) -> Speed:
        """Of prompts that share nothing, and of plain steps behind them."""
        ids = [7 + (num * 7919) % (self._tokenizer.num_ids - 7) for num in range(PREFILL_TOKENS)]
        prefills, decodes = [], []
        for num in range(NUM_TIMED):
            prompt = ids[num:] + ids[:num]
            with self._lane.turn:
                slot, reused = self._lane.pool.acquire(prompt, PREFILL_TOKENS + DECODE_TOKENS)
                begun = time.perf_counter()
                self._lane.decoder.prefill(slot, prompt[reused:], _never)
                read = time.perf_counter()
                for token_id in prompt[:DECODE_TOKENS]:
                    self._lane.decoder.extend(slot, [token_id])
                done = time.perf_counter()
            prefills.append((read - begun) / (PREFILL_TOKENS - reused))
            decodes.append((done - read) / DECODE_TOKENS)
        return Speed(statistics.median(prefills) * 1000, statistics.median(decodes) * 1000)

    def close(self) -> None:
        """Let go of it."""
        self._resident.close()

    @property
    def _lane(self) -> Lane:
        return self._worker.lane

    def _say(self, ask: Ask) -> str:
        request = CompletionRequest(ask.ids, ask.max_tokens, stop_rules=ask.rules, heal=ask.heal)
        sink = TextSink(self._tokenizer, Stopper(ask.rules), heal=ask.heal)
        done: queue.Queue[Outcome] = queue.Queue()
        self._worker.submit(Job(request, sink, done.put))
        outcome = done.get()
        if outcome.error is not None:
            raise ModelError(outcome.error)
        return sink.text

    def _loss(self, ask: Ask) -> float:
        """The prompt was just read, so that little more than the truth is new."""
        import torch

        *before, last = ask.seen
        with self._lane.turn, torch.inference_mode():
            slot, reused = self._lane.pool.acquire(ask.seen, len(ask.seen) + len(ask.middle))
            if before[reused:]:
                self._lane.decoder.prefill(slot, before[reused:], _never)
            rows = self._lane.decoder.read(slot, [last, *ask.middle[:-1]], len(ask.middle))
            truth = torch.tensor(ask.middle, device=rows.device)
            return float(torch.nn.functional.cross_entropy(rows, truth, reduction="sum"))


def _never() -> FinishReason | None:
    return None
