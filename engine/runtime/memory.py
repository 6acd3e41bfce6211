"""What memory there is for a second model, and how weights and slots of both share it. Loads nothing.

The completion model comes first: room for one prompt of its whole context stays its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig

from engine.errors import ModelError
from engine.known_models import INT8_BYTES
from engine.model_folder import ModelFolder, weight_files
from engine.runtime.kv_cache import BLOCK_TOKENS
from engine.runtime.lane import Lane
from engine.runtime.model import (
    INT8,
    KEPT_FLOAT_BYTES,
    LoadedModel,
    choose_dtype,
    kv_budget_bytes,
    kv_bytes_per_token,
    total_memory_bytes,
)
from engine.runtime.weights import BROKEN, INT8_ROWS

NUM_CHAT_SLOTS = 2
"""A conversation that goes on, and another one beside it."""
MIN_CHAT_TOKENS = 4096
"""A function with what it needs, and an answer."""
MAX_CHAT_TOKENS = 16384
"""Of one conversation; more would be taken from the completion model."""
_SHARE = 0.9
"""Of free memory; the rest is for activations, and for others."""
_CONFIG_DTYPES = {"float32": 4, "float64": 8, "int8": 1}


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes."""

    loading_bytes: int
    """At the height of loading it."""
    weight_bytes: int
    """From then on."""
    bytes_per_token: float
    """Of a slot, while it grows."""
    context_length: int

    @property
    def min_bytes(self) -> int:
        """Less is no use."""
        kv = int(min(self.context_length, MIN_CHAT_TOKENS) * self.bytes_per_token)
        return max(self.loading_bytes, self.weight_bytes + kv)

    @classmethod
    def before(cls, folder: ModelFolder, device: torch.device, dtype: str, quantize: str | None) -> Need:
        """Of a model on disk, by its files' sizes."""
        number = choose_dtype(dtype, device)
        parameters = sum(file.stat().st_size for file in weight_files(folder.path)) // _stored_bytes(folder)
        floats = parameters * number.itemsize
        is_int8 = quantize == INT8 or (
            folder.ghostfill.get("weights") == INT8_ROWS and device.type == "cpu" and dtype == "auto"
        )
        rows = int(INT8_BYTES * parameters) if is_int8 else 0
        keeps_floats = not is_int8 or (device.type == "cpu" and floats <= KEPT_FLOAT_BYTES)
        per_token, context_length = _slot_figures(folder, device, number)
        # Floats come first; each goes when its rows are made.
        return cls(floats, rows + floats * keeps_floats, per_token, context_length)

    @classmethod
    def of(cls, loaded: LoadedModel) -> Need:
        """Of a model in memory."""
        per_token = loaded.kv_bytes_per_token * (1 + 1 / loaded.num_layers)
        return cls(0, loaded.memory_bytes, per_token, loaded.context_length)


class SharedMemory:
    """Memory beside the completion model's weights."""

    def __init__(self, lane: Lane, memory_gb: float | None) -> None:
        self._lane = lane
        self._memory_gb = memory_gb
        self._whole = lane.kv_bytes
        """What the slots of the completion model may take while it is alone."""

    def make_room(self, name: str, need: Need) -> None:
        """Before loading: the completion model's slots give way; raises ModelError if that is not enough."""
        left = self._left()
        if need.min_bytes > left - self._kept():
            raise ModelError(self._refusal(name, need, left))
        self._lane.limit(min(self._whole, left - need.min_bytes))

    def share(self, name: str, loaded: LoadedModel) -> int:
        """After loading: what the chat model's slots may take; raises ModelError if that is too little."""
        need = Need.of(loaded)
        # What is free now is without its weights already; the other bound is not.
        free = self._left(loaded.memory_bytes) - loaded.memory_bytes
        min_kv = need.min_bytes - need.weight_bytes
        if min_kv > free - self._kept():
            raise ModelError(self._refusal(name, need, free + loaded.memory_bytes))
        wanted = NUM_CHAT_SLOTS * min(need.context_length, MAX_CHAT_TOKENS) * need.bytes_per_token
        if loaded.device.type == "cpu":
            wanted = max(min_kv, min(wanted, kv_budget_bytes(loaded)))
        fair = max(min_kv, free - self._whole, (free - self._kept()) // 2)
        mine = int(min(wanted, fair))
        self._lane.limit(min(self._whole, free - mine))
        return mine

    def give_back(self) -> None:
        """The completion model is alone again."""
        self._lane.limit(self._whole)

    def _kept(self) -> int:
        """The completion model's own."""
        loaded = self._lane.loaded
        return min(self._whole, int((loaded.context_length + BLOCK_TOKENS) * self._lane.bytes_per_token))

    def _left(self, chat_weights: int = 0) -> int:
        """For all of a chat model and the slots of both, `chat_weights` being there already."""
        held = int(self._lane.held()["kv_tokens_reserved"] * self._lane.bytes_per_token)
        left = int(_SHARE * free_bytes(self._lane.loaded.device)) + held + chat_weights
        if self._memory_gb is not None:
            left = min(left, int(self._memory_gb * 2**30) - self._lane.loaded.memory_bytes)
        return left

    def _refusal(self, name: str, need: Need, left: int) -> str:
        loaded, free = self._lane.loaded, max(0, left - self._kept())
        bound = "" if self._memory_gb is None else f" (engine.memoryGb is {self._memory_gb:g})"
        return (
            f"Chat model {name} needs {need.min_bytes / 2**30:.1f} GiB, but beside {loaded.name} only "
            f"{free / 2**30:.1f} GiB are left on {loaded.device}{bound}: choose a smaller chat.model, "
            'set engine.quantize to "int8", or point chat.url at a server elsewhere.'
        )


def free_bytes(device: torch.device) -> int:
    """Memory that nobody uses on a device now; what torch only keeps for later counts as free."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return total_memory_bytes() // 2


def _stored_bytes(folder: ModelFolder) -> int:
    """Of one weight in the folder's files."""
    if folder.ghostfill.get("weights") == INT8_ROWS:
        return 1
    return _CONFIG_DTYPES.get(str(folder.config.get("dtype") or folder.config.get("torch_dtype")), 2)


def _slot_figures(folder: ModelFolder, device: torch.device, number: torch.dtype) -> tuple[float, int]:
    """Bytes of a slot's token while it grows, and how many there may be."""
    try:
        config = AutoConfig.from_pretrained(folder.path, local_files_only=True).get_text_config()
    except BROKEN:
        return 0.0, 0  # whoever loads it says what is wrong
    # As a slot on a CPU may keep them: see `load_model`.
    itemsize = max(4, number.itemsize) if device.type == "cpu" else number.itemsize
    layers = int(config.num_hidden_layers)
    return kv_bytes_per_token(config, itemsize) * (1 + 1 / layers), int(config.max_position_embeddings)
