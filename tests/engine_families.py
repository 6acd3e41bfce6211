"""Small tokenizers of model families: their real pipelines and special tokens, a vocabulary of a few merges.

Ids are not those of the real models: what counts is which texts are marks, and how a text is cut and given
back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from engine_checkpoints import CORPUS

_STARCODER = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>"]
_BARRED = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"]
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def family_json(row: str) -> str:
    """tokenizer.json of a row's family."""
    return _FAMILIES[row]()


def with_dummy_space(row: str) -> Any:
    """The family's tokenizer as `tokenizers` itself reads it: the oracle of its texts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(family_json(row))
    tokenizer.encode_special_tokens = True
    return tokenizer


def byte_level(marks: list[str], words: str = "") -> str:
    """tokenizer.json of bytes and a few merges; `words` is a pattern, or GPT-2's with digits on their own."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if words:
        before = [pre_tokenizers.Split(Regex(words), "isolated"), _bytes(use_regex=False)]
    else:
        before = [pre_tokenizers.Digits(individual_digits=True), _bytes(use_regex=True)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(before)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([AddedToken(mark, normalized=False, special=True) for mark in marks])
    return str(tokenizer.to_str())


def _bytes(use_regex: bool) -> Any:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def _sentencepiece(marks: list[str], texts: list[str], pipeline: dict[str, Any]) -> str:
    """Text with "▁" for a space, falling back to bytes: marks, bytes, then letters and a few merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    alphabet = [chr(code) for code in range(0x21, 0x7F)]
    learner.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    learned = json.loads(learner.to_str())["model"]
    merges = [pair for pair in learned["merges"] if "\n" not in "".join(pair)]
    entries = ["<unk>", *marks, *(f"<0x{byte:02X}>" for byte in range(256)), *texts]
    entries += [entry for entry in learned["vocab"] if "\n" not in entry]
    vocab = {entry: index for index, entry in enumerate(dict.fromkeys(entries))}
    model = models.BPE(vocab=vocab, merges=[tuple(p) for p in merges], unk_token="<unk>", fuse_unk=True)
    model.byte_fallback = True
    spec: dict[str, Any] = json.loads(Tokenizer(model).to_str())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    spec["added_tokens"] = [
        {"id": vocab[content], "content": content, **flags, "special": content in {"<unk>", *marks}}
        for content in sorted(["<unk>", *marks, *texts], key=vocab.__getitem__)
    ]
    return json.dumps(spec | pipeline)


def _decoder(*more: dict[str, Any]) -> dict[str, Any]:
    back = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    return {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, *more]}


_SPACES: dict[str, Any] = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
_STRIP: dict[str, Any] = {"type": "Strip", "content": " ", "start": 1, "stop": 0}


def _codellama() -> str:
    normalizers = [{"type": "Prepend", "prepend": "▁"}, _SPACES]
    pipeline = {"normalizer": {"type": "Sequence", "normalizers": normalizers}, "decoder": _decoder(_STRIP)}
    return _sentencepiece(["<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"], [], pipeline)


def _codestral() -> str:
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    marks = ["<s>", "</s>", "[INST]", "[/INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"]
    return _sentencepiece(marks, [], {"pre_tokenizer": metaspace, "decoder": _decoder(_STRIP)})


def _codegemma() -> str:
    words = {
        "type": "Split",
        "pattern": {"String": " "},
        "behavior": "MergedWithPrevious",
        "invert": False,
    }
    marks = [
        "<pad>",
        "<eos>",
        "<bos>",
        *_BARRED[:3],
        "<|file_separator|>",
        "<start_of_turn>",
        "<end_of_turn>",
    ]
    texts = ["\n\n", "\n\n\n", "▁▁", "▁▁▁▁", "<table>", "</table>", "<h1>"]
    return _sentencepiece(
        marks, texts, {"normalizer": _SPACES, "pre_tokenizer": words, "decoder": _decoder()}
    )


def _deepseek_v2() -> str:
    ends = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"]
    holes = ["<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜completion｜>"]
    return byte_level([*ends, *holes, "<｜User｜>", "<｜Assistant｜>", "<|EOT|>"])


_FAMILIES: dict[str, Callable[[], str]] = {
    "deepseek-coder-v2": _deepseek_v2,
    "qwen2.5-coder": lambda: byte_level(
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_BARRED, "<|repo_name|>", "<|file_sep|>"],
        QWEN_WORDS,
    ),
    "starcoder2": lambda: byte_level([*_STARCODER, "<repo_name>", "<file_sep>"]),
    "codellama": _codellama,
    "codestral": _codestral,
    "codegemma": _codegemma,
    "granite-code": lambda: byte_level([*_STARCODER, "<filename>", "<reponame>"]),
    "granite-4": lambda: byte_level(["<|end_of_text|>", *_BARRED, "<|filename|>", "<|reponame|>"]),
    "stable-code": lambda: byte_level([*_STARCODER, "<repo_name>", "<file_sep>"]),
    "mellum": lambda: byte_level([*_STARCODER, "<filename>", "<reponame>"]),
}
FAMILY_ROWS = tuple(_FAMILIES)
SENTENCEPIECE_ROWS = ("codellama", "codestral", "codegemma")
