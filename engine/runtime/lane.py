"""One model in memory with its decoder and its slots: what a worker's jobs run on. Knows no jobs and no text.

Whoever uses or changes the slots holds `turn`: the worker while a job runs, any other thread in between.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import torch

from engine.runtime.decode import Counters, Decoder
from engine.runtime.kv_cache import BLOCK_TOKENS, SlotPool
from engine.runtime.model import LoadedModel, kv_budget_bytes

NUM_SLOTS = 8
"""More prompts are seldom alive at once: what is typed in, asked ahead and warm, of a few documents."""


class Lane:
    """A model's decoder and slots, from its first job to its release."""

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
        kv_bytes: int | None = None,
        counters: Counters | None = None,
    ) -> None:
        """`kv_bytes` bounds the slots, else `memory_gb` bounds weights and slots; the rest as for Decoder."""
        self.loaded = loaded
        self.turn = threading.Lock()
        self.is_released = False
        """No job can run on it any more. Changes while `turn` is held."""
        self.decoder = Decoder(
            loaded,
            num_valid_ids=num_valid_ids,
            banned_ids=banned_ids,
            token_bytes=token_bytes,
            chunk_tokens=chunk_tokens,
            counters=counters,
        )
        self.kv_bytes = kv_budget_bytes(loaded, memory_gb) if kv_bytes is None else kv_bytes
        """What the slots may take together."""
        self.pool = SlotPool(loaded.new_slot, num_slots=num_slots, max_tokens=self._num_tokens())

    @property
    def bytes_per_token(self) -> float:
        """Of a slot that grows: while a layer's buffers do, its old ones are still there."""
        return self.loaded.kv_bytes_per_token * (1 + 1 / self.loaded.num_layers)

    def _num_tokens(self) -> int:
        return int(self.kv_bytes / self.bytes_per_token)

    @property
    def longest(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        return min(self.loaded.context_length, self.pool.max_tokens // BLOCK_TOKENS * BLOCK_TOKENS)

    def cached_tokens(self, ids: Iterable[int]) -> int:
        """How many of the first `ids` a request would find in a slot now. Never waits for the model."""
        return self.pool.cached_tokens(list(ids))

    def held(self) -> dict[str, int]:
        """What the slots hold now, in slots and in tokens; any thread may ask."""
        lengths = [len(slot) for slot in self.pool.slots]
        return {
            "slots_in_use": sum(length > 0 for length in lengths),
            "kv_tokens": sum(lengths),
            "kv_tokens_reserved": sum(slot.capacity for slot in self.pool.slots),
            "kv_tokens_limit": self.pool.max_tokens,
        }

    def limit(self, kv_bytes: int) -> None:
        """Bound the slots anew, evicting what is beyond; waits for a job that runs here."""
        with self.turn:
            self.kv_bytes = kv_bytes
            self.pool.limit(self._num_tokens())
        self._give_back()

    def evict_all(self) -> None:
        """Empty all slots and give their memory back; waits for a job that runs here."""
        with self.turn:
            self.pool.evict_all()
        self._give_back()

    def release(self) -> None:
        """The end: slots are emptied, and jobs that still come are refused."""
        with self.turn:
            self.is_released = True
            self.pool.evict_all()
        self._give_back()

    def _give_back(self) -> None:
        if self.loaded.device.type == "cuda":
            torch.cuda.empty_cache()
