"""What was computed lately answers for the same place, and only for it."""

from engine.api import Segment
from lsp_server.hole import Hole
from lsp_server.offers import MAX_CHARS, MAX_KEPT, Offers
from lsp_server.typed_through import Offer
from marked import hole

PLAN = (Segment("a.py", "x = 1\n", "definition", "used here"),)
OTHER_PLAN = (Segment("a.py", "x = 2\n", "definition", "used here"),)


def text_at(offers: Offers, marked: str, plan: tuple[Segment, ...] | None = PLAN) -> str | None:
    known = offers.find(hole(marked), plan)
    return known.offer.text if known is not None else None


def test_the_same_place_is_known_again() -> None:
    """A wrong key and its deletion lead back to what was computed."""
    offers = Offers()
    offers.add(Offer(hole("x = |\n"), "one", "1", segments=PLAN))
    offers.add(Offer(hole("x = t|\n"), "wo", "2", segments=PLAN))

    assert text_at(offers, "x = |\n") == "one"
    assert text_at(offers, "x = t|\n") == "wo"


def test_another_prefix_suffix_or_plan_is_another_place() -> None:
    offers = Offers()
    offers.add(Offer(hole("x = |\n"), "one", "1", segments=PLAN))

    assert text_at(offers, "y = |\n") is None
    assert text_at(offers, "x = |\nmore\n") is None
    assert text_at(offers, "x = |\n", OTHER_PLAN) is None


def test_what_is_shown_goes_on_whatever_the_plan_is_now() -> None:
    """A plan that was renewed behind the typist's back must not change what they read."""
    offers = Offers()
    offer = Offer(hole("x = |\n"), "one", "1", segments=PLAN)
    offers.add(offer)
    offers.show(offer)
    offers.add(Offer(hole("x = o|\n"), "ther", "2", segments=OTHER_PLAN))

    assert text_at(offers, "x = o|\n", OTHER_PLAN) == "ne"


def test_nothing_to_say_is_known_for_exactly_that_place() -> None:
    offers = Offers()
    offers.add(Offer(hole("x = |\n"), "", "1", segments=PLAN))

    assert text_at(offers, "x = |\n") == ""
    assert text_at(offers, "x = o|\n") is None


def test_old_ones_are_forgotten() -> None:
    offers = Offers()
    for number in range(MAX_KEPT + 1):
        offers.add(Offer(hole(f"x{number} = |\n"), "one", str(number), segments=PLAN))

    assert text_at(offers, "x0 = |\n") is None
    assert text_at(offers, "x1 = |\n") == "one"


def test_of_a_very_large_document_few_are_kept() -> None:
    offers, text = Offers(), "x" * (MAX_CHARS // 3)
    for number in range(5):
        offers.add(Offer(Hole(text + str(number), 0), "one", str(number), segments=PLAN))

    kept = [offers.find(Hole(text + str(number), 0), PLAN) is not None for number in range(5)]
    assert kept == [False, False, False, True, True]


def test_alternatives_are_different_and_keep_their_order() -> None:
    """Whichever is looked at; only one that is not kept any more comes first."""
    offers = Offers()
    for text in ("three", "two", "one", "two"):
        offers.add(Offer(hole("x = |\n"), text, text, segments=PLAN))
    for shown in ("one", "three"):
        offers.show(Offer(hole("x = |\n"), shown, shown, segments=PLAN))
        assert [offer.text for offer in offers.alternatives(hole("x = |\n"))] == ["two", "one", "three"]
    assert [offer.text for offer in offers.alternatives(hole("x = t|\n"))] == ["wo", "hree"]

    offers.show(Offer(hole("x = |\n"), "four", "four", segments=PLAN))
    assert next(offer.text for offer in offers.alternatives(hole("x = |\n"))) == "four"
