"""Where a prompt may end so that nothing typed later changes its tokens: brute force is the oracle."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import MAX_HEAL_CHARS, Tokenizer
from engine_checkpoints import CORPUS

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
PAIRS = [
    "x = f()\n\n\n        y['a'] = {}\n\n    \n    self.z(a, b)[0]:\n\n\n    it's we'll they're\n" * 3,
    "foo((a)), [[]], {{}} ... == != <= -> := += ** // 1234 5678 100 \t\t\tif (a) {\r\n\t\t}\r\n\r\n" * 3,
    "a  \n  b  \n\n  c   (d)  'e' \"f\" für naïve 日本語 ;\n;\n  ),\n  );\n" * 3,
]


def trained(
    pre_tokenizer: Any, normalizer: Any = None, *, in_bytes: bool = True, pre_tokenizer_after: Any = None
) -> Tokenizer:
    """A small vocabulary rich in tokens of punctuation, white space and digits.

    SentencePiece's way (not `in_bytes`) the words are known while it is trained, not afterwards.
    """
    from tokenizers import Tokenizer as RawTokenizer
    from tokenizers import decoders, models, pre_tokenizers, trainers

    raw = RawTokenizer(models.BPE(byte_fallback=not in_bytes))
    raw.pre_tokenizer, raw.normalizer = pre_tokenizer, normalizer
    alphabet = pre_tokenizers.ByteLevel.alphabet() if in_bytes else []
    special = [] if in_bytes else [f"<0x{byte:02X}>" for byte in range(256)]
    raw.train_from_iterator(
        [*CORPUS, *PAIRS],
        trainers.BpeTrainer(
            vocab_size=900, initial_alphabet=alphabet, special_tokens=special, show_progress=False
        ),
    )
    raw.decoder = (
        decoders.ByteLevel()
        if in_bytes
        else decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    )
    if pre_tokenizer_after is not None:
        raw.pre_tokenizer = pre_tokenizer_after
    elif not in_bytes:
        raw.pre_tokenizer = None
    source = json.loads(raw.to_str())
    # Byte tokens had to be special to enter the vocabulary; in SentencePiece's files they are not.
    return Tokenizer.from_json(json.dumps(source | {"added_tokens": []}))


def split_by(pattern: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@functools.cache
def build(name: str, deepseek_folder: Path) -> Tokenizer:
    from tokenizers import Regex, normalizers, pre_tokenizers

    match name:
        case "builtin":
            return Tokenizer.from_folder(BUILTIN_FOLDER)
        case "deepseek-coder":
            return Tokenizer.from_folder(deepseek_folder)
        case "qwen2":
            return trained(split_by(QWEN2), normalizers.NFC())
        case "llama3":
            return trained(split_by(LLAMA3))
        case "starcoder2":
            digits = pre_tokenizers.Digits(individual_digits=True)
            gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
            return trained(pre_tokenizers.Sequence([digits, gpt2]))
        case "metaspace":
            words = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
            return trained(words, in_bytes=False, pre_tokenizer_after=words)
        case _:
            words = pre_tokenizers.Split(Regex(r"\n+|\t+|▁*[^▁\s]+|▁+"), "isolated")
            return trained(words, normalizers.Replace(" ", "▁"), in_bytes=False)


@pytest.fixture(
    scope="module",
    params=["builtin", "deepseek-coder", "qwen2", "llama3", "starcoder2", "sentencepiece", "metaspace"],
)
def tokenizer(request: pytest.FixtureRequest, deepseek_folder: Path) -> Tokenizer:
    return build(request.param, deepseek_folder)


BITS = [
    "a", "self", "Foo", "it", "s", "l", "re", "é", "ü", "日本", "😋", "\u0301",
    "0", "12", "1234", "٣",
    "'", '"', "(", ")", "()", "):", "[", "]", ".", ",", ";", "=", "==", "_", "#", "’",
    " ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "\n    ", "  \n", "\u3000", "\x85", "\ud83d",
]  # fmt: skip
texts = st.lists(st.sampled_from(BITS), max_size=12).map("".join)
code = st.lists(st.sampled_from(BITS), min_size=1, max_size=60).map("".join)


@given(text=texts, continuation=texts)
@example(text="x'l", continuation="l")
@example(text="a\n\n  ", continuation="\n")
@example(text="a  ü", continuation="ü")
@example(text="\n\na", continuation="")
@example(text="\t\t(", continuation=")")
@example(text="f(", continuation=")")
@example(text="12", continuation="3")
def test_the_ids_up_to_it_stand_whatever_follows(tokenizer: Tokenizer, text: str, continuation: str) -> None:
    kept = tokenizer.encode(text[: tokenizer.healing_start(text)])

    assert tokenizer.encode(text + continuation)[: len(kept)] == kept


@given(text=code, continuation=texts)
def test_the_ids_of_longer_texts_stand_too(tokenizer: Tokenizer, text: str, continuation: str) -> None:
    """More than is looked at; but for words so long that they are not grown again."""
    start = tokenizer.healing_start(text)
    kept = tokenizer.encode(text[:start])

    assert len(text) - start <= MAX_HEAL_CHARS
    assert start == len(text) or tokenizer.encode(text + continuation)[: len(kept)] == kept


@given(text=texts)
def test_no_more_is_grown_again_than_a_word_and_the_white_space_at_its_side(
    tokenizer: Tokenizer, text: str
) -> None:
    """Not the start of the text: every healed token is a step of the model."""
    rolled_back = text[tokenizer.healing_start(text) :]

    assert len([word for word in rolled_back.split(" ") if word.strip()]) <= 1


@pytest.mark.parametrize(
    ("name", "text", "rolled_back"),
    [
        ("builtin", "x = self.siz", ".siz"),
        ("builtin", "x = f(", "("),
        ("builtin", "return", "return"),
        ("builtin", "x = ret", " ret"),
        ("builtin", "def f():\n    ", "    "),
        ("builtin", "x = 12", ""),
        ("builtin", "x" * 65, ""),
        ("builtin", "", ""),
        ("deepseek-coder", "f():\n", ""),
        ("deepseek-coder", "f():\n    ", "    "),
        ("deepseek-coder", "x = 12", ""),
        ("starcoder2", "f():\n    ret", " ret"),
        ("starcoder2", "it'l", "'l"),
        ("llama3", "x = 12", "12"),
        ("sentencepiece", "x = ret", " ret"),
    ],
)
def test_what_is_grown_again(name: str, text: str, rolled_back: str, deepseek_folder: Path) -> None:
    assert text[build(name, deepseek_folder).healing_start(text) :] == rolled_back
