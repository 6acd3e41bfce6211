"""A Llama-like model folder as one GGUF file for llama.cpp. Knows both forms; runs nothing.

A program too, so that torch stays out of the benchmark's own process:
`python -P -m benchmarks.engine_speed.gguf_file --kind f16|q8_0 --file OUT`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.engine_speed.peer import environment
from benchmarks.workspace import cache_folder
from engine.model_folder import ModelFolder

if TYPE_CHECKING:
    import numpy
    from gguf import GGUFWriter

KINDS = ("f16", "q8_0")
VERSION = 1
"""Of what is written; a file of another version is made again."""

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


class ExportError(RuntimeError):
    """The file could not be made; the message says why."""


def cached_file(kind: str) -> Path:
    """The built-in model as a GGUF file, made at the first call; raises ExportError."""
    folder = ModelFolder.open("builtin")
    digest = hashlib.blake2b((folder.path / "model.safetensors").read_bytes(), digest_size=6).hexdigest()
    path = cache_folder().parent / "gguf" / f"builtin-{digest}-{VERSION}-{kind}.gguf"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        command = [sys.executable, "-P", "-m", __name__, "--kind", kind, "--file", str(partial)]
        done = subprocess.run(command, env=environment(None), capture_output=True, text=True, check=False)
        if done.returncode:
            partial.unlink(missing_ok=True)
            raise ExportError(f"no GGUF file: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        partial.replace(path)
    return path


def main() -> None:
    """Write the built-in model."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--kind", choices=KINDS, required=True)
    flags.add_argument("--file", type=Path, required=True)
    options = flags.parse_args()
    write(ModelFolder.open("builtin"), options.kind, options.file)


def write(folder: ModelFolder, kind: str, path: Path) -> None:
    """Write the folder's weights and tokenizer to `path`; norms stay float32."""
    import torch
    from gguf import GGUFWriter

    from engine.runtime.weights import load_weights

    model = load_weights(folder, torch.float32, lambda _: None)
    config = model.config.get_text_config()
    writer = GGUFWriter(path, "llama")
    _write_config(writer, config, kind)
    _write_tokenizer(writer, folder, config.vocab_size)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = weight.numpy()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        projection = name.split(".")[-2]
        if projection in heads:
            values = interleaved(values, heads[projection])
        _write_tensor(writer, tensor_name(name), values, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensor_name(name: str) -> str:
    """GGUF's name of a weight of a transformers Llama."""
    stem = name.removesuffix(".weight")
    if stem in NAMES:
        return f"{NAMES[stem]}.weight"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{NAMES[part]}.weight"


def interleaved(rows: numpy.ndarray[Any, Any], num_heads: int) -> numpy.ndarray[Any, Any]:
    """Rows of q or k as llama.cpp turns them: a RoPE pair side by side, not half a head apart."""
    pairs = rows.reshape(num_heads, 2, rows.shape[0] // num_heads // 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def _write_config(writer: GGUFWriter, config: Any, kind: str) -> None:
    from gguf import LlamaFileType

    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(LlamaFileType.MOSTLY_F16 if kind == "f16" else LlamaFileType.MOSTLY_Q8_0)


def _write_tokenizer(writer: GGUFWriter, folder: ModelFolder, vocab_size: int) -> None:
    """Enough to turn ids into text; prompts come as ids."""
    from gguf import TokenType

    spec = json.loads((folder.path / "tokenizer.json").read_text(encoding="utf-8"))
    texts = {token_id: text for text, token_id in spec["model"]["vocab"].items()}
    kinds = dict.fromkeys(texts, TokenType.NORMAL)
    for token in spec["added_tokens"]:
        texts[token["id"]], kinds[token["id"]] = token["content"], TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([texts.get(i, f"[PAD{i}]") for i in range(vocab_size)])
    writer.add_token_types([kinds.get(i, TokenType.UNUSED) for i in range(vocab_size)])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in spec["model"]["merges"]])
    writer.add_bos_token_id(int(folder.config["bos_token_id"]))
    writer.add_eos_token_id(int(folder.config["eos_token_id"]))
    writer.add_add_bos_token(False)


def _write_tensor(writer: GGUFWriter, name: str, values: Any, kind: str) -> None:
    from gguf import GGMLQuantizationType, quants

    if values.ndim == 1:
        writer.add_tensor(name, values)
    elif kind == "f16":
        writer.add_tensor(name, values.astype("float16"))
    else:
        packed = quants.quantize(values, GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)


if __name__ == "__main__":
    main()
