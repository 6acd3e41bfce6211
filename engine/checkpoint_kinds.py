"""Which forms of weights a checkpoint may have, and what each needs to be loaded. No torch, no weights.

Plain checkpoints need nothing. Quantised ones name their method in config.json; transformers loads them with
packages that are not ours. GGUF files are llama.cpp's, and stay there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import ModelError

PACKAGES: dict[str, dict[str, str]] = {
    "gptq": {"optimum": "optimum", "gptqmodel": "gptqmodel"},
    "awq": {"gptqmodel": "gptqmodel", "accelerate": "accelerate"},
    "compressed-tensors": {"compressed_tensors": "compressed-tensors"},
    "bitsandbytes": {"accelerate": "accelerate", "bitsandbytes": "bitsandbytes"},
    "fp8": {"accelerate": "accelerate"},
    "auto-round": {"auto_round": "auto-round"},
}
"""By `quant_method`: what transformers 5.23 imports to load it, and how pip calls that."""


def check_loadable(name: str, config: Mapping[str, Any]) -> None:
    """Raise ModelError if the checkpoint is quantised and its packages are not installed; imports none."""
    method = quantization_of(config)
    wanted = PACKAGES.get(method, {})
    missing = [package for module, package in wanted.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise ModelError(
            f"{name} is a {method} checkpoint, which needs {' and '.join(missing)}: run "
            f'pip install "ghostfill[local]" {" ".join(missing)}, or use the model that was not quantised.'
        )


def quantization_of(config: Mapping[str, Any]) -> str:
    """How the weights of a checkpoint are quantised, by its config.json; empty if they are not."""
    for holder in (config, config.get("text_config")):
        found = holder.get("quantization_config") if isinstance(holder, Mapping) else None
        if isinstance(found, Mapping):
            return str(found.get("quant_method") or "").lower()
    return ""


def refuse_gguf(name: str, path: Path | None = None) -> None:
    """Raise ModelError for a model that comes as GGUF only: by its name, or a folder of such files."""
    is_gguf = name.lower().endswith("gguf")
    if path is not None and path.is_dir() and not is_gguf:
        suffixes = {file.suffix for file in path.iterdir()}
        is_gguf = ".gguf" in suffixes and not suffixes & {".safetensors", ".bin"}
    if is_gguf:
        raise gguf_error(name)


def gguf_error(name: str) -> ModelError:
    """Where a GGUF model runs instead."""
    return ModelError(
        f"{name} is a GGUF model, for llama.cpp alone: start 'llama-server -m FILE.gguf', set engine.url "
        "to its address and engine.api to 'llamacpp'; or name the model it was made from."
    )
