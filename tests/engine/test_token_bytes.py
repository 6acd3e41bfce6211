"""The bytes of ids: joined, they are the text that was encoded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model_folder import BUILTIN_FOLDER
from engine.token_bytes import byte_level, is_byte_level, letters_of_bytes, sentence_piece
from engine.tokens import Tokenizer
from engine_checkpoints import HOLE, NUM_TOKENS, ODD_TOKENS, make_tokenizer

pieces = st.sampled_from(
    ["    ", "\t", "\r\n", "\x00", "😋", "ü", "õ", "日本", "def f(x):\n", HOLE, "\u2581"]
)
texts = st.lists(st.one_of(st.text(max_size=8), pieces), max_size=12).map("".join)


@pytest.fixture(scope="module", params=["builtin", "deepseek"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder: Path = BUILTIN_FOLDER
    if request.param == "deepseek":
        folder = make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return Tokenizer.from_folder(folder)


@pytest.fixture(scope="module")
def token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    return tokenizer.token_bytes()


@given(text=texts)
def test_joined_they_are_the_text_in_utf8(tokenizer: Tokenizer, token_bytes: list[bytes], text: str) -> None:
    assert b"".join(token_bytes[i] for i in tokenizer.encode(text)) == text.encode("utf-8", "replace")


def test_every_byte_has_an_id_or_is_in_no_text(tokenizer: Tokenizer, token_bytes: list[bytes]) -> None:
    missing = {bytes([byte]) for byte in range(256)} - {*token_bytes}

    assert missing <= {bytes([byte]) for byte in (0xC0, 0xC1, *range(0xF5, 0x100))}


def test_marks_have_none(tokenizer: Tokenizer, token_bytes: list[bytes]) -> None:
    assert len(token_bytes) == tokenizer.num_ids
    assert {token_bytes[i] for i in tokenizer.known_mark_ids()} == {b""}


def test_an_added_token_that_is_no_mark_stands_for_its_letters(tmp_path: Path) -> None:
    """DeepSeek's "ü" is no broken byte."""
    tokenizer = Tokenizer.from_folder(make_tokenizer(tmp_path))
    token_bytes = tokenizer.token_bytes()

    assert tokenizer.num_ids == NUM_TOKENS
    for letter in ODD_TOKENS:
        (token_id,) = tokenizer.encode(letter)
        assert token_bytes[token_id] == letter.encode()


def test_all_bytes_have_a_letter_of_their_own() -> None:
    letters = letters_of_bytes()

    assert sorted(letters.values()) == list(range(256))
    assert byte_level("Ġdef", letters) == b" def"
    assert byte_level("日", letters) == "日".encode()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("\u2581def", b" def"),
        ("<0x0A>", b"\n"),
        ("<0xF0>", b"\xf0"),
        ("<0x0A", b"<0x0A"),
        ("é", "é".encode()),
        ("\u2581\u2581", b"  "),
    ],
)
def test_sentence_pieces_entries_are_text_spaces_and_single_bytes(entry: str, expected: bytes) -> None:
    assert sentence_piece(entry) == expected


def test_the_decoder_says_how_entries_are_written() -> None:
    assert is_byte_level({"type": "ByteLevel"})
    assert is_byte_level({"type": "Sequence", "decoders": [{"type": "ByteLevel"}]})
    assert not is_byte_level({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]})
    assert not is_byte_level(None)
