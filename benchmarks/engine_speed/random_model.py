"""Random weights in a real configuration, made on the device for the engine; and what the device can do.

Knows torch (imported when called) and the engine's runtime; knows no text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.engine_speed.configs import Config
from engine.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from engine.runtime.model import LoadedModel

DTYPE = "bfloat16"
REPEATS = 5


def load_random(config: Config, device: str) -> LoadedModel:
    """A model of that size as the engine would have loaded it, except that nothing ends a text."""
    from engine.runtime.model import choose_device, load_model

    place = choose_device(device)

    def read(*_args: Any, **_options: Any) -> PreTrainedModel:
        return make_model(config, place)

    folder = ModelFolder(Path(config.name), config.name, {}, {}, {}, has_chat_template=False)
    loaded = load_model(folder, device=device, dtype=DTYPE, read=read)
    return replace(loaded, eos_ids=frozenset())


def make_model(config: Config, place: torch.device) -> PreTrainedModel:
    """DeepSeek-Coder's kind of Llama in bfloat16."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = LlamaConfig(
        num_hidden_layers=config.layers,
        hidden_size=config.hidden,
        intermediate_size=config.ffn,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        head_dim=config.head_dim,
        vocab_size=config.vocab,
        max_position_embeddings=16384,
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e5},
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
    )
    with place:
        model: Any = LlamaForCausalLM
        made: PreTrainedModel = model._from_config(sizes, dtype=torch.bfloat16)
    return made


def copy_gb_per_s(place: torch.device) -> float:
    """The best of some copies, bytes read and written counted."""
    import torch

    num_bytes = 2**30 if place.type == "cuda" else 2**27
    source = torch.ones(num_bytes, dtype=torch.uint8, device=place)
    target = torch.zeros_like(source)
    return 2 * num_bytes / best_seconds(place, lambda: target.copy_(source)) / 1e9


def matrix_tflop_per_s(place: torch.device) -> float:
    """The best of some square products in bfloat16."""
    import torch

    size = 8192 if place.type == "cuda" else 512
    a, b = (torch.randn(size, size, device=place).to(torch.bfloat16) for _ in range(2))
    return 2 * size**3 / best_seconds(place, lambda: a @ b) / 1e12


def best_seconds(place: torch.device, work: Callable[[], object]) -> float:
    """Of some calls, each waited for."""
    seconds = []
    for _ in range(REPEATS + 1):
        begun = time.perf_counter()
        work()
        wait_for(place)
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def wait_for(place: torch.device) -> None:
    """Until the device has done what it was told."""
    import torch

    if place.type == "cuda":
        torch.cuda.synchronize(place)
