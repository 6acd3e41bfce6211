"""The engine's runtime on random weights of a real configuration: passes against what the device can do.

Knows ids and tensors; knows no text, no tokenizer and no HTTP. transformers runs on the same weights.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.engine_speed import random_model
from benchmarks.engine_speed.configs import Config
from engine.api import CompletionRequest

if TYPE_CHECKING:
    from engine.runtime.decode import Decoder
    from engine.runtime.kv_cache import Slot
    from engine.runtime.model import LoadedModel
    from engine.runtime.worker import Outcome, Worker

KEY_TOKENS = 24
"""Written at each key."""
DECODED_TOKENS = 64
NUM_CANCELS = 5
PATIENCE_S = 120


def measure(config: Config, device: str, num_keys: int) -> dict[str, Any]:
    """All figures; times in milliseconds."""
    from engine.runtime.decode import Decoder

    loaded = random_model.load_random(config, device)
    rates = {
        "copy_gb_per_s": round(random_model.copy_gb_per_s(loaded.device), 1),
        "matrix_tflop_per_s": round(random_model.matrix_tflop_per_s(loaded.device), 2),
    }
    text = _Text(config)
    decoder = Decoder(loaded)
    figures = {"config": config.name, "device": str(loaded.device), **rates}
    figures |= _decoding(decoder, text, rates["copy_gb_per_s"])
    figures |= _cold(decoder, text, rates["matrix_tflop_per_s"])
    figures |= _keys(decoder, text, num_keys)
    figures |= _transformers_keys(loaded, text, max(2, num_keys // 4))
    figures |= _worker_keys_and_cancels(loaded, text, num_keys)
    return figures | _memory(loaded)


class _Text:
    """Random ids as a file: a long prefix, what is typed, a suffix."""

    def __init__(self, config: Config) -> None:
        self.config = config
        chance = random.Random(0)  # noqa: S311

        def some(num: int) -> list[int]:
            return [chance.randrange(config.vocab) for _ in range(num)]

        room = config.warm_tokens - max(KEY_TOKENS, DECODED_TOKENS)
        self.prefix, self.suffix = some(room - 2 * config.suffix_tokens), some(config.suffix_tokens)
        self.typed = some(config.suffix_tokens)
        self.cold = some(config.cold_tokens - DECODED_TOKENS)

    def anchored(self, num_keys: int) -> list[int]:
        """What is typed stands last: one more id is read at each key."""
        return self.prefix + self.suffix + self.typed[:num_keys]

    def psm(self, num_keys: int) -> list[int]:
        """What is typed stands before the suffix, which is read again at each key."""
        return self.prefix + self.typed[:num_keys] + self.suffix


def _decoding(decoder: Decoder, text: _Text, gb_per_s: float) -> dict[str, Any]:
    """One pass after the other behind a warm prompt, against its floor."""
    loaded = decoder.loaded
    ids = text.anchored(1)
    slot = loaded.new_slot()
    slot.reserve(len(ids) + 2 * DECODED_TOKENS)
    _key(decoder, slot, ids, DECODED_TOKENS)  # what is made at a first use is made now
    num_read = len(ids) + DECODED_TOKENS // 2
    _, ms = _key(decoder, slot, ids, DECODED_TOKENS)
    floor_ms = (loaded.weight_bytes + num_read * loaded.kv_bytes_per_token) / gb_per_s / 1e6
    return {
        "decode_ms_per_token": round(ms, 3),
        "decode_floor_ms": round(floor_ms, 3),
        "decode_over_floor": round(ms / floor_ms, 3),
    }


def _cold(decoder: Decoder, text: _Text, tflop_per_s: float) -> dict[str, Any]:
    """A long prompt that nothing is known of."""
    config, num = text.config, len(text.cold)
    # Causal: a token sees half of them on average; scores and values are a product each.
    attention = 2 * 2 * config.layers * config.heads * config.head_dim * num * num / 2
    tflop = (2 * config.matrix_parameters * num + attention) / 1e12
    slot = decoder.loaded.new_slot()
    slot.reserve(num)
    seconds = []
    for _ in range(2):
        slot.rewind(0)
        begun = time.perf_counter()
        decoder.prefill(slot, text.cold, lambda: None)
        random_model.wait_for(decoder.loaded.device)
        seconds.append(time.perf_counter() - begun)
    slot.evict()
    return {
        "cold_prefill_ms": round(seconds[1] * 1000, 1),
        "cold_first_ms": round(seconds[0] * 1000, 1),
        "cold_tokens": num,
        "cold_of_matrix_rate": round(tflop / tflop_per_s / seconds[1], 3),
    }


def _keys(decoder: Decoder, text: _Text, num_keys: int) -> dict[str, Any]:
    """A key to 24 tokens with no draft tried, for both layouts, key by key in turn."""
    layouts: dict[str, Callable[[int], list[int]]] = {"anchored": text.anchored, "psm": text.psm}
    slots = {name: decoder.loaded.new_slot() for name in layouts}
    times: dict[str, list[float]] = {name: [] for name in layouts}
    for num in range(num_keys + 1):
        for name, ids in layouts.items():
            ms, _ = _key(decoder, slots[name], ids(num), KEY_TOKENS)
            times[name] += [ms] if num else []
    return {f"key_ms_{name}": round(statistics.median(each), 2) for name, each in times.items()}


def _key(decoder: Decoder, slot: Slot, ids: list[int], num_tokens: int) -> tuple[float, float]:
    """Ms from a prompt to its answer, and ms of a decode pass; what the slot shares with the prompt stays."""
    from engine.runtime.kv_cache import common_length

    begun = time.perf_counter()
    slot.rewind(min(common_length(slot.token_ids, ids), len(ids) - 1))
    slot.reserve(len(ids) + num_tokens)
    logits = decoder.prefill(slot, ids[len(slot) :], lambda: None)
    steps = iter(decoder.decode(slot, logits, max_tokens=num_tokens, poll=lambda: None))
    next(steps)
    first = time.perf_counter()
    num_passes = sum(1 for _ in steps)
    end = time.perf_counter()
    return (end - begun) * 1000, (end - first) * 1000 / num_passes


def _transformers_keys(loaded: LoadedModel, text: _Text, num_keys: int) -> dict[str, Any]:
    """The same keys through `generate`, on the same weights and its own attention."""
    from benchmarks.engine_speed.kept_cache import KeptCache

    before = loaded.model.config._attn_implementation
    loaded.model.set_attn_implementation("sdpa")
    kept = KeptCache(loaded.model, KEY_TOKENS)
    times: dict[str, list[float]] = {"transformers": [], "transformers_cached": []}
    for num in range(num_keys + 1):
        fresh = KeptCache(loaded.model, KEY_TOKENS)
        for name, peer in (("transformers", fresh), ("transformers_cached", kept)):
            ms = peer.answer(text.psm(num)).ms
            times[name] += [ms] if num else []
    loaded.model.set_attn_implementation(before)
    return {f"key_ms_{name}": round(statistics.median(each), 2) for name, each in times.items()}


def _worker_keys_and_cancels(loaded: LoadedModel, text: _Text, num_keys: int) -> dict[str, Any]:
    """Keys through the worker, drafts tried as in the product; then how long a cancelled request goes on."""
    from engine.runtime.lane import Lane
    from engine.runtime.worker import Worker

    worker = Worker(Lane(loaded))
    try:
        times, prefilled = [], []
        for num in range(num_keys + 1):
            outcome, ms, _ = _submit(worker, text.anchored(num), KEY_TOKENS)
            times += [ms] if num else []
            prefilled += [outcome.timings.prefilled_tokens] if num else []
        cold_ms = _submit(worker, text.cold, 1)[1]
        cancels = []
        for num in range(NUM_CANCELS):
            other = text.cold[num + 1 :]  # shares nothing with what is in a slot
            cancels.append(
                _submit(worker, other, 1, cancel_after_ms=cold_ms * (num + 1) / (NUM_CANCELS + 1))[2]
            )
    finally:
        worker.close()
    return {
        "key_ms_worker": round(statistics.median(times), 2),
        "prefilled_per_key": statistics.median(prefilled),
        "cancel_to_idle_ms": round(statistics.median(cancels), 2),
        "cancel_to_idle_ms_max": round(max(cancels), 2),
    }


def _submit(
    worker: Worker, ids: list[int], num_tokens: int, cancel_after_ms: float | None = None
) -> tuple[Outcome, float, float]:
    """A job's outcome, its ms, and the ms from its cancel until the device is idle."""
    from engine.runtime.worker import Job

    outcomes: list[Outcome] = []
    is_done = threading.Event()

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        is_done.set()

    job = Job(CompletionRequest(tuple(ids), num_tokens), lambda *_: False, done)
    begun = cancelled = time.perf_counter()
    worker.submit(job)
    if cancel_after_ms is not None:
        is_done.wait(cancel_after_ms / 1000)
        cancelled = time.perf_counter()
        job.cancelled.set()
    if not is_done.wait(PATIENCE_S):
        raise RuntimeError(f"a job of {len(ids)} tokens did not end within {PATIENCE_S} s")
    if outcomes[0].error is not None:
        raise RuntimeError(outcomes[0].error)
    # A GPU may still work on what it was told before.
    random_model.wait_for(worker.loaded.device)
    end = time.perf_counter()
    return outcomes[0], (end - begun) * 1000, (end - cancelled) * 1000


def _memory(loaded: LoadedModel) -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {
        "weights_gib": round(loaded.memory_bytes / 2**30, 2),
        "dtype": random_model.DTYPE,
    }
    if loaded.device.type == "cuda":
        found["peak_gib"] = round(torch.cuda.max_memory_allocated(loaded.device) / 2**30, 2)
    return found
