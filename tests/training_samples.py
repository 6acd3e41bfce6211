"""Small samples and a small model folder for the tests of training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from training.samples.sample import Role, Sample

VOCABULARY = 97

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0},
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 6,
}


def random_sample(
    generator: np.random.Generator, stem: int, *branches: int, role: Role | None = None
) -> Sample:
    """Of so many tokens in the stem and in each branch; roles at random unless one is named."""
    lengths = [stem, *branches]
    total = sum(lengths)
    roles = generator.integers(0, len(Role), total) if role is None else np.full(total, role)
    return Sample(
        generator.integers(7, VOCABULARY, total).astype(np.uint16),
        roles.astype(np.uint8),
        np.repeat(np.arange(len(lengths)), lengths).astype(np.uint16),
    )


def counting_sample(generator: np.random.Generator, length: int) -> Sample:
    """One that can be learnt: each token is the one before and one."""
    start = int(generator.integers(7, VOCABULARY))
    ids = 7 + (start + np.arange(length)) % (VOCABULARY - 7)
    roles = np.full(length, Role.PLAIN)
    roles[length // 2 :] = Role.MIDDLE
    return Sample(ids.astype(np.uint16), roles.astype(np.uint8), np.zeros(length, np.uint16))


def model_folder(folder: Path) -> Path:
    """Without weights: what --random starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "ghostfill.json").write_text(
        json.dumps({"fim": "builtin", "order": "spm", "weights": "int8-rows"})
    )
    return folder
