"""Samples are made of the very ids that the product's tokenizer gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tokens import SELF_TEST, Tokenizer
from training.samples.encoder import BUILTIN_FOLDER, Encoder

TOKENIZER = Tokenizer.from_folder(BUILTIN_FOLDER)
ENCODER = Encoder(TOKENIZER)
TEXTS = st.text(st.characters(), max_size=60) | st.text("ab_ \n\t()=.,:'\"0é漢😋\ud800", max_size=80)


@given(st.lists(TEXTS, max_size=5))
def test_a_batch_has_the_ids_of_each_text_alone(texts: list[str]) -> None:
    assert ENCODER.batch(texts) == [TOKENIZER.encode(text) for text in texts]


@given(TEXTS)
def test_one_text_has_the_ids_and_every_character_belongs_to_a_token(text: str) -> None:
    encoded = ENCODER.encode(text)
    assert encoded.ids == TOKENIZER.encode(text)
    assert {at for start, end in encoded.spans for at in range(start, end)} == {*range(len(text))}


@pytest.mark.parametrize("text", [*SELF_TEST, "".join(sorted(TOKENIZER.marks))])
def test_marks_in_a_text_stay_text(text: str) -> None:
    encoded = ENCODER.encode(text)
    assert not TOKENIZER.known_mark_ids() & {*encoded.ids}
    assert TOKENIZER.decode(encoded.ids) == text


def test_the_marks_are_those_of_the_card() -> None:
    assert (ENCODER.bos, ENCODER.eos, ENCODER.begin, ENCODER.hole, ENCODER.end) == (0, 1, 2, 3, 4)
