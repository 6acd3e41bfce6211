"""Any mix of requests over several buffers is answered as without a cache, within the memory it may use."""

from __future__ import annotations

import random
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from engine.api import FinishReason, Priority
from engine.runtime import kv_cache, reference
from engine.runtime.kv_cache import BLOCK_TOKENS
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Job
from engine.runtime.model import LoadedModel
from engine.runtime.worker import Worker
from engine_jobs import CHUNK, TOKEN_BYTES, Ask, SetAfter

SHARED = random.Random(99).choices(range(2, 320), k=120)
"""What all buffers depend on."""
NUM_ASKS = 40


def naive(loaded: LoadedModel, ids: Sequence[int], max_tokens: int, heal: bytes) -> list[int]:
    """The oracle: the whole sequence anew for each token, and each id asked whether it may come."""
    said: list[int] = []
    while max_tokens > 0:
        row = reference.logits(loaded, [*ids, *said])[-1]
        if heal:
            is_allowed = [
                i not in loaded.eos_ids and text != b"" and (heal.startswith(text) or text.startswith(heal))
                for i, text in enumerate(TOKEN_BYTES)
            ]
            row = row.masked_fill(~torch.tensor(is_allowed), -torch.inf)
        token_id = int(row.argmax())
        if token_id in loaded.eos_ids:
            break
        said.append(token_id)
        max_tokens -= not 0 < len(TOKEN_BYTES[token_id]) <= len(heal)
        heal = heal[len(TOKEN_BYTES[token_id]) :]
    return said


class Buffers:
    """Three documents that are typed in, and what is asked about them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._texts = {name: [*SHARED, *self._ids(60)] for name in "abc"}

    def _ids(self, num: int) -> list[int]:
        return self._chance.choices(range(2, 320), k=num)

    def ask(self) -> Ask:
        """Somebody typed, edited or jumped somewhere, and a request of some kind is made."""
        chance = self._chance
        name = chance.choice("abc")
        self._texts[name] = text = self._edited(self._texts[name])
        heal = b"".join(chance.choices(TOKEN_BYTES[2:], k=2))[: chance.choice([1, 2, 4])]
        return Ask(
            text,
            cancelled=SetAfter(chance.randrange(12)) if chance.random() < 0.2 else None,
            draft_ids=(tuple(self._ids(4)), tuple(text[-30:])),
            max_tokens=chance.choice([0, 1, 4, 12]),
            priority=chance.choice(list(Priority)),
            document=chance.choice([name, None]),
            heal=heal.decode() if chance.random() < 0.3 else "",
        )

    def _edited(self, text: list[int]) -> list[int]:
        chance = self._chance
        kind = chance.random()
        if kind < 0.6:
            return [*text, *self._ids(chance.randrange(1, 4))][-320:]
        if kind < 0.8:
            place = chance.randrange(len(text))
            return [*text[:place], *self._ids(2), *text[place + chance.randrange(3) :]]
        return [*SHARED, *self._ids(chance.choice([10, 60, 150]))]


class Memory:
    """Watches every buffer that slots ever had: those alive never take more than they may."""

    def __init__(self, worker: Worker, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._limit = limit
        self._buffers: list[weakref.ref[torch.Tensor]] = []
        grown, acquire = kv_cache._SlotLayer._grown, worker.lane.pool.acquire

        def watched_grown(*args: Any) -> torch.Tensor:
            buffer = grown(*args)
            self._buffers.append(weakref.ref(buffer))
            self._check()
            return buffer

        def watched_acquire(*args: Any) -> Any:
            found = acquire(*args)
            assert sum(slot.capacity for slot in worker.lane.pool.slots) <= worker.lane.pool.max_tokens
            self._check()
            return found

        monkeypatch.setattr(kv_cache._SlotLayer, "_grown", watched_grown)
        monkeypatch.setattr(worker.lane.pool, "acquire", watched_acquire)

    def _check(self) -> None:
        alive = [buffer for ref in self._buffers if (buffer := ref()) is not None]
        self.most = max(self.most, sum(buffer.nbytes for buffer in alive))
        assert self.most <= self._limit


class Typist:
    """Submits the next ask when the model is idle, and now and then while it works, in its own thread."""

    def __init__(
        self, worker: Worker, asks: list[Ask], chance: random.Random, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._worker = worker
        self._coming: Iterator[Ask] = iter(asks)
        self._turn = threading.Lock()
        self._chance = chance
        self._read = worker.lane.decoder.read
        monkeypatch.setattr(worker.lane.decoder, "read", self._pass)

    def _pass(self, *args: Any) -> Any:
        if self._chance.random() < 0.1:
            self.submit_next()
        return self._read(*args)

    def submit_next(self) -> Ask | None:
        with self._turn:
            ask = next(self._coming, None)
            if ask is not None:
                self._worker.submit(ask.job)
            return ask


@pytest.mark.parametrize("num_blocks", [3, 5, 16], ids=["tight", "some", "ample"])
@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_the_cacheless_one_and_memory_stays_in_bounds(
    seed: int, num_blocks: int, small: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    limit = int(num_blocks * BLOCK_TOKENS * small.kv_bytes_per_token * (1 + 1 / small.num_layers)) + 1
    worker = Worker(
        Lane(
            small,
            chunk_tokens=CHUNK,
            token_bytes=TOKEN_BYTES,
            num_slots=4,
            memory_gb=(small.memory_bytes + limit) / 2**30,
        )
    )
    assert worker.lane.pool.max_tokens == num_blocks * BLOCK_TOKENS
    memory = Memory(worker, limit, monkeypatch)
    buffers = Buffers(chance)
    asks = [buffers.ask() for _ in range(NUM_ASKS)]
    interrupted: list[Job] = []
    put_back = worker._mailbox.put_back

    def watched(job: Job) -> list[Job]:
        interrupted.append(job)
        return put_back(job)

    monkeypatch.setattr(worker._mailbox, "put_back", watched)
    typist = Typist(worker, asks, chance, monkeypatch)

    while (ask := typist.submit_next()) is not None:
        ask.outcomes.put(ask.outcome())  # wait, and leave it to be looked at
    outcomes = [ask.outcome() for ask in asks]
    worker.close()

    reasons = [outcome.finish_reason for outcome in outcomes]
    for ask, outcome in zip(asks, outcomes, strict=True):
        request = ask.job.request
        expected = naive(small, ask.ids, request.max_tokens, request.heal.encode())
        assert outcome.error is None
        if outcome.finish_reason is FinishReason.CANCELLED:
            assert ask.tokens == expected[: len(ask.tokens)]
        else:
            assert ask.tokens == expected
    assert all(ask.outcomes.empty() for ask in asks)
    assert reasons.count(FinishReason.CANCELLED) < NUM_ASKS / 2
    assert interrupted
    assert memory.most > 0
    assert worker.counts.reused_tokens > worker.counters.prefilled_tokens / 2, "slots are of use"
