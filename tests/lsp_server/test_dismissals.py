"""What was dismissed does not come back by itself at the same place of the same text."""

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.dismissals import MAX_SHOWN, Dismissals

A, B = "file:///a.py", "file:///b.py"


def dismissed_at(uri: str, text: str, offset: int) -> Dismissals:
    dismissals = Dismissals()
    dismissals.note_shown("one", uri, text, offset)
    assert dismissals.note("one")
    return dismissals


def test_only_the_same_place_of_the_same_document_is_dismissed() -> None:
    dismissals = dismissed_at(A, "x = ", 4)

    assert dismissals.is_dismissed(A, "x = ", 4)
    assert not dismissals.is_dismissed(A, "x = ", 3)
    assert not dismissals.is_dismissed(B, "x = ", 4)
    assert dismissals.is_dismissed(A, "x = ", 4)


def test_showing_alone_dismisses_nothing() -> None:
    dismissals = Dismissals()
    dismissals.note_shown("one", A, "x = ", 4)

    assert not dismissals.is_dismissed(A, "x = ", 4)


def test_any_edit_makes_the_place_new_even_if_it_is_undone() -> None:
    dismissals = dismissed_at(A, "x = ", 4)

    assert not dismissals.is_dismissed(A, "x = 1", 5)
    assert not dismissals.is_dismissed(A, "x = ", 4)


def test_several_places_of_one_text_are_kept() -> None:
    dismissals = dismissed_at(A, "x = \ny = ", 4)
    dismissals.note_shown("two", A, "x = \ny = ", 9)
    dismissals.note("two")

    assert dismissals.is_dismissed(A, "x = \ny = ", 4)
    assert dismissals.is_dismissed(A, "x = \ny = ", 9)


def test_what_was_typed_through_is_dismissed_where_it_was_seen_last() -> None:
    dismissals = Dismissals()
    dismissals.note_shown("one", A, "x = ", 4)
    dismissals.note_shown("one", A, "x = ab", 6)

    assert dismissals.note("one")

    assert not dismissals.is_dismissed(A, "x = ", 4)
    dismissals.note_shown("one", A, "x = ab", 6)
    assert dismissals.note("one")
    assert dismissals.is_dismissed(A, "x = ab", 6)


def test_without_a_name_it_is_the_completion_that_was_shown_last() -> None:
    dismissals = Dismissals()
    dismissals.note_shown("one", A, "x = ", 4)
    dismissals.note_shown("two", B, "y = ", 4)
    dismissals.note_shown("one", A, "x = a", 5)

    assert dismissals.note() == "one"

    assert dismissals.is_dismissed(A, "x = a", 5)
    assert not dismissals.is_dismissed(B, "y = ", 4)


def test_what_nobody_saw_cannot_be_dismissed() -> None:
    dismissals = Dismissals()

    assert not dismissals.note("one")
    assert not dismissals.note()


def test_a_dismissal_is_noted_once() -> None:
    assert not dismissed_at(A, "x = ", 4).note("one")


def test_a_closed_document_is_forgotten() -> None:
    dismissals = dismissed_at(A, "x = ", 4)

    dismissals.forget(A)

    assert not dismissals.is_dismissed(A, "x = ", 4)


def test_only_the_last_completions_are_remembered() -> None:
    dismissals = Dismissals()
    for number in range(MAX_SHOWN + 1):
        dismissals.note_shown(str(number), A, "x = ", number)

    assert not dismissals.note("0")
    assert dismissals.note("1")
    assert dismissals.note(str(MAX_SHOWN))


texts = st.text(alphabet="ab", max_size=3)
steps = st.lists(
    st.tuples(st.sampled_from(["dismiss", "ask"]), st.sampled_from([A, B]), texts, st.integers(0, 3)),
    max_size=20,
)


@given(steps)
def test_it_equals_a_list_of_whole_texts(steps: list[tuple[str, str, str, int]]) -> None:
    """Against an oracle that keeps the texts themselves."""
    dismissals = Dismissals()
    kept: list[tuple[str, str, int]] = []
    for number, (kind, uri, text, offset) in enumerate(steps):
        kept = [place for place in kept if place[0] != uri or place[1] == text]
        if kind == "dismiss":
            dismissals.note_shown(str(number), uri, text, offset)
            assert dismissals.note(str(number))
            kept.append((uri, text, offset))
        else:
            assert dismissals.is_dismissed(uri, text, offset) == ((uri, text, offset) in kept)
