"""syntax: what is true of a cursor and of text put there, case by case in tests/golden/syntax.

A file is named by its language. `|` is the cursor, two of them enclose what is replaced.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from context.languages import Language, language_named
from context.syntax import SyntaxTrees

GOLDEN = Path(__file__).parent.parent / "golden" / "syntax"
TRUTHS = ("in_comment", "in_string", "opens_block", "is_empty_part", "ends_statement", "is_line_whole")


def golden_cases(kind: str) -> list[Any]:
    found = []
    for file in sorted(GOLDEN.glob("*.toml")):
        language = language_named(file.stem)
        assert language is not None
        cases = tomllib.loads(file.read_text("utf-8"))[kind]
        found += [pytest.param(language, case, id=f"{file.stem}-{case['name']}") for case in cases]
    return found


@pytest.mark.parametrize(("language", "case"), golden_cases("place"))
def test_place(language: Language, case: dict[str, Any]) -> None:
    before, after = case["at"].split("|")

    place = SyntaxTrees().place("a", language, before + after, len(before))

    assert {name for name in TRUTHS if getattr(place, name)} == set(case["is"])
    assert place.closers == case.get("closers")


@pytest.mark.parametrize(("language", "case"), golden_cases("place"))
def test_a_place_is_the_same_when_the_text_was_typed(language: Language, case: dict[str, Any]) -> None:
    before, after = case["at"].split("|")
    trees = SyntaxTrees()

    for length in range(len(before) + 1):
        place = trees.place("a", language, before[:length] + after, length)

    assert place == SyntaxTrees().place("a", language, before + after, len(before))


@pytest.mark.parametrize(("language", "case"), golden_cases("breaks"))
def test_breaks(language: Language, case: dict[str, Any]) -> None:
    pieces = case["at"].split("|")
    start, end = len(pieces[0]), len("".join(pieces[: len(pieces) - 1]))

    assert SyntaxTrees().breaks("a", language, "".join(pieces), start, end, case["text"]) == case["breaks"]
