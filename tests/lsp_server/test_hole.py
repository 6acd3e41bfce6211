"""The hole's parts and the shape of completion that fits it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Shape
from lsp_server.hole import Hole
from marked import hole


@given(st.lists(st.sampled_from(["a", "\n", "\r\n", "\rb"]), max_size=12), st.data())
def test_lines_of_a_document_end_in_line_feeds(pieces: list[str], data: st.DataObject) -> None:
    """Against replacing the line ends of what stands before and behind the cursor, piece by piece."""
    cursor = data.draw(st.integers(0, len(pieces)))
    before, after = "".join(pieces[:cursor]), "".join(pieces[cursor:])

    place = Hole.at(before + after, len(before))

    assert place.prefix == "".join("\n" if piece == "\r\n" else piece for piece in pieces[:cursor])
    assert place.suffix == "".join("\n" if piece == "\r\n" else piece for piece in pieces[cursor:])


@given(st.text(alphabet="ab \t\n", max_size=40), st.data())
def test_parts_equal_the_naive_split(text: str, data: st.DataObject) -> None:
    """Prefix, suffix and the line around the cursor, against splitting the whole text."""
    offset = data.draw(st.integers(0, len(text)))
    place = Hole(text, offset)

    line_prefix = text[:offset].split("\n")[-1]
    line_suffix = text[offset:].split("\n")[0]
    below = [line for line in text[offset:].split("\n")[1:] if line.strip()]

    assert (place.prefix, place.suffix) == (text[:offset], text[offset:])
    assert (place.line_prefix, place.line_suffix) == (line_prefix, line_suffix)
    assert place.next_lines() == tuple(below[:3])


@pytest.mark.parametrize(
    ("marked", "shape"),
    [
        pytest.param("x = |", Shape.LINE, id="a begun statement asks for its line"),
        pytest.param("def f():|", Shape.BLOCK, id="after an opener a block begins"),
        pytest.param("def f():\n    |\n", Shape.BLOCK, id="an empty line asks for a block"),
        pytest.param("call(|)", Shape.LINE, id="text after the cursor keeps it to the line"),
        pytest.param("    |  # note", Shape.LINE, id="a comment after the cursor counts as text"),
        pytest.param("if (a) {|", Shape.BLOCK, id="a brace opens a block"),
    ],
)
def test_shape_follows_from_the_line(marked: str, shape: Shape) -> None:
    assert hole(marked).shape("auto") is shape


def test_never_multiline_is_never_a_block() -> None:
    assert hole("def f():|").shape("never") is Shape.LINE


def test_always_multiline_still_respects_text_after_the_cursor() -> None:
    assert hole("x = |").shape("always") is Shape.BLOCK
    assert hole("f(|)").shape("always") is Shape.LINE


def test_inside_a_word_is_seen() -> None:
    assert hole("na|me = 1").is_inside_word()
    assert not hole("name| = 1").is_inside_word()


@given(
    st.text(alphabet="ab\n", max_size=6),
    st.text(alphabet="ab\n", max_size=6),
    st.text(alphabet="ab\n", max_size=8),
)
def test_what_was_typed_in_equals_trying_every_insertion(before: str, after: str, text: str) -> None:
    inserted = [text[len(before) : len(before) + size] for size in range(len(text) + 1)]
    expected = {each for each in inserted if before + each + after == text}

    typed = Hole(before + after, len(before)).typed_in(text)

    assert (set() if typed is None else {typed}) == expected
