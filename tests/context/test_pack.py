"""pack: what fits is taken, and nothing stands in a prompt twice."""

from __future__ import annotations

from context.candidate import Candidate, Unit
from context.extract import extract
from context.languages import language_named
from context.pack import HEADER_TOKENS, Packer
from context.repo_map import render

PYTHON = language_named("python")
TEXT = """class Outer:
    class Inner:
        def first(self): ...
        def second_and_longer(self, argument, another): ...
    def third(self): ...

def alone(): ...
"""
OUTER, INNER, FIRST, SECOND, THIRD, ALONE = range(6)


def packer(budget: int, *taken: int) -> Packer:
    assert PYTHON is not None
    facts = extract(TEXT, PYTHON)
    assert [row.name for row in facts.definitions] == [
        "Outer",
        "Inner",
        "first",
        "second_and_longer",
        "third",
        "alone",
    ]
    return Packer(budget, len, lambda _: facts, {"a.py": taken} if taken else {})


def candidate(*indices: int) -> Candidate:
    return Candidate("a.py", "definition", "defines", "Outer", tuple(map(Unit, indices)))


def texts(packer: Packer) -> list[str]:
    return [segment.text for segment in packer.finish(lambda keys, _: keys, str)[0]]


def test_a_class_that_is_there_already_comes_again_only_above_a_new_member() -> None:
    again = packer(1000, OUTER, INNER, FIRST)
    again.add(candidate(OUTER, INNER, FIRST, SECOND))

    assert "".join(texts(again)) == (
        "class Outer:\n"
        "    class Inner:\n"
        "        def second_and_longer(self, argument, another): ...\n"
        "        ...\n"
        "    ...\n"
    )


def test_a_class_does_not_come_again_above_nothing() -> None:
    nothing_new = packer(1000, OUTER, INNER, FIRST)
    nothing_new.add(candidate(OUTER, INNER, FIRST))
    too_long = packer(HEADER_TOKENS + 60, OUTER, INNER, FIRST)
    too_long.add(candidate(OUTER, INNER, FIRST, SECOND))

    assert texts(nothing_new) == []
    assert texts(too_long) == []
    assert too_long.free_tokens == HEADER_TOKENS + 60


def test_a_member_whose_class_is_not_there_is_left_out() -> None:
    alone = packer(1000)
    alone.add(candidate(SECOND, ALONE))

    assert texts(alone) == ["def alone(): ...\n"]


def test_all_pieces_together_are_the_map_of_the_file() -> None:
    assert PYTHON is not None
    full = packer(1000)
    full.add(candidate(*range(6)))

    assert texts(full) == [render(extract(TEXT, PYTHON), dict.fromkeys(range(6), False))]
