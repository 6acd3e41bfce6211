"""Holes lie in their text, reach everywhere, and are what an editor would ask for."""

import random

from hypothesis import given
from hypothesis import strategies as st

from training.samples.holes import draw_hole

TEXTS = st.text("ab :\n\t(", max_size=120) | st.text(max_size=60)
CODE = "def first(a):\n    if a:\n        return a\n    return None\n\n\nclass Second:\n    pass\n"


@given(TEXTS, st.integers())
def test_prefix_middle_and_suffix_are_the_text(text: str, seed: int) -> None:
    start, end = draw_hole(text, random.Random(seed))
    assert 0 <= start <= end <= len(text)
    assert text[:start] + text[start:end] + text[end:] == text


@given(TEXTS, st.integers())
def test_a_seed_gives_one_hole(text: str, seed: int) -> None:
    assert draw_hole(text, random.Random(seed)) == draw_hole(text, random.Random(seed))


def test_cuts_fall_at_any_character_and_middles_are_of_all_sizes() -> None:
    holes = [draw_hole(CODE, random.Random(seed)) for seed in range(4000)]
    assert len({start for start, _ in holes}) > len(CODE) * 0.9
    middles = {CODE[start:end] for start, end in holes}
    assert "(a):" in middles, "the rest of a line, from inside"
    assert "    if a:\n        return a\n    return None" in middles, "to the end of a block"
    assert CODE[CODE.index("class") :] in middles, "to the end of the text"
    assert any(middle.count("\n") >= 2 and not middle.startswith(("\n", " ")) for middle in middles)


def test_most_middles_in_one_line_end_with_it() -> None:
    holes = [draw_hole(CODE, random.Random(seed)) for seed in range(2000)]
    one_line = [hole for hole in holes if "\n" not in CODE[hole.start : hole.end] and hole.end > hole.start]
    assert sum(CODE[hole.end] == "\n" for hole in one_line) > 0.7 * len(one_line)
