"""A model folder's weights as float32, and the package's format: int8 rows with a scale each.

Knows safetensors and names, no architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.model_folder import weight_files

INT8_ROWS = "int8-rows"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Every weight by its name, float32, whichever of our formats the folder has; raises ValueError."""
    stored: dict[str, Tensor] = {}
    try:
        for file in weight_files(folder):
            stored |= load_file(file)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{folder} holds no whole weights: {error}.") from None
    return unpack_rows({name: tensor for name, tensor in stored.items() if name != "lm_head.weight"})


def pack_rows(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as int8 beside `name.scale`, vectors as bfloat16."""
    packed: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if weight.ndim == 2:
            scale = weight.float().abs().amax(1).clamp_min(1e-12) / 127
            packed[name] = (weight.float() / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
            packed[f"{name}.scale"] = scale
        else:
            packed[name] = weight.to(torch.bfloat16)
    return packed


def unpack_rows(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """float32 of what `pack_rows` made; of tensors that are not packed, themselves."""
    weights = {name: tensor.float() for name, tensor in stored.items() if not name.endswith(".scale")}
    for name in weights:
        if stored[name].dtype == torch.int8:
            weights[name] *= stored[f"{name}.scale"][:, None]
    return weights


def write_weights(file: Path, tensors: Mapping[str, Tensor], form: str) -> None:
    """Whole or not at all."""
    partly = file.with_name(f".{file.name}.partly")
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(whole, partly, metadata={"format": "pt", "weights": form})
    partly.replace(file)
