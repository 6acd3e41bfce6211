"""Typing what the ghost text says is answered from it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import TokenScore
from lsp_server.hole import Hole
from lsp_server.names_in_sight import Doubt
from lsp_server.typed_through import Offer, contains_in_order
from marked import hole

TEXT = st.text(alphabet="ab\n😋", max_size=12)


@given(TEXT, TEXT, st.text(alphabet="ab\n😋", min_size=1, max_size=8), st.data())
def test_the_rest_of_an_offer_is_what_is_not_typed_yet(
    before: str, after: str, offered: str, data: st.DataObject
) -> None:
    """For every prefix of the offer typed, short of all of it, the rest remains."""
    typed = data.draw(st.integers(0, len(offered) - 1))
    offer = Offer(Hole(before + after, len(before)), offered, "1")
    now = Hole(before + offered[:typed] + after, len(before) + typed)

    rest = offer.rest_at(now)

    assert rest is not None
    assert (rest.text, rest.replaces, rest.hole) == (offered[typed:], 0, now)


CODE = st.text(alphabet="ab)]\n", max_size=12)


@given(CODE, CODE, CODE.filter(bool), CODE, st.integers(0, 40), st.integers(0, 2))
def test_a_rest_always_leads_to_the_offered_text(
    before: str, after: str, offered: str, other: str, offset: int, replaces: int
) -> None:
    """Whatever the text is now: accepting a rest gives what accepting the whole offer gave, but for closing
    brackets that stand behind the cursor by themselves.
    """
    replaces = min(replaces, len(after))
    offer = Offer(Hole(before + after, len(before)), offered, "1", replaces)
    now = Hole(other, min(offset, len(other)))

    rest = offer.rest_at(now)

    if rest is not None:
        got = now.prefix + rest.text + now.suffix[rest.replaces :]
        whole = before + offered
        assert got.startswith(whole)
        assert got.endswith(after[replaces:])
        assert set(got[len(whole) : len(got) - len(after[replaces:])]) <= set(")]")


@pytest.mark.parametrize(
    ("start", "offered", "now", "rest", "replaces"),
    [
        pytest.param("foo|\n", "(a, b)", "foo(|)\n", "a, b)", 1, id="an auto-closed bracket is replaced"),
        pytest.param("x = |\n", "f([1])", "x = f([|])\n", "1])", 2, id="two of them"),
        pytest.param("x = |\n", '"abc"', 'x = "|"\n', 'abc"', 1, id="an auto-closed quote"),
        pytest.param(
            "f|\n", "(\n    a,\n)", "f(|)\n", "\n    a,\n)", 1, id="a bracket that closes further on"
        ),
        pytest.param("f|\n", "(a", "f(|)\n", "a", 0, id="a bracket that the offer leaves open stays"),
        pytest.param("def f|\n", "():\n    pass", "def f():\n    |\n", "pass", 0, id="an indented new line"),
    ],
)
def test_what_the_editor_adds_by_itself(start: str, offered: str, now: str, rest: str, replaces: int) -> None:
    found = Offer(hole(start), offered, "1").rest_at(hole(now))

    assert found is not None
    assert (found.text, found.replaces) == (rest, replaces)


def test_a_bracket_that_would_be_replaced_may_be_overtyped() -> None:
    """`)` was there, the offer contains it, and the user types over it: nothing is left to replace."""
    offer = Offer(hole("def f(|)\n"), "a):\n    pass", "1", replaces=1)

    rest = offer.rest_at(hole("def f(a)|\n"))

    assert rest is not None
    assert (rest.text, rest.replaces) == (":\n    pass", 0)


def test_an_offer_that_was_typed_to_its_end_is_spent() -> None:
    offer = Offer(Hole("x = ", 4), "1", "1")

    assert offer.rest_at(Hole("x = 1", 5)) is None


@pytest.mark.parametrize("now", ["x = t|\n", "y = |\n", "x =|\n", "x = |\nmore\n", "x = o|x\n"])
def test_going_another_way_ends_an_offer(now: str) -> None:
    assert Offer(hole("x = |\n"), "one", "1").rest_at(hole(now)) is None


def test_confidence_is_that_of_the_line_that_is_left() -> None:
    """The tokens before the cursor and those of later lines do not count."""
    scores = (TokenScore(0, math.log(0.1)), TokenScore(3, math.log(0.9)), TokenScore(7, math.log(0.2)))
    offer = Offer(hole("|\n"), "one two\nthree", "1", scores=scores)

    assert offer.confidence == pytest.approx(0.09 ** (1 / math.sqrt(2)))
    rest = offer.rest_at(hole("one|\n"))
    assert rest is not None
    assert rest.confidence == pytest.approx(0.9)
    assert Offer(hole("|\n"), "one", "1").confidence is None


def test_the_rest_of_a_token_that_was_begun_is_certain() -> None:
    offer = Offer(hole("|\n"), "one", "1", scores=(TokenScore(0, math.log(0.1)),))

    rest = offer.rest_at(hole("o|\n"))

    assert rest is not None
    assert rest.confidence == 1.0


def test_what_is_doubted_counts_less_until_it_is_typed() -> None:
    scores = (TokenScore(0, math.log(0.8)), TokenScore(4, math.log(0.8)))
    offer = Offer(hole("|\n"), "one two", "1", scores=scores, doubts=(Doubt(3, 0.5),))

    assert offer.confidence == pytest.approx(0.5 * 0.64 ** (1 / math.sqrt(2)))
    rest = offer.rest_at(hole("one|\n"))
    assert rest is not None
    assert rest.confidence == pytest.approx(0.8)


def test_confidence_of_an_offer_that_begins_a_line_is_that_of_the_line() -> None:
    scores = (TokenScore(0, math.log(0.1)), TokenScore(5, math.log(0.8)))

    assert Offer(hole("x|\n"), "\n    y", "1", scores=scores).confidence == pytest.approx(0.8)


@given(st.text(alphabet="ab)", max_size=8), st.text(alphabet="b)", max_size=4))
def test_containing_in_order_equals_a_subsequence(text: str, chars: str) -> None:
    letters = iter(text)
    assert contains_in_order(text, chars) == all(char in letters for char in chars)
