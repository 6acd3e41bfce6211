"""A model in memory, ready to run: device, dtypes, limits. Knows no prompts and keeps no keys and values."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from engine.errors import ModelError
from engine.model_folder import ModelFolder, find_model
from engine.runtime import attention
from engine.runtime.compiled import compiled_if_possible
from engine.runtime.forward import Forward, TransformersForward
from engine.runtime.graphs import CudaRecorder, GraphedForward
from engine.runtime.kv_cache import Slot
from engine.runtime.linear import Rows, quantise_rows
from engine.runtime.llama import LlamaForward, is_llama
from engine.runtime.weights import load_rows, load_weights

__all__ = ["LoadedModel", "choose_device", "cpu_threads", "find_model", "kv_budget_bytes", "load_model"]

_DTYPES = {
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
    "float32": torch.float32,
    "fp32": torch.float32,
}

_MAX_THREADS = 8
"""Decoding waits for memory, not for arithmetic: a few threads use all its bandwidth."""

INT8 = "int8"

KEPT_FLOAT_BYTES = 2**29
"""Beside int8 rows, float weights up to this size stay on a CPU: long passes need not expand them again."""

_CPU_KV_BYTES = 4 * 2**30
"""Of slots on a CPU, at most, and a quarter of its memory; not taken in advance: slots grow with use."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A causal LM and what the decode loop must know of it."""

    name: str
    model: PreTrainedModel
    device: torch.device
    dtype: torch.dtype
    kv_dtype: torch.dtype
    context_length: int
    vocab_size: int
    eos_ids: frozenset[int]
    num_parameters: int
    """Weights, tied ones counted once."""
    weight_bytes: int
    """What one decode step reads of them."""
    memory_bytes: int
    """What they take, with all forms that are kept."""
    forward: Forward

    @property
    def num_layers(self) -> int:
        """Decoder layers, each with its keys and values."""
        return int(self.model.config.get_text_config().num_hidden_layers)

    @property
    def kv_bytes_per_token(self) -> int:
        """What one token of a slot takes, over all layers."""
        return kv_bytes_per_token(self.model.config.get_text_config(), self.kv_dtype.itemsize)

    def new_slot(self) -> Slot:
        """An empty slot that fits this model."""
        return Slot(self.num_layers, self.kv_dtype)


def load_model(
    folder: ModelFolder,
    *,
    device: str = "auto",
    dtype: str = "auto",
    on_progress: Callable[[float], None] | None = None,
    trust_remote_code: bool = False,
    quantize: str | None = None,
    read: Callable[..., PreTrainedModel] = load_weights,
) -> LoadedModel:
    """Load the folder's weights onto a device; `on_progress` hears fractions up to 1.0. Raises ModelError.

    `quantize="int8"` makes int8 rows of a Llama's matrices. On a CPU, a package of int8 rows is run as it is
    unless a dtype is asked for.
    """
    if quantize not in (None, INT8):
        raise ModelError(f"engine.quantize '{quantize}' is unknown: use '{INT8}' or null.")
    place = choose_device(device)
    if place.type == "cpu":
        torch.set_num_threads(cpu_threads())
    number = choose_dtype(dtype, place)
    attention.register()
    model = read(folder, number, on_progress or (lambda _: None), trust_remote_code=trust_remote_code)
    try:
        model = model.to(place)  # type: ignore[arg-type]
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"Model {folder.name} does not fit on {place}: choose a smaller model or another device."
        ) from error
    model.eval().requires_grad_(False)
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    memory_bytes = 0
    forward: Forward
    if is_llama(model):
        kv_dtype = number
        llama = _llama(model, folder, quantize, is_native=place.type == "cpu" and dtype == "auto")
        memory_bytes = llama.packed_bytes
        if place.type == "cuda":
            forward = GraphedForward(llama, CudaRecorder(place))
        else:
            forward = compiled_if_possible(llama, lambda: Slot(len(llama.layers), kv_dtype))
    elif quantize is None:
        kv_dtype = _use_own_attention(model, number, place)
        forward = TransformersForward(model, place)
    else:
        raise ModelError(
            "engine.quantize is for Llama, Mistral and Qwen2 models without special parts; "
            f"{folder.name} is a {type(model).__name__}: set it to null."
        )
    memory_bytes += sum(parameter.nbytes for parameter in model.parameters())
    config = model.config.get_text_config()
    return LoadedModel(
        name=folder.name,
        model=model,
        device=place,
        dtype=number,
        kv_dtype=kv_dtype,
        context_length=int(config.max_position_embeddings),
        vocab_size=int(config.vocab_size),
        eos_ids=_eos_ids(model),
        num_parameters=num_parameters,
        weight_bytes=forward.step_bytes,
        memory_bytes=memory_bytes,
        forward=forward,
    )


