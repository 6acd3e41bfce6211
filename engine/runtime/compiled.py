"""A Llama with int8 rows on a CPU: few tokens through a compiled pass, many through torch.

Both write the same slots. Where numba is missing or fails, torch does all of it. Knows no prompts.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.functional import embedding

from engine.build import build_id
from engine.errors import EngineUnavailableError
from engine.runtime.forward import Forward
from engine.runtime.kv_cache import Slot
from engine.runtime.linear import Int8Linear, Linear, Rows
from engine.runtime.llama import LlamaForward
from engine.runtime_dir import state_dir

__all__ = ["MAX_TOKENS", "CompiledForward", "compiled_if_possible"]

_log = logging.getLogger(__name__)

MAX_TOKENS = 8
"""Arithmetic costs by the token: beyond, torch's products are faster."""

KEPT_DAYS = 30
"""Compiled code of a build that was not started for so long is removed."""
_LANES = 16
_NUMPY_DTYPES = {torch.float32: np.float32, torch.bfloat16: np.uint16}
"""How numpy sees what a slot keeps: it has no bfloat16."""


class _Sizes(NamedTuple):
    """Of a model."""

    hidden: int
    inner: int
    heads: int
    kv_heads: int
    dim: int
    vocab: int


def compiled_if_possible(llama: LlamaForward, new_slot: Callable[[], Slot]) -> Forward:
    """The model with a compiled pass, ready to run; the model as it is where that cannot be."""
    if not _fits(llama):
        return llama
    try:
        forward = CompiledForward(llama)
        forward(new_slot(), [0])  # compiles
    except Exception as error:  # noqa: BLE001 - numba fails in many ways on machines it does not know; torch is always there
        _log.warning("decoding without compiled loops, which is slower: %s", error)
        return llama
    # One thread reads at one core's bandwidth; torch's may be more, with more of it.
    is_alone = torch.get_num_threads() == 1
    return forward if is_alone or _seconds(forward, new_slot()) <= _seconds(llama, new_slot()) else llama


class CompiledForward:
    """Takes the same calls as the LlamaForward that it is made from."""

    def __init__(self, llama: LlamaForward) -> None:
        """Raises ImportError without numba."""
        self.llama = llama
        self._read_tokens = _compile()
        _put_together([each for each in llama.matrices if isinstance(each, Int8Linear)])
        self._held: list[torch.Tensor] = []
        """What addresses point to."""
        self._layers = np.array(
            [
                [
                    self._address(layer.attention_norm),
                    *self._matrix(layer.qkv),
                    *self._matrix(layer.output),
                    self._address(layer.mlp_norm),
                    *self._matrix(layer.gate_up),
                    *self._matrix(layer.down),
                ]
                for layer in llama.layers
            ],
            np.int64,
        )
        self._head = np.array([self._address(llama.norm_weight), *self._matrix(llama.head)], np.int64)
        self._frequencies = llama.frequencies.numpy()
        self._sizes = _sizes(llama)

    @property
    def step_bytes(self) -> int:
        """See Forward."""
        return self.llama.step_bytes

    @torch.inference_mode()
    def __call__(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """See Forward."""
        if len(ids) > MAX_TOKENS:
            return self.llama(slot, ids, num_logits)
        start = len(slot)
        buffers = self.llama.buffers(slot, start + len(ids))
        logits = self._read_tokens(
            embedding(torch.tensor(ids), self.llama.embedding).float().numpy(),
            start,
            num_logits,
            self._layers,
            self._head,
            self._sizes,
            self.llama.eps,
            self._frequencies,
            np.array([[k.data_ptr(), v.data_ptr(), k.shape[1]] for k, v in buffers], np.int64),
            np.empty(0, _NUMPY_DTYPES[buffers[0][0].dtype]),
        )
        return torch.from_numpy(logits)

    def _matrix(self, linear: Linear) -> tuple[int, int, int]:
        assert isinstance(linear, Int8Linear)
        bias = 0 if linear.bias is None else self._address(linear.bias)
        return self._address(linear.rows.values), self._address(linear.rows.scale), bias

    def _address(self, tensor: torch.Tensor) -> int:
        held = (tensor if tensor.dtype == torch.int8 else tensor.float()).contiguous()
        self._held.append(held)
        return held.data_ptr()


def _seconds(forward: Forward, slot: Slot) -> float:
    """The best of a few passes over one token."""
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        forward(slot, [0])
        best = min(best, time.perf_counter() - start)
    return best


def _put_together(matrices: Sequence[Int8Linear]) -> None:
    """Move rows into one piece of memory: numpy asks for large pages there, which saves a third of a step."""
    arena = torch.from_numpy(np.empty(sum(each.rows.values.numel() for each in matrices), np.int8))
    start = 0
    for matrix in matrices:
        values = matrix.rows.values
        part = arena[start : start + values.numel()].view_as(values)
        matrix.rows = Rows(part.copy_(values), matrix.rows.scale)
        start += values.numel()


def _compile() -> Callable[..., Any]:
    """Compiled code is kept in a folder of ours, by build: numba looks at one source file of several."""
    import numba

    try:
        folder = state_dir() / "compiled" / build_id()
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        _forget_old(folder.parent)
    except (EngineUnavailableError, OSError):
        folder = None
    if folder is not None:
        vars(numba.config)["CACHE_DIR"] = str(folder)
    from engine.runtime.loops import compile_pass

    return compile_pass(is_cached=folder is not None)


def _forget_old(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for build in folder.iterdir():
        if build.stat().st_mtime < oldest:
            shutil.rmtree(build, ignore_errors=True)


def _sizes(llama: LlamaForward) -> _Sizes:
    return _Sizes(
        hidden=llama.embedding.shape[1],
        inner=llama.inner,
        heads=llama.heads,
        kv_heads=llama.kv_heads,
        dim=llama.head_dim,
        vocab=llama.vocab_size,
    )


def _fits(llama: LlamaForward) -> bool:
    sizes = _sizes(llama)
    widths = sizes.hidden, sizes.inner, sizes.dim, sizes.vocab
    return (
        llama.device.type == "cpu"
        and llama.is_packed
        and llama.dtype in _NUMPY_DTYPES
        and not any(width % _LANES for width in widths)
    )
