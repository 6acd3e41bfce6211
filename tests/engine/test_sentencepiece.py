"""Tokenizers of other families: text comes back, marks in it stay text, no space is put before a piece."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TokenizerError
from engine.fim import FORMATS
from engine.sentencepiece import without_dummy_space, writes_spaces
from engine.tokens import Tokenizer
from engine_families import FAMILY_ROWS, SENTENCEPIECE_ROWS, family_json, with_dummy_space

FAMILIES = {row: Tokenizer.from_json(family_json(row)) for row in FAMILY_ROWS}
Spec = dict[str, Any]

marks = st.sampled_from(sorted({mark for row in FAMILY_ROWS for mark in FORMATS[row].marks}))
snippets = st.sampled_from(
    [
        " ",
        "  ",
        "\n\n",
        "\n\n\n",
        "\t",
        "\r\n",
        "▁",
        "▁▁",
        "<0x0A>",
        "<unk>",
        "<table>",
        "😋",
        "ü",
        "日本",
        "def f",
    ]
)
texts = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), snippets, marks), max_size=10
).map("".join)


@pytest.mark.parametrize("row", FAMILY_ROWS)
@given(parts=st.lists(texts, max_size=4))
def test_text_encoded_in_parts_comes_back_as_it_was(row: str, parts: list[str]) -> None:
    """None of it as a mark, whatever it looks like."""
    tokenizer = FAMILIES[row]

    ids = [token_id for part in parts for token_id in tokenizer.encode(part)]

    assert tokenizer.decode(ids) == "".join(parts)
    assert tokenizer.known_mark_ids().isdisjoint(ids)


@pytest.mark.parametrize("row", FAMILY_ROWS)
@given(text=texts)
def test_the_bytes_of_the_ids_are_the_bytes_of_the_text(row: str, text: str) -> None:
    tokenizer = FAMILIES[row]
    token_bytes = tokenizer.token_bytes()

    assert b"".join(token_bytes[token_id] for token_id in tokenizer.encode(text)) == text.encode()


@pytest.mark.parametrize("row", SENTENCEPIECE_ROWS)
@pytest.mark.parametrize("text", ["def add(left):\n    return left\n", "x", "日本 ü", "a\n\n\n  b"])
def test_with_the_families_space_in_front_the_ids_are_the_families_own(row: str, text: str) -> None:
    """Where the family puts one; `lead` of its row is that space."""
    own = with_dummy_space(row).encode(text, add_special_tokens=False).ids

    assert FAMILIES[row].encode(FORMATS[row].lead + text) == own


@pytest.mark.parametrize("row", SENTENCEPIECE_ROWS)
def test_a_piece_of_a_text_gets_no_space_of_its_own(row: str) -> None:
    tokenizer = FAMILIES[row]

    assert tokenizer.decode(tokenizer.encode("left")) == "left"
    assert tokenizer.decode(tokenizer.encode(" left")) == " left"
    assert tokenizer.encode(" left") != tokenizer.encode("left")
    assert tokenizer.encode("") == []


@pytest.mark.parametrize("row", SENTENCEPIECE_ROWS)
def test_part_of_an_emoji_is_a_replacement_character_until_all_bytes_are_there(row: str) -> None:
    tokenizer = FAMILIES[row]
    ids = tokenizer.encode("😋")
    assert len(ids) == 4

    assert all(set(tokenizer.decode(ids[:size])) == {"\ufffd"} for size in range(1, 4))
    assert tokenizer.decode(ids) == "😋"


def test_html_tags_of_gemmas_vocabulary_are_text_that_a_model_may_write() -> None:
    tokenizer = FAMILIES["codegemma"]

    (table,) = tokenizer.encode("<table>")

    assert table not in tokenizer.known_mark_ids()
    assert tokenizer.decode([table]) == "<table>"


def test_runs_of_spaces_in_gemmas_vocabulary_come_back_as_spaces() -> None:
    """They are added tokens, whose text is otherwise taken as it stands."""
    tokenizer = FAMILIES["codegemma"]
    spec: Spec = json.loads(tokenizer.source)
    run = next(token["id"] for token in spec["added_tokens"] if token["content"] == "▁▁▁▁")

    assert tokenizer.decode([run]) == "    "
    assert tokenizer.token_bytes()[run] == b"    "


def test_byte_level_tokenizers_are_left_alone() -> None:
    assert not any(
        writes_spaces(json.loads(family_json(row))) for row in {*FAMILY_ROWS} - {*SENTENCEPIECE_ROWS}
    )


@pytest.mark.parametrize("row", SENTENCEPIECE_ROWS)
def test_taking_the_space_off_twice_is_taking_it_off_once(row: str) -> None:
    spec: Spec = json.loads(family_json(row))
    assert writes_spaces(spec)

    once = without_dummy_space(spec)

    assert without_dummy_space(once) == once
    assert "Prepend" not in json.dumps(once)


def test_metaspace_as_decoder_keeps_the_first_space_too() -> None:
    """Some files let it take the space off, instead of a Strip."""
    spec: Spec = json.loads(family_json("codestral"))
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
    spec["decoder"]["decoders"] = [metaspace, {"type": "ByteFallback"}, {"type": "Fuse"}]

    tokenizer = Tokenizer.from_json(json.dumps(spec))

    assert tokenizer.decode(tokenizer.encode(" left")) == " left"


def test_a_vocabulary_without_bytes_is_refused() -> None:
    """It has no way to write what is in no entry, such as a "▁" of a text's own."""
    spec: Spec = json.loads(family_json("codellama"))
    spec["model"]["byte_fallback"] = False

    with pytest.raises(TokenizerError, match="does not give text back as it was"):
        Tokenizer.from_json(json.dumps(spec))