def kv_bytes_per_token(config: Any, itemsize: int) -> int:
    """What one token of a slot takes over all layers, by a transformers text config."""
    if getattr(config, "kv_lora_rank", None) is not None:
        numbers = config.kv_lora_rank + config.qk_rope_head_dim
    else:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        numbers = 2 * heads * head_dim
    return int(config.num_hidden_layers * numbers * itemsize)


def kv_budget_bytes(loaded: LoadedModel, memory_gb: float | None = None) -> int:
    """Memory for slots: what `memory_gb` leaves beside the weights, or a share of what is free."""
    if memory_gb is not None:
        weights = loaded.memory_bytes
        left = int(memory_gb * 2**30) - weights
        if left <= 0:
            raise ModelError(
                f"engine.memoryGb is {memory_gb}, but the weights of {loaded.name} alone take "
                f"{weights / 2**30:.1f} GiB: raise it or choose a smaller model."
            )
        return left
    if loaded.device.type == "cuda":
        return int(0.8 * torch.cuda.mem_get_info(loaded.device)[0])
    return min(_CPU_KV_BYTES, total_memory_bytes() // 4)


def total_memory_bytes() -> int:
    """All of this machine's memory; a large number where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**40


def choose_device(device: str) -> torch.device:
    """The device of that name, `auto` being the best there is; raises ModelError if it is not there."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"Device '{device}' is unknown: use auto, cuda, cuda:N, mps or cpu.") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "Device 'cuda' was asked for, but PyTorch sees no CUDA GPU here: set device to auto or cpu."
        )
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"Device '{device}' does not exist: there are {torch.cuda.device_count()} CUDA GPUs here."
        )
    if place.type == "mps" and not torch.backends.mps.is_available():
        raise ModelError(
            "Device 'mps' was asked for, but this is not an Apple GPU: set device to auto or cpu."
        )
    if place.type not in ("cuda", "mps", "cpu"):
        raise ModelError(f"Device '{device}' is not supported: use auto, cuda, cuda:N, mps or cpu.")
    return place


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The dtype of that name; `auto` is bfloat16 on a GPU, on a CPU whichever a short measurement prefers."""
    if dtype != "auto":
        if dtype not in _DTYPES:
            raise ModelError(f"dtype '{dtype}' is unknown: use auto, bfloat16, float16 or float32.")
        return _DTYPES[dtype]
    if device.type == "cpu":
        return min((torch.bfloat16, torch.float32), key=_gemm_seconds)
    return torch.bfloat16


def cpu_threads() -> int:
    """Threads for the model on a CPU: what OMP_NUM_THREADS says, else one core is left to the editor.

    A parallel region ends when its last thread does: with as many threads as cores, one busy neighbour makes
    every region wait for a turn of the scheduler. On two cores, one thread was as fast as two even when idle.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(max(1, cores - 1), _MAX_THREADS)


def _gemm_seconds(dtype: torch.dtype) -> float:
    """The best of a few products shaped like a prefill chunk; a CPU that emulates bfloat16 is slow in it."""
    a, b = torch.ones(64, 512, dtype=dtype), torch.ones(512, 1024, dtype=dtype)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        torch.matmul(a, b)
        best = min(best, time.perf_counter() - start)
    return best


def _use_own_attention(model: PreTrainedModel, dtype: torch.dtype, device: torch.device) -> torch.dtype:
    """Put the model on our attention if it can be; returns the dtype its slots keep."""
    if not (model._supports_attention_backend and model._supports_sdpa):
        return dtype
    model.set_attn_implementation(attention.NAME)
    if device.type == "cpu" and not _has_latent_cache(model):
        return torch.float32  # decoding reads keys and values one query at a time, where bfloat16 is slow
    return dtype


def _llama(
    model: PreTrainedModel, folder: ModelFolder, quantize: str | None, *, is_native: bool
) -> LlamaForward:
    """Its pass, with int8 rows where they are wanted: the package's, or the nearest to the floats."""
    rows = load_rows(folder) if is_native or quantize == INT8 else {}
    floats = sum(parameter.nbytes for parameter in model.parameters())
    keep_floats = model.device.type == "cpu" and floats <= KEPT_FLOAT_BYTES

    def pack(name: str, weight: torch.Tensor) -> Rows:
        if name in rows:
            return Rows(*(each.to(weight.device) for each in rows[name]))
        return quantise_rows(weight)

    return LlamaForward(model, pack=pack if rows or quantize else None, keep_floats=keep_floats)


def _has_latent_cache(model: PreTrainedModel) -> bool:
    """Whether slots hold compressed latents, which go through weights again and must have their dtype."""
    return getattr(model.config.get_text_config(), "kv_lora_rank", None) is not None


def _eos_ids(model: PreTrainedModel) -> frozenset[int]:
    found: set[int] = set()
    for source in (model.config.get_text_config(), model.generation_config):
        ids = getattr(source, "eos_token_id", None)
        if ids is not None:
            found.update(ids if isinstance(ids, Iterable) else [ids])
    return frozenset(found)
