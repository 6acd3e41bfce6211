"""What a model on disk takes, by its files' sizes and config.json. Reads no weights."""

from __future__ import annotations

from typing import Any

from engine.checkpoint_kinds import quantization_of
from engine.known_models import KnownModel
from engine.model_folder import ModelFolder, weight_files

_STORED_BYTES = {"float32": 4, "float64": 8, "int8": 1}


def size_of(folder: ModelFolder) -> KnownModel:
    """The model's size; what its config.json does not say counts as nothing."""
    config = folder.config.get("text_config") or folder.config
    num_bytes = sum(file.stat().st_size for file in weight_files(folder.path))
    return KnownModel(
        name=folder.name,
        parameters=num_bytes // _stored_bytes(folder),
        read_parameters=num_bytes // _stored_bytes(folder),
        layers=_number(config, "num_hidden_layers"),
        kv_numbers=_kv_numbers(config),
        context_length=_number(config, "max_position_embeddings"),
        licence="",
        fim_format="",
    )


def _stored_bytes(folder: ModelFolder) -> int:
    """Of a weight in the files; a quantised checkpoint stays as small in memory, as if of fewer weights."""
    if folder.ghostfill.get("weights"):
        return 1
    if quantization_of(folder.config):
        return 2
    return _STORED_BYTES.get(str(folder.config.get("dtype") or folder.config.get("torch_dtype")), 2)


def _kv_numbers(config: dict[str, Any]) -> int:
    if latent := _number(config, "kv_lora_rank"):
        return latent + _number(config, "qk_rope_head_dim")
    heads = _number(config, "num_attention_heads")
    head_dim = _number(config, "head_dim") or _number(config, "hidden_size") // max(1, heads)
    return 2 * (_number(config, "num_key_value_heads") or heads) * head_dim


def _number(config: dict[str, Any], key: str) -> int:
    value = config.get(key)
    return value if isinstance(value, int) else 0
