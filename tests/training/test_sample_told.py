"""Told names are shown by the context, hidden by the file, and stand where they are first needed."""

from training.samples.told import names_in, told


def told_parts(middle: str, shown: set[str], visible: set[str]) -> list[str]:
    spans = [(at, at + 1) for at in range(len(middle))]
    marked = told(middle, spans, shown, visible)
    text = "".join(letter if is_told else " " for letter, is_told in zip(middle, marked, strict=True))
    return text.split()


def test_a_name_is_told_once() -> None:
    assert told_parts("store.put_value(put_value)", {"put_value"}, set()) == ["put_value"]


def test_what_the_file_shows_is_not_told() -> None:
    assert told_parts("store.put_value", {"put_value", "store"}, {"store"}) == ["put_value"]
    assert told_parts("store.put_value", {"put_value"}, {"put_value"}) == []


def test_parts_of_names_are_not_names() -> None:
    assert told_parts("put_values", {"put_value"}, set()) == []


def test_a_token_that_overlaps_a_name_is_told() -> None:
    assert told("x.put_value()", [(0, 1), (1, 5), (5, 11), (11, 13)], {"put_value"}, set()) == [
        False,
        True,
        True,
        False,
    ]


def test_words_outside_of_code_are_not_told() -> None:
    middle = "# Store\nStore"
    spans = [(at, at + 1) for at in range(len(middle))]
    marked = told(middle, spans, {"Store"}, set(), lambda at: at == middle.rindex("Store"))
    assert not any(marked), "the comment has shown it by then"
    assert any(told(middle, spans, {"Store"}, set(), lambda at: at == 2))


def test_keywords_builtins_and_short_names_say_nothing() -> None:
    assert names_in("return isinstance(foo, Shelf) or struct.func(self)") == {"Shelf"}
