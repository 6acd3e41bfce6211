"""Small random checkpoints with the shapes of real ones, for tests: DeepSeek-Coder's and a plain small Llama.

Heads, RoPE, vocabulary, marks and config files are those of the real models; layers and widths are small.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BOS, EOS = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
HOLE, BEGIN, END = "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"
EOT = "<|EOT|>"

NUM_BPE_TOKENS = 32000
ODD_TOKENS = list("õ÷ÁýÀÿøúþüùöû")
"""The letters that stand for bytes no UTF-8 text holds: missing from the BPE vocabulary, added behind it."""
MARKS = [BOS, EOS, HOLE, BEGIN, END, "<pad>", "<|User|>", "<|Assistant|>", EOT]
MARK_IDS = {mark: NUM_BPE_TOKENS + len(ODD_TOKENS) + index for index, mark in enumerate(MARKS)}
NUM_TOKENS = 32022
"""Ids from here to VOCAB_SIZE are padding rows of the model."""
VOCAB_SIZE = 32256

CORPUS = [
    "def add(left, right):\n    return left + right\n\n\nclass Model:\n    def __init__(self, size):\n",
    "        self.size = size\n\n    def forward(self, x):\n        for layer in self.layers:\n",
    "            x = layer(x)\n        return x\n\n\nif __name__ == '__main__':\n    import torch\n",
]


def make_deepseek_checkpoint(
    folder: Path,
    *,
    layers: int = 2,
    heads: int = 16,
    kv_heads: int | None = None,
    instruct: bool = False,
    rope: str = "legacy",
    seed: int = 0,
) -> Path:
    """A whole DeepSeek-Coder folder (16 heads: 1.3B, 32: 6.7B, 32 and 1: 5.7B, 56 and 8: 33B), bfloat16.

    Its padding rows would win every greedy step if they were not masked. `rope` is `legacy` (rope_scaling, as
    the real files have it) or `new` (rope_parameters, as transformers 5 writes it).
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    config = deepseek_config(layers=layers, heads=heads, kv_heads=kv_heads, instruct=instruct, rope=rope)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**config))
    with torch.no_grad():
        model.lm_head.weight[NUM_TOKENS:] *= 20
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    make_tokenizer(folder, instruct=instruct)
    return folder


def deepseek_config(
    *,
    layers: int = 2,
    heads: int = 16,
    kv_heads: int | None = None,
    instruct: bool = False,
    rope: str = "legacy",
) -> dict[str, Any]:
    """config.json of the family, narrow: a hidden size of 4 a head where the real ones have 128."""
    if rope == "legacy":
        rope_keys: dict[str, Any] = {"rope_theta": 100000, "rope_scaling": {"factor": 4.0, "type": "linear"}}
    else:
        rope_keys = {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100000.0}}
    return {
        "architectures": ["LlamaForCausalLM"],
        "bos_token_id": MARK_IDS[BOS],
        "eos_token_id": MARK_IDS[EOT if instruct else EOS],
        "hidden_act": "silu",
        "hidden_size": 4 * heads,
        "head_dim": 128,
        "initializer_range": 0.1,
        "intermediate_size": 172,
        "max_position_embeddings": 16384,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads or heads,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-06,
        **rope_keys,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": VOCAB_SIZE,
    }


def make_tokenizer(folder: Path, instruct: bool = False) -> Path:
    """tokenizer.json and tokenizer_config.json with the family's pre-tokenizer, marks and ids."""
    folder.mkdir(parents=True, exist_ok=True)
    _tokenizer().save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": _token_entry(BOS),
        "clean_up_tokenization_spaces": False,
        "eos_token": _token_entry(EOT if instruct else EOS),
        "legacy": True,
        "model_max_length": 16384,
        "pad_token": _token_entry(EOS),
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizerFast",
        "unk_token": None,
    }
    if instruct:
        config["chat_template"] = "{% for m in messages %}### Instruction:\n{{ m['content'] }}\n{% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    return folder


def make_llama(folder: Path, *, seed: int = 0, **config: Any) -> Path:
    """A small Llama with grouped heads and sharp logits, float32, no tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 320,
        "max_position_embeddings": 512,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": None,
        "initializer_range": 0.15,
    }
    torch.manual_seed(seed)
    LlamaForCausalLM(LlamaConfig(**(shape | config))).save_pretrained(folder)
    return folder


def make_sliding_mistral(folder: Path) -> Path:
    """A small Mistral whose tokens see only the last eight: nothing for the engine's own pass."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    config = MistralConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=100,
        sliding_window=8,
        initializer_range=0.3,
    )
    MistralForCausalLM(config).save_pretrained(folder)
    return folder


def make_hub_cache(home: Path, name: str, commit: str = "0123456789abcdef0123456789abcdef01234567") -> Path:
    """The empty snapshot folder of `name` in a hub cache below `home` (HF_HOME); fill it afterwards."""
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    (repository / "blobs").mkdir()
    return snapshot


def _tokenizer() -> Any:
    """Bytes, a few merges, fillers up to 32,000 that no text encodes to, then the added tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    def split(pattern: str) -> Any:
        return pre_tokenizers.Split(Regex(pattern), "isolated")

    before = pre_tokenizers.Sequence(
        [
            split("[\r\n]"),
            split(r"\s?\p{L}+"),
            split(r"\s?\p{P}+"),
            split("[一-龥ࠀ-一가-퟿]+"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = before
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - set(ODD_TOKENS))
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator(CORPUS, trainer)
    learned = json.loads(learner.to_str())["model"]
    vocab: dict[str, int] = learned["vocab"]
    vocab |= {f"filler{index}": index for index in range(len(vocab), NUM_BPE_TOKENS)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(pair) for pair in learned["merges"]]))
    tokenizer.pre_tokenizer = before
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(text, normalized=True) for text in ODD_TOKENS])
    specials = {BOS, EOS, EOT}
    tokenizer.add_tokens([AddedToken(mark, normalized=False, special=mark in specials) for mark in MARKS])
    return tokenizer


def _token_entry(content: str) -> dict[str, Any]:
    return {"__type": "AddedToken", "content": content, "lstrip": False, "normalized": True}
