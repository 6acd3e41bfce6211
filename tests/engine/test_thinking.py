"""Thoughts at the start of an answer are cut out, however it is cut into pieces."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.backends.thinking import CLOSE, OPEN, WithoutThinking, behind_thought

SCRAPS = (OPEN, CLOSE, "<", "think>", "</", "<thin", " ", "\n", "a", "answer")


def spoken(pieces: list[str]) -> list[str]:
    """What is passed on of each piece, and at the end."""
    cut = WithoutThinking()
    return [*map(cut.feed, pieces), cut.end()]


def by_a_pattern(text: str) -> str:
    """The oracle: the whole text at once."""
    return re.sub(rf"\A\s*{OPEN}.*?({CLOSE}\s*|\Z)", "", text, flags=re.DOTALL)


@given(st.lists(st.sampled_from(SCRAPS), max_size=12), st.data())
def test_any_pieces_of_a_text_give_what_the_whole_text_gives(scraps: list[str], data: st.DataObject) -> None:
    text = "".join(scraps)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    bounds = [0, *cuts, len(text)]
    pieces = [text[start:stop] for start, stop in pairwise(bounds)]

    assert "".join(spoken(pieces)) == by_a_pattern(text)


def test_text_without_thoughts_is_passed_on_at_once() -> None:
    assert spoken(["    re", "turn <think>", "x</think>"]) == ["    re", "turn <think>", "x</think>", ""]


def test_it_is_known_that_a_model_only_thinks() -> None:
    cut = WithoutThinking()
    told = []
    for piece in ("\n", OPEN, "hm", CLOSE + "\n", "Yes"):
        cut.feed(piece)
        told.append(cut.is_thinking)

    assert told == [False, True, True, True, False]


@given(st.lists(st.sampled_from([*SCRAPS, f"\n{CLOSE}\n", f"\n{CLOSE}\n\n"]), max_size=12).map("".join))
def test_a_thought_that_the_prompt_opened_ends_where_its_mark_stands_alone(text: str) -> None:
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines[:-1]) if line.rstrip(" \t") == CLOSE]
    is_thought = bool(ends) and OPEN not in "\n".join(lines[: ends[0]])

    assert behind_thought(text) == ("\n".join(lines[ends[0] + 1 :]).lstrip() if is_thought else text)
