"""Keys and values of token sequences, kept for reuse. Knows ids and tensors, no text and no model.

A slot holds one sequence. Its list of token ids is its length: to rewind is to shorten the list, to extend is
to let the model write behind it and then to commit the ids, so a forward pass that failed half way changed
nothing. Buffers grow in blocks and are written in place: no concatenation, no copy per token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from engine.errors import ModelError

BLOCK_TOKENS = 256


class Slot:
    """One token sequence and its keys and values."""

    def __init__(self, num_layers: int, dtype: torch.dtype) -> None:
        self.token_ids: list[int] = []
        self.capacity = 0
        self.last_used = 0
        self.moves = 0
        """How often a buffer was replaced: what was prepared for the old addresses is void."""
        self.owner: str | None = None
        """Whose prompt it holds, where that is known."""
        self._layers = [_SlotLayer(self, dtype) for _ in range(num_layers)]
        self.cache = Cache(layers=[*self._layers])
        """What a transformers model takes as `past_key_values`."""

    def __len__(self) -> int:
        return len(self.token_ids)

    def commit(self, ids: Sequence[int]) -> None:
        """The model has written these ids' keys and values."""
        self.token_ids.extend(ids)

    def rewind(self, length: int) -> None:
        """Forget everything after the first `length` tokens; costs nothing."""
        del self.token_ids[length:]

    def reserve(self, num_tokens: int) -> None:
        """Make room for a sequence of `num_tokens`; each layer grows when it is written next."""
        self.capacity = max(self.capacity, _in_blocks(num_tokens))

    def buffers(
        self, shape: tuple[int, int], num_tokens: int, device: torch.device
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Each layer's keys and values, (kv_heads, capacity, head_dim), with room for `num_tokens`.

        `shape` is (kv_heads, head_dim). Rows that no token has filled hold finite numbers.
        """
        self.reserve(num_tokens)
        return [layer.room(shape, num_tokens, device) for layer in self._layers]

    def copy_from(self, other: Slot, length: int) -> None:
        """Become a copy of the other's first `length` tokens."""
        self.rewind(0)  # at once, lest a copy that fails half way leaves old ids over new keys
        self.reserve(length)
        for mine, theirs in zip(self._layers, other._layers, strict=True):
            mine.copy_from(theirs, length)
        self.token_ids = other.token_ids[:length]

    def evict(self) -> None:
        """Forget all and give the memory back."""
        self.token_ids.clear()
        self.capacity = 0
        self.owner = None
        self.moves += 1
        for layer in self._layers:
            layer.keys = layer.values = None


class SlotPool:
    """A fixed number of slots, together within `max_tokens`; finds the one that shares most with a prompt."""

    def __init__(self, new_slot: Callable[[], Slot], *, num_slots: int, max_tokens: int) -> None:
        self.slots = [new_slot() for _ in range(num_slots)]
        self.max_tokens = max_tokens
        self._clock = 0

    def acquire(
        self, ids: Sequence[int], num_tokens: int | None = None, owner: str | None = None
    ) -> tuple[Slot, int]:
        """A slot whose sequence begins like `ids`, and how many tokens of it are reused.

        Always fewer than `len(ids)`, so that the last token is computed and logits exist. The slot is rewound
        to what is reused and has room for `num_tokens` (the prompt and its answer). Raises ModelError if that
        is more than the pool may hold.
        """
        prompt = list(ids)
        room = _in_blocks(num_tokens or len(prompt))
        if room > self.max_tokens:
            raise ModelError(
                f"A prompt of {len(prompt)} tokens needs more memory than the engine may use (room for "
                f"{self.max_tokens} tokens): raise engine.memoryGb or lower context.budgetTokens."
            )
        common, best = self._most_common(prompt)
        reused = min(common, len(prompt) - 1)
        slot = self._choose(best, common, room, owner)
        slot.reserve(room)
        self._evict_until_all_fit(slot, best)
        if slot is best:
            slot.rewind(reused)
        else:
            slot.copy_from(best, reused)
        slot.owner = owner
        self._use(slot)
        return slot, reused

    def touch(self, ids: Sequence[int]) -> bool:
        """Whether a slot holds all of `ids`, which then counts as used now."""
        common, slot = self._most_common(list(ids))
        if common == len(ids):
            self._use(slot)
        return common == len(ids)

    def limit(self, max_tokens: int) -> None:
        """Hold no more than that from now on; the longest unused slots go. Only between passes."""
        self.max_tokens = max_tokens
        self._evict_until_all_fit()

    def evict_all(self) -> None:
        """Give all memory back."""
        for slot in self.slots:
            slot.evict()

    def _use(self, slot: Slot) -> None:
        self._clock += 1
        slot.last_used = self._clock

    def cached_tokens(self, ids: Sequence[int]) -> int:
        """How many of the first `ids` are in a slot. Changes nothing; any thread may ask at any time.

        A slot's ids are copied in one step, so that a pass under way is seen as it was before or as it is
        after, never half.
        """
        prompt = list(ids)
        return max(common_length(slot.token_ids.copy(), prompt) for slot in self.slots)

    def _most_common(self, prompt: list[int]) -> tuple[int, Slot]:
        """The longest common prefix over all slots and whose it is; the most recent one of equals."""
        found = ((common_length(slot.token_ids, prompt), slot) for slot in self.slots)
        return max(found, key=lambda pair: (pair[0], pair[1].last_used))

    def _choose(self, best: Slot, common: int, room: int, owner: str | None) -> Slot:
        """The slot to write into: `best` itself, or an empty or the least recently used one for a copy.

        Rewinding throws away what follows the common part: right for the same document, which shares most of
        its slot, wrong for another one, which will be typed in again.
        """
        other = min(self.slots, key=lambda slot: (len(slot) > 0, slot.last_used))
        is_anothers = None not in (owner, best.owner) and owner != best.owner
        is_own = 2 * common >= len(best) and not is_anothers
        return best if is_own or best.capacity + room > self.max_tokens else other

    def _evict_until_all_fit(self, *kept: Slot) -> None:
        """Evict others than these, the longest unused first, until the reservations fit together."""
        for other in sorted(self.slots, key=lambda each: each.last_used):
            if sum(each.capacity for each in self.slots) <= self.max_tokens:
                return
            if other not in kept:
                other.evict()


def common_length(a: list[int], b: list[int]) -> int:
    """How many ids two sequences share from their beginning, by halving: whole lists compare fast."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _in_blocks(num_tokens: int) -> int:
    return -(-num_tokens // BLOCK_TOKENS) * BLOCK_TOKENS


class _SlotLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's buffers, (1, kv_heads, capacity, head_dim); the first `len(slot)` rows are valid."""

    is_sliding = False

    def __init__(self, slot: Slot, dtype: torch.dtype) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._slot = slot
        self._dtype = dtype

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing to prepare: buffers are made when they are first written."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: object, **_kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write behind the sequence; return all keys and values up to and with the new ones."""
        start = len(self._slot)
        end = start + key_states.shape[2]
        self._slot.reserve(end)
        self.keys = self._write(self.keys, key_states, start, end)
        self.values = self._write(self.values, value_states, start, end)
        return self.keys[:, :, :end], self.values[:, :, :end]

    def copy_from(self, other: _SlotLayer, length: int) -> None:
        if other.keys is not None and other.values is not None:
            self.keys = self._write(self.keys, other.keys[:, :, :length], 0, length)
            self.values = self._write(self.values, other.values[:, :, :length], 0, length)

    @torch.inference_mode()
    def room(
        self, shape: tuple[int, int], num_tokens: int, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See Slot.buffers."""
        if self.keys is None or self.values is None or self.keys.shape[2] < num_tokens:
            none = torch.empty((1, shape[0], 0, shape[1]), dtype=self._dtype, device=device)
            start = len(self._slot)
            self.keys, self.values = (self._grown(each, none, start) for each in (self.keys, self.values))
        return self.keys[0], self.values[0]

    def _grown(self, buffer: torch.Tensor | None, like: torch.Tensor, length: int) -> torch.Tensor:
        """A buffer of the slot's capacity with the first `length` tokens of the old one.

        The rest is zero: what reads beyond the sequence under a mask must find numbers there.
        """
        self._slot.moves += 1
        batch, heads, _, dim = like.shape
        grown = torch.zeros((batch, heads, self._slot.capacity, dim), dtype=self._dtype, device=like.device)
        if buffer is not None:
            grown[:, :, :length] = buffer[:, :, :length]
        return grown

    @torch.inference_mode()
    def _write(self, buffer: torch.Tensor | None, new: torch.Tensor, start: int, end: int) -> torch.Tensor:
        if buffer is None or buffer.shape[2] < end:
            buffer = self._grown(buffer, new, start)
        buffer[:, :, start:end] = new
        return buffer

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Number of keys the next pass sees, and the position of the first."""
        return len(self._slot) + query_length, 0

    def get_seq_length(self) -> int:
        """Number of tokens held: the position of the next one."""
        return len(self._slot)

    def get_max_length(self) -> int:
        """No maximum."""
        return -1
