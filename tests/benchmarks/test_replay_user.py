"""The simulated user: what is taken, what it saves and costs, and when ghost text flickers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.replay.ghost import Ghost, Portion, best_take, first_line, line_ends, longest_right, word_ends
from benchmarks.replay.keyboard import KeyKind, Typing
from benchmarks.replay.user import FlickerKind, User, num_keys

CODE = """
    def total(self, rows):
        if not rows:
            return None
        found = [row.price for row in rows
            if row.is_sold]

        return sum(found)"""
KEY_S = 0.2


def typing(**changes):
    return Typing(CODE, head="class Shop:", **changes)


def play(user, answer, delay_s=0.1):
    """Type everything; `answer` is asked after every edit, and is there `delay_s` later."""
    now, acts = 0.0, []
    while not user.is_done:
        now += KEY_S
        act = user.act(now)
        acts.append(act)
        if act.key is None or act.key.kind is not KeyKind.DOWN:
            user.see(answer(user.typing), now + delay_s)
    user.finish()
    assert user.typing.text == user.typing.target
    assert user.tally.keys >= user.tally.pressed or user.tally.takes.total() == 0
    return acts


def perfect(state):
    return Ghost(state.rest, len(state.before), len(state.after)) if state.rest else None


def nothing(_state):
    return None


def wrong(state):
    return Ghost("@@@", len(state.before))


@pytest.mark.parametrize("auto_close", [False, True])
def test_a_perfect_oracle_saves_nearly_all_keys(auto_close):
    user = User(typing(auto_close=auto_close))
    play(user, perfect)
    assert user.tally.pressed <= 3
    assert user.tally.saved(1) == user.tally.saved(0) > 0.97
    assert (user.tally.shown, user.tally.accepted, user.tally.takes) == (1, 1, {Portion.WHOLE: 1})
    assert not user.tally.flickers


@pytest.mark.parametrize("auto_close", [False, True])
def test_an_empty_one_saves_and_costs_nothing(auto_close):
    user = User(typing(auto_close=auto_close))
    play(user, nothing)
    assert user.tally.pressed == user.tally.keys == num_keys(typing(auto_close=auto_close))
    assert user.tally.saved(1) == user.tally.saved(0) == 0
    assert (user.tally.shown, user.tally.flashed) == (0, 0)


def test_a_wrong_one_costs_a_key_each_time_it_is_read():
    user = User(typing())
    play(user, wrong)
    assert user.tally.wrong == user.tally.shown == user.tally.keys - 1  # nobody looks at the last
    assert user.tally.saved(0) == 0
    assert user.tally.saved(1) == -user.tally.wrong / user.tally.keys


def test_what_was_there_too_briefly_is_neither_taken_nor_paid_for():
    for answer in (perfect, wrong):
        user = User(typing())
        play(user, answer, delay_s=KEY_S - 0.04)
        if answer is wrong:
            assert user.tally.saved(1) == 0
            assert user.tally.flashed > 0
        else:  # it stays while it is typed along, and then has been there long enough
            assert user.tally.accepted == 1


def test_an_answer_for_an_older_text_is_not_taken():
    user = User(Typing("abcdef"))
    user.act(0.0)
    user.see(Ghost("bcdef", 1), 0.0)
    user.act(0.03)  # too early: "b" is typed along
    assert user.typing.before == "ab"
    assert user.act(1.0).key is not None  # nothing has come for "ab"


def test_right_lines_are_taken_and_then_right_words():
    state = typing().inserted(CODE[: CODE.index("if not")], 0, 0)
    lines = best_take(state, Ghost("if not rows:\n            return None\n        raise", len(state.before)))
    assert (lines.portion, lines.num_keys) == (Portion.LINE, 2)
    assert lines.after.before.endswith("return None")
    words = best_take(state, Ghost("if not found:", len(state.before)))
    assert (words.portion, words.num_keys) == (Portion.WORD, 2)
    assert words.after.before.endswith("if not")
    assert best_take(state, Ghost("while", len(state.before))) is None


def test_what_saves_no_key_is_not_taken_but_is_not_wrong():
    user = User(Typing("ab)"))
    user.act(0.0)
    user.act(0.2)
    user.see(Ghost(")", 2), 0.2)
    assert user.act(1.0).key.char == ")"
    user.finish()
    assert (user.tally.agreed, user.tally.wrong, user.tally.accepted) == (1, 0, 0)


def test_the_range_of_an_item_is_honoured_and_a_doubled_bracket_is_wrong():
    state = Typing("f(value)", auto_close=True)
    for _ in range(2):
        state = state.pressed(state.next_key())
    assert best_take(state, Ghost("value)", 2, 1)).after.text == "f(value)"
    assert best_take(state, Ghost("value", 2, 0)).portion is Portion.WHOLE
    doubled = best_take(state, Ghost("value)", 2, 0))
    assert (doubled.portion, doubled.after.text) == (Portion.WORD, "f(value)")


def test_a_range_may_take_back_what_the_editor_indented():
    state = Typing("\n    return a\nb = 1", head="def f():")
    while state.before != "\n    return a\n    ":
        state = state.pressed(state.next_key())
    take = best_take(state, Ghost("b = 1", len("\n    return a\n"), 0))
    assert take.after.text == state.target


def shown(user, text, now):
    user.see(Ghost(text, len(user.typing.before)) if text else None, now)


@pytest.mark.parametrize(
    ("then", "kind"),
    [
        ("cxyz", FlickerKind.CHANGED),
        ("cX", FlickerKind.CHANGED),
        ("", FlickerKind.VANISHED),
        ("cdef", FlickerKind.GROWN),
    ],
)
def test_another_text_in_place_of_one_that_still_agrees_is_flicker(then, kind):
    user = User(Typing("abcdefgh"))
    user.act(0.0)
    shown(user, "bcd", 0.19)
    user.act(0.2)
    shown(user, then, 0.3)
    assert [(each.kind, each.old, each.new) for each in user.tally.flickers] == [(kind, "cd", then)]


def test_the_rest_of_what_was_shown_is_no_flicker_and_no_new_ghost_text():
    user = User(Typing("abcdx"))
    user.act(0.0)
    for rest in ("bcdef", "cdef", "def"):
        shown(user, rest, user.typing.before.__len__())
        user.act(len(user.typing.before) + 0.01)
    user.finish()
    assert not user.tally.flickers
    assert user.tally.shown + user.tally.flashed == 1


@pytest.mark.parametrize("rest", ["bXYZ", "b"])
def test_what_typing_has_left_behind_may_change(rest):
    user = User(Typing("abcd"))
    user.act(0.0)
    shown(user, rest, 0.19)
    for now in (0.2, 0.4):
        act = user.act(now)
    assert not act.follows
    shown(user, "d!", 0.5)
    assert not user.tally.flickers


def test_ghost_text_that_goes_because_something_was_deleted_is_no_flicker():
    state = Typing("\n    a\nb", head="if x:")
    while state.before != "\n    a\n    ":
        state = state.pressed(state.next_key())
    user = User(state)
    shown(user, "c", 0.0)
    assert user.act(0.01).key.kind is KeyKind.BACKSPACE
    shown(user, "b", 0.1)
    assert not user.tally.flickers


def test_typing_along_through_brackets_and_indentation_agrees():
    user = User(Typing("f(\n    a,\n)", auto_close=True))
    user.act(0.0)
    user.see(Ghost("(\n    a,\n)", 1), 0.0)
    acts = [user.act(0.01 * num) for num in range(1, 4)]
    assert [act.follows for act in acts] == [True, True, True]
    assert user.typing.text == "f(\n    a\n)"
    user.see(Ghost(",", len(user.typing.before)), 0.1)
    assert not user.tally.flickers


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_whatever_is_answered_the_text_comes_out_right(data, auto_close):
    def some(state):
        rest = state.rest or ""
        text = rest[: data.draw(st.integers(0, 60))] + data.draw(
            st.sampled_from(["", "", ")", "\n", "zz", " "])
        )
        if not text:
            return None
        return Ghost(text, len(state.before), data.draw(st.integers(0, len(state.after))))

    user = User(typing(auto_close=auto_close))
    acts = play(user, some, delay_s=data.draw(st.sampled_from([0.0, 0.19])))
    assert user.tally.pressed == sum(act.take.num_keys if act.take else 1 for act in acts)
    parts = (user.tally.accepted, user.tally.agreed, user.tally.wrong)
    assert sum(parts) == user.tally.shown


def test_texts_are_cut_at_lines_and_words():
    text = "\n    if a.b(c):\n        d\n"
    assert [text[:end] for end in line_ends(text)] == ["\n    if a.b(c):", "\n    if a.b(c):\n        d"]
    assert first_line(text) == "\n    if a.b(c):"
    parts = [text[:end].split()[-1] for end in word_ends(text)]
    assert parts == ["if", "a", "a.", "a.b", "a.b(", "a.b(c", "a.b(c):"]
    assert longest_right("ab cd ef", "ab cd xy".startswith).length == len("ab cd")
    assert longest_right("x", "ab".startswith) is None
