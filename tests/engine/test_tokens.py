"""The tokenizer: text comes back as it was, marks in user text stay text, a broken tokenizer is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TokenizerError
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer
from engine_checkpoints import EOT, HOLE, MARK_IDS, NUM_BPE_TOKENS, NUM_TOKENS, ODD_TOKENS, make_tokenizer

MARKS = [*MARK_IDS]
Spec = dict[str, Any]


@pytest.fixture(scope="module")
def builtin_tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.fixture(scope="module")
def deepseek_json(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return (folder / "tokenizer.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def deepseek_tokenizer(deepseek_json: str) -> Tokenizer:
    return Tokenizer.from_json(deepseek_json)


@pytest.fixture(scope="module", params=["builtin_tokenizer", "deepseek_tokenizer"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    found: Tokenizer = request.getfixturevalue(request.param)
    return found


characters = st.characters(exclude_categories=["Cs"])
snippets = st.sampled_from(
    [
        "    ",
        "\t",
        "\r\n",
        "\n\n\n",
        "\u2028",
        "\x0c",
        "😋",
        "👩‍👩‍👧",
        "ü",
        "õ",
        "日本",
        "def f(x):\n",
        "\x00",
        *MARKS,
    ]
)
texts = st.lists(st.one_of(st.text(characters, max_size=8), snippets), max_size=12).map("".join)


@given(text=texts)
def test_text_comes_back_as_it_was(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(parts=st.lists(texts, max_size=4))
def test_text_encoded_in_parts_comes_back_as_it_was(tokenizer: Tokenizer, parts: list[str]) -> None:
    ids = [token_id for part in parts for token_id in tokenizer.encode(part)]

    assert tokenizer.decode(ids) == "".join(parts)


@given(text=texts)
def test_no_text_becomes_a_mark(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.known_mark_ids().isdisjoint(tokenizer.encode(text))


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    "shape",
    [
        pytest.param("{mark}", id="alone"),
        pytest.param("x{mark}y", id="glued"),
        pytest.param("{mark}{mark}", id="twice"),
        pytest.param(" {mark} ", id="spaced"),
        pytest.param("{head}{mark}{tail}", id="nested"),
        pytest.param("{head}\n{tail}", id="split"),
        pytest.param("{head}\u200b{tail}", id="split by nothing to see"),
    ],
)
def test_a_mark_in_a_users_file_is_plain_text(tokenizer: Tokenizer, mark: str, shape: str) -> None:
    text = shape.format(mark=mark, head=mark[:3], tail=mark[3:])

    ids = tokenizer.encode(text)

    assert tokenizer.decode(ids) == text
    assert tokenizer.known_mark_ids().isdisjoint(ids)


def test_halves_of_a_mark_encoded_apart_do_not_join(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(HOLE[:5]) + tokenizer.encode(HOLE[5:])

    assert tokenizer.decode(ids) == HOLE
    assert tokenizer.mark_id(HOLE) not in ids


def test_marks_have_the_models_ids_and_no_text(deepseek_tokenizer: Tokenizer) -> None:
    assert {mark: deepseek_tokenizer.mark_id(mark) for mark in MARKS} == MARK_IDS
    assert deepseek_tokenizer.known_mark_ids() == set(MARK_IDS.values())
    assert deepseek_tokenizer.decode([*MARK_IDS.values()]) == ""
    assert deepseek_tokenizer.num_ids == NUM_TOKENS


def test_known_mark_ids_skips_marks_of_other_models(deepseek_tokenizer: Tokenizer) -> None:
    assert deepseek_tokenizer.known_mark_ids([EOT, "<|endoftext|>"]) == {MARK_IDS[EOT]}


@pytest.mark.parametrize("text", ["<|fim_hole|>", "<|endoftext|>", "def", ""])
def test_what_is_no_mark_of_this_tokenizer_has_no_mark_id(tokenizer: Tokenizer, text: str) -> None:
    """The ASCII look-alike too, which others have sent as if it were the mark."""
    with pytest.raises(TokenizerError, match="no single token for the mark"):
        tokenizer.mark_id(text)


@pytest.mark.parametrize("letter", ODD_TOKENS)
def test_letters_that_are_added_tokens_come_back(deepseek_tokenizer: Tokenizer, letter: str) -> None:
    """DeepSeek-Coder #88: `tokenizers` decodes these added tokens as one broken byte."""
    ids = deepseek_tokenizer.encode(f"f{letter}r")

    assert NUM_TOKENS - 22 <= ids[1] < NUM_TOKENS - 9
    assert deepseek_tokenizer.decode(ids) == f"f{letter}r"


def test_an_added_token_that_is_no_mark_keeps_its_id_and_is_found_in_text(deepseek_json: str) -> None:
    """Though it stands behind marks, which are taken out of the text side."""
    spec: Spec = json.loads(deepseek_json)
    spec["added_tokens"] += [added(NUM_TOKENS, "<tool>"), added(NUM_TOKENS + 1, "\n        ")]
    tokenizer = Tokenizer.from_json(json.dumps(spec))

    assert tokenizer.mark_id("<tool>") == NUM_TOKENS
    assert NUM_TOKENS + 1 in tokenizer.encode("if a:\n        b")
    assert tokenizer.decode(tokenizer.encode("if a:\n        b <tool>")) == "if a:\n        b <tool>"


