"""Typing what the ghost text says is answered from it."""

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.hole import Hole
from lsp_server.typed_through import Offer

TEXT = st.text(alphabet="ab\n😋", max_size=12)


@given(TEXT, TEXT, st.text(alphabet="ab\n😋", min_size=1, max_size=8), st.data())
def test_the_rest_of_an_offer_is_what_is_not_typed_yet(
    before: str, after: str, offered: str, data: st.DataObject
) -> None:
    """For every prefix of the offer typed, short of all of it, the rest remains."""
    typed = data.draw(st.integers(0, len(offered) - 1))
    offer = Offer(Hole(before + after, len(before)), offered, "1")
    now = Hole(before + offered[:typed] + after, len(before) + typed)

    assert offer.rest_at(now) == offered[typed:]


@given(TEXT, TEXT, TEXT.filter(bool), TEXT, st.integers(0, 40))
def test_a_rest_always_leads_to_the_offered_text(
    before: str, after: str, offered: str, other: str, offset: int
) -> None:
    """Whatever the text is now: if there is a rest, inserting it gives the text with the whole offer."""
    offer = Offer(Hole(before + after, len(before)), offered, "1")
    now = Hole(other, min(offset, len(other)))

    rest = offer.rest_at(now)

    if rest is not None:
        assert now.prefix + rest + now.suffix == before + offered + after


def test_an_offer_that_was_typed_to_its_end_is_spent() -> None:
    offer = Offer(Hole("x = ", 4), "1", "1")

    assert offer.rest_at(Hole("x = 1", 5)) is None


def test_going_another_way_ends_an_offer() -> None:
    offer = Offer(Hole("x = ", 4), "one", "1")

    assert offer.rest_at(Hole("x = t", 5)) is None
