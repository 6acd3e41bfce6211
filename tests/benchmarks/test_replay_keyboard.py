"""Typing in an editor that helps ends with exactly the text that was to be typed, whatever it is."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.replay.keyboard import Key, KeyKind, Typing, partners
from benchmarks.replay.live import edit_between

PIECES = [
    "\n",
    " ",
    "  ",
    "    ",
    "\t",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    "x",
    "if a",
    "# ü𝄞",
    "\n    ",
    "\n)",
]
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(
    st.characters(exclude_characters="\r"), max_size=40
)


def typed(typing, most=10_000):
    """Every state up to the end."""
    states = [typing]
    while (key := states[-1].next_key()) is not None:
        states.append(states[-1].pressed(key))
        assert len(states) < most, "typing does not end"
    return states


def keys_of(typing):
    keys = []
    while (key := typing.next_key()) is not None:
        keys.append(key)
        typing = typing.pressed(key)
    return keys


@settings(max_examples=500)
@given(
    texts,
    st.sampled_from(["", "    x = f(", "if a:", "\t"]),
    st.sampled_from(["    ", "  ", "\t"]),
    st.booleans(),
)
def test_any_text_is_typed_exactly(target, head, unit, auto_close):
    states = typed(Typing(target, head, unit, auto_close))
    assert states[-1].before == target
    assert states[-1].closers == ()


@settings(max_examples=300)
@given(texts, st.booleans())
def test_the_edits_between_states_make_each_state_of_the_last(target, auto_close):
    states = typed(Typing(target, auto_close=auto_close))
    for old, new in itertools.pairwise(states):
        at, gone, put = edit_between(old, new)
        assert old.text[at : at + len(gone)] == gone
        assert old.text[:at] + put + old.text[at + len(gone) :] == new.text


def test_enter_repeats_the_indentation_and_goes_deeper_after_an_opener():
    target = "\n    if a:\n        b\n        c"
    keys = keys_of(Typing(target, head="def f():"))
    assert all(key.kind in (KeyKind.CHAR, KeyKind.ENTER) for key in keys)
    assert len(keys) == len(target.replace(" ", "")) + 1  # the blank of "if a"


def test_a_dedent_is_one_backspace_and_a_blank_line_one_enter():
    keys = keys_of(Typing("\n    return a\n\nb", head="def f():"))
    kinds = [key.kind for key in keys if key.kind is not KeyKind.CHAR]
    assert kinds == [KeyKind.ENTER, KeyKind.ENTER, KeyKind.ENTER, KeyKind.BACKSPACE]


def test_indentation_of_ones_own_is_typed_with_tab():
    keys = keys_of(Typing("\n        b", head="a,"))
    assert [key.kind for key in keys] == [KeyKind.ENTER, KeyKind.TAB, KeyKind.TAB, KeyKind.CHAR]


def test_a_bracket_brings_its_closer_which_is_typed_over():
    typing = Typing("f(x)", auto_close=True)
    states = typed(typing)
    assert [state.text for state in states] == ["", "f", "f()", "f(x)", "f(x)"]
    assert edit_between(states[3], states[4]) == (3, ")", ")")
    assert keys_of(typing) == [Key(KeyKind.CHAR, char) for char in "f(x)"]


def test_enter_between_brackets_pushes_the_closer_below_and_one_key_goes_over_it():
    states = typed(Typing("f(\n    x,\n)", auto_close=True))
    assert "f(\n    \n)" in [state.text for state in states]
    kinds = [key.kind for key in keys_of(states[0])]
    assert kinds[-1] is KeyKind.DOWN
    assert kinds.count(KeyKind.ENTER) == 1


def test_a_closer_that_does_not_belong_is_deleted_at_once():
    states = typed(Typing("':('", auto_close=True))
    assert [state.text for state in states] == ["", "'", "':", "':()", "':(", "':('"]


@pytest.mark.parametrize(
    ("text", "pairs"), [("(a[b])", {0: 5, 2: 4}), ("(]", {}), ("())", {0: 1}), ("[(]", {})]
)
def test_brackets_pair_as_they_nest(text, pairs):
    assert partners(text) == pairs


def test_text_put_in_place_of_a_closer_is_sound_and_beside_it_is_not():
    typing = typed(Typing("f(x)", auto_close=True))[2]
    assert typing.text == "f()"
    assert typing.inserted("x)", 2, 1).is_sound()
    assert typing.inserted("x", 2, 0).is_sound()
    assert not typing.inserted("x)", 2, 0).is_sound()


def test_the_distance_between_two_states_is_in_keys():
    states = typed(Typing("\n    return f(a)", head="def f():", auto_close=True))
    for num, state in enumerate(states):
        if state.rest is not None:
            assert states[0].num_keys_to(state) == num
