"""Shapes of the models in `engine.known_models`, by their config.json files: type, then what counts."""

from __future__ import annotations

from typing import Any


def _llama(
    hidden: int, ffn: int, layers: int, heads: int, kv_heads: int, vocab: int, **more: Any
) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": vocab,
        "tie_word_embeddings": False,
    } | more


_GRANITE = {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}
_TIED = {"tie_word_embeddings": True}
_GEMMA = {"head_dim": 256, "tie_word_embeddings": True}

CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "deepseek-ai/deepseek-coder-1.3b-base": ("llama", _llama(2048, 5504, 24, 16, 16, 32256)),
    "deepseek-ai/deepseek-coder-5.7bmqa-base": ("llama", _llama(4096, 11008, 32, 32, 1, 32256)),
    "deepseek-ai/deepseek-coder-6.7b-base": ("llama", _llama(4096, 11008, 32, 32, 32, 32256)),
    "deepseek-ai/deepseek-coder-33b-base": ("llama", _llama(7168, 19200, 62, 56, 8, 32256)),
    "deepseek-ai/DeepSeek-Coder-V2-Lite-Base": (
        "deepseek_v2",
        _llama(2048, 10944, 27, 16, 16, 102400)
        | {
            "kv_lora_rank": 512,
            "q_lora_rank": None,
            "qk_rope_head_dim": 64,
            "qk_nope_head_dim": 128,
            "v_head_dim": 128,
            "n_routed_experts": 64,
            "n_shared_experts": 2,
            "num_experts_per_tok": 6,
            "moe_intermediate_size": 1408,
            "first_k_dense_replace": 1,
        },
    ),
    "Qwen/Qwen2.5-Coder-0.5B": ("qwen2", _llama(896, 4864, 24, 14, 2, 151936, **_TIED)),
    "Qwen/Qwen2.5-Coder-1.5B": ("qwen2", _llama(1536, 8960, 28, 12, 2, 151936, **_TIED)),
    "Qwen/Qwen2.5-Coder-3B": ("qwen2", _llama(2048, 11008, 36, 16, 2, 151936, **_TIED)),
    "Qwen/Qwen2.5-Coder-7B": ("qwen2", _llama(3584, 18944, 28, 28, 4, 152064)),
    "Qwen/Qwen2.5-Coder-14B": ("qwen2", _llama(5120, 13824, 48, 40, 8, 152064)),
    "Qwen/Qwen2.5-Coder-32B": ("qwen2", _llama(5120, 27648, 64, 40, 8, 152064)),
    "bigcode/starcoder2-3b": ("starcoder2", _llama(3072, 12288, 30, 24, 2, 49152, **_TIED)),
    "bigcode/starcoder2-7b": ("starcoder2", _llama(4608, 18432, 32, 36, 4, 49152, **_TIED)),
    "bigcode/starcoder2-15b": ("starcoder2", _llama(6144, 24576, 40, 48, 4, 49152)),
    "google/codegemma-2b": ("gemma", _llama(2048, 16384, 18, 8, 1, 256000, **_GEMMA)),
    "google/codegemma-7b": ("gemma", _llama(3072, 24576, 28, 16, 16, 256000, **_GEMMA)),
    "ibm-granite/granite-3b-code-base-2k": ("llama", _llama(2560, 10240, 32, 32, 32, 49152, **_GRANITE)),
    "ibm-granite/granite-8b-code-base-4k": ("llama", _llama(4096, 14336, 36, 32, 8, 49152, **_GRANITE)),
    "stabilityai/stable-code-3b": ("stablelm", _llama(2560, 6912, 32, 32, 32, 50304)),
    "JetBrains/Mellum-4b-base": ("llama", _llama(3072, 8256, 30, 24, 24, 98304, head_dim=128)),
    "codellama/CodeLlama-7b-hf": ("llama", _llama(4096, 11008, 32, 32, 32, 32016)),
    "codellama/CodeLlama-13b-hf": ("llama", _llama(5120, 13824, 40, 40, 40, 32016)),
    "mistralai/Codestral-22B-v0.1": ("mistral", _llama(6144, 16384, 56, 48, 8, 32768, head_dim=128)),
}