def added(token_id: int, content: str) -> Spec:
    flags = dict.fromkeys(["single_word", "lstrip", "rstrip", "normalized", "special"], False)
    return {"id": token_id, "content": content, **flags}


def test_part_of_an_emoji_is_a_replacement_character_until_all_bytes_are_there(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("😋")
    assert len(ids) > 1

    parts = [tokenizer.decode(ids[:size]) for size in range(1, len(ids) + 1)]

    assert all(part.endswith("\ufffd") for part in parts[:-1])
    assert parts[-1] == "😋"


def test_ids_without_text_give_none(deepseek_tokenizer: Tokenizer) -> None:
    x = deepseek_tokenizer.encode("x")
    assert deepseek_tokenizer.decode([*x, NUM_TOKENS + 5, *x]) == "xx"


def test_a_lone_surrogate_becomes_a_question_mark(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a?b"


def test_no_bos_is_put_in_front(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("") == []


def test_a_post_processor_is_left_out(deepseek_json: str) -> None:
    spec: Spec = json.loads(deepseek_json)
    spec["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "b", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"b": {"id": "b", "ids": [32013], "tokens": ["<｜begin▁of▁sentence｜>"]}},
    }
    assert Tokenizer.from_json(json.dumps(spec)).encode("") == []


def test_count_is_the_number_of_ids(tokenizer: Tokenizer) -> None:
    assert tokenizer.count("def f(x):\n") == len(tokenizer.encode("def f(x):\n"))


def test_two_tokenizers_have_two_digests(builtin_tokenizer: Tokenizer, deepseek_tokenizer: Tokenizer) -> None:
    assert builtin_tokenizer.digest != deepseek_tokenizer.digest


# Refusals


def metaspace(spec: Spec) -> None:
    """What transformers 5 makes of DeepSeek's tokenizer.json: all spaces vanish."""
    spec["pre_tokenizer"] = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "always",
        "split": False,
    }
    spec["decoder"] = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "always",
        "split": False,
    }


def lower_case(spec: Spec) -> None:
    spec["normalizer"] = {"type": "Lowercase"}


def prefix_space(spec: Spec) -> None:
    """Every piece of a prompt would begin with a space that no file has."""
    spec["pre_tokenizer"]["pretokenizers"][-1]["add_prefix_space"] = True


def no_decoder(spec: Spec) -> None:
    spec["decoder"] = None


@pytest.mark.parametrize("corrupt", [metaspace, lower_case, prefix_space, no_decoder])
def test_a_tokenizer_that_loses_text_is_refused(corrupt: Callable[[Spec], None], deepseek_json: str) -> None:
    spec: Spec = json.loads(deepseek_json)
    corrupt(spec)

    with pytest.raises(TokenizerError, match=r"does not give text back as it was: .* download the model"):
        Tokenizer.from_json(json.dumps(spec))


def test_a_tokenizer_whose_text_side_yields_a_mark_is_refused(deepseek_json: str) -> None:
    """`<|EOT|>` as the result of merges, not only as an added token."""
    spec: Spec = json.loads(deepseek_json)
    spec["pre_tokenizer"]["pretokenizers"] = spec["pre_tokenizer"]["pretokenizers"][-1:]
    vocab = spec["model"]["vocab"]
    for size in range(2, len(EOT) + 1):
        spec["model"]["merges"].append([EOT[: size - 1], EOT[size - 1]])
        vocab[EOT[:size]] = vocab.pop(f"filler{NUM_BPE_TOKENS - size}")
    spec["added_tokens"][-1]["id"] = vocab[EOT]

    with pytest.raises(TokenizerError, match=r"<.EOT.> <pad>.* became .*  <pad>"):
        Tokenizer.from_json(json.dumps(spec))


def test_an_added_token_whose_id_cannot_be_had_is_refused(deepseek_json: str) -> None:
    spec: Spec = json.loads(deepseek_json)
    spec["added_tokens"].append(added(NUM_TOKENS + 7, "<gap>"))

    with pytest.raises(TokenizerError, match="gives '<gap>' an id that it cannot have"):
        Tokenizer.from_json(json.dumps(spec))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="truncated"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "[]", id="a list"),
        pytest.param(lambda text: '{"version": "1.0"}', id="no model"),
        pytest.param(lambda text: text.replace('"BPE"', '"ABC"'), id="unknown model"),
        pytest.param(lambda text: "[" * 100_000, id="deep"),
        pytest.param(lambda text: "version https://git-lfs.github.com/spec/v1\n", id="an LFS pointer"),
    ],
)
def test_a_broken_tokenizer_json_is_refused(broken: Callable[[str], str], deepseek_json: str) -> None:
    with pytest.raises(TokenizerError, match=r"cannot be read .*download the model again"):
        Tokenizer.from_json(broken(deepseek_json))


def test_a_missing_tokenizer_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"holds no readable tokenizer\.json \(No such file"):
        Tokenizer.from_folder(tmp_path)


def test_a_tokenizer_json_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b'{"a": "\xff"}')

    with pytest.raises(TokenizerError, match="it is not UTF-8"):
        Tokenizer.from_folder(tmp_path)
