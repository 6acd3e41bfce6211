"""Passes over few tokens, recorded once and replayed: a GPU then waits for no Python between kernels.

A recording is fixed to a slot's buffers, a number of tokens and a number of keys read. It is made when first
needed and dropped when the buffers move. Whatever cannot be recorded runs as it did before. Knows no prompts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

import torch

from engine.runtime.kv_cache import Slot
from engine.runtime.llama import Buffers, LlamaForward

_log = logging.getLogger(__name__)

_TOKENS = (1, 2, 4, 8, 16)
"""Sizes of recorded passes; fewer tokens are padded up."""

_READ_TOKENS = 1024
"""Keys are read in multiples of this, under a mask: few recordings, and at most so many keys too many."""

_WARM_UPS = 2


class Result(NamedTuple):
    """What a recorded pass leaves on the device; the next replay overwrites it."""

    logits: torch.Tensor
    """(tokens, vocabulary), float32."""
    chosen: torch.Tensor
    """(tokens,), int64: the likeliest allowed ids."""
    logprobs: torch.Tensor
    """(tokens,), float32: of those."""


class Recorder(Protocol):
    """Records device work."""

    def record(self, work: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """A call that repeats the work on whatever its inputs hold then, and the tensors that it fills."""
        ...


class CudaRecorder:
    """CUDA graphs, all in one memory pool: no two of them ever run at once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, work: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        """See Recorder."""
        with torch.cuda.device(self._device):
            # Libraries set themselves up in their first calls, which must not be recorded.
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                for _ in range(_WARM_UPS):
                    work()
            torch.cuda.current_stream().wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # Only this thread is forbidden what breaks a recording: another one may be loading a chat model.
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                result = work()

        def replay() -> None:
            with torch.cuda.device(self._device):
                graph.replay()

        return replay, result


class _Recording(NamedTuple):
    replay: Callable[[], None]
    result: Result


class _OfSlot(NamedTuple):
    moves: int
    by_shape: dict[tuple[int, int], _Recording]
    """By number of tokens and number of keys read."""


class GraphedForward:
    """A LlamaForward whose passes over up to 16 tokens are replayed."""

    def __init__(self, forward: LlamaForward, recorder: Recorder) -> None:
        self._forward = forward
        self._recorder: Recorder | None = recorder
        self._inputs = {num: torch.zeros(num + 1, dtype=torch.long, device=forward.device) for num in _TOKENS}
        """Ids and, last, the first one's position: where every recording of that size reads them."""
        self._bias = torch.zeros(forward.vocab_size, device=forward.device)
        self._recordings: WeakKeyDictionary[Slot, _OfSlot] = WeakKeyDictionary()

    @property
    def step_bytes(self) -> int:
        """See Forward."""
        return self._forward.step_bytes

    @property
    def is_recording(self) -> bool:
        """Whether nothing has failed so far."""
        return self._recorder is not None

    @torch.inference_mode()
    def __call__(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """See Forward."""
        recording = self._recording(slot, len(slot), len(ids))
        if recording is None:
            return self._forward(slot, ids, num_logits)
        num, found = recording
        self._give(num, [*ids, *[0] * (num - len(ids)), len(slot)])
        found.replay()
        return found.result.logits[len(ids) - num_logits : len(ids)].clone()

    def forbid(self, ids: Sequence[int]) -> None:
        """Never choose these in `decode`."""
        self._bias.zero_().index_fill_(0, torch.tensor(list(ids), device=self._bias.device), -torch.inf)

    @torch.inference_mode()
    def decode(self, slot: Slot, token_id: int, max_tokens: int) -> Iterator[tuple[int, float]] | None:
        """Greedy ids and log-probabilities after `token_id`, which stands behind the slot's sequence.

        A step's id stays on the device and is the next one's input, so the next step is under way before the
        host reads it: the device never waits. Nothing is committed; when the caller stops, one step too many
        was written behind the sequence. None if this cannot be recorded.
        """
        start = len(slot)
        if self._recording(slot, start + max_tokens - 1, 1) is None:
            return None
        return self._decode(slot, token_id, start, max_tokens)

    @torch.inference_mode()
    def _decode(self, slot: Slot, token_id: int, start: int, max_tokens: int) -> Iterator[tuple[int, float]]:
        inputs = self._give(1, [token_id, start])
        under_way: _Read | None = None
        for position in range(start, start + max_tokens):
            recording = self._recording(slot, position, 1)
            if recording is None:
                break
            result = recording[1].result
            recording[1].replay()
            inputs[:1].copy_(result.chosen)
            inputs[1:].add_(1)
            before, under_way = under_way, _Read(result)
            if before is not None:
                yield before.values()
        if under_way is not None:
            yield under_way.values()

    def _give(self, num: int, values: Sequence[int]) -> torch.Tensor:
        inputs = self._inputs[num]
        host = torch.tensor(values)
        inputs.copy_(host.pin_memory() if inputs.is_cuda else host, non_blocking=True)
        return inputs

    def _recording(self, slot: Slot, start: int, num_tokens: int) -> tuple[int, _Recording] | None:
        """The one for `num_tokens` from position `start`, and to how many they are padded."""
        num = next((each for each in _TOKENS if each >= num_tokens), None)
        if self._recorder is None or num is None:
            return None
        buffers = self._forward.buffers(slot, start + num_tokens)
        capacity = min(keys.shape[1] for keys, _ in buffers)
        if start + num > capacity:
            return None
        read = min(-(-(start + num) // _READ_TOKENS) * _READ_TOKENS, capacity)
        of_slot = self._recordings.get(slot)
        if of_slot is None or of_slot.moves != slot.moves:
            of_slot = self._recordings[slot] = _OfSlot(slot.moves, {})
        if (num, read) not in of_slot.by_shape:
            made = self._record(self._recorder, buffers, start, num, read)
            if made is None:
                return None
            of_slot.by_shape[num, read] = made
        return num, of_slot.by_shape[num, read]

    def _record(
        self, recorder: Recorder, buffers: Buffers, start: int, num: int, read: int
    ) -> _Recording | None:
        inputs = self._inputs[num]
        kept = inputs.clone()  # the next step of `decode` may be there already
        self._give(num, [*[0] * num, start])

        def work() -> Result:
            window = self._forward.static_window(buffers, inputs[num], num, read)
            logits = self._forward.logits(self._forward.hidden(inputs[:num], window))
            allowed = logits + self._bias
            best, chosen = allowed.max(-1)
            return Result(logits, chosen, best - allowed.logsumexp(-1))

        try:
            return _Recording(*recorder.record(work))
        except RuntimeError:  # what torch raises for all that goes wrong on a device, lack of memory included
            _log.warning("CUDA graphs do not work here; going on without them", exc_info=True)
            self._recorder = None
            self._recordings.clear()
            return None
        finally:
            inputs.copy_(kept)


class _Read:
    """One step's id and log-probability on their way to the host."""

    def __init__(self, result: Result) -> None:
        device = result.chosen.device
        self._event = torch.cuda.Event() if device.type == "cuda" else None
        self._chosen = self._to_host(result.chosen)
        self._logprob = self._to_host(result.logprobs)
        if self._event is not None:
            self._event.record(torch.cuda.current_stream(device))

    def values(self) -> tuple[int, float]:
        """Waits for this step, not for the one after it."""
        if self._event is not None:
            self._event.synchronize()
        return int(self._chosen), float(self._logprob)

    def _to_host(self, value: torch.Tensor) -> torch.Tensor:
        host = torch.empty(value.shape, dtype=value.dtype, pin_memory=value.is_cuda)
        return host.copy_(value, non_blocking=True)
