"""Where an automatic request gets nothing, case by case in tests/golden/trigger."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.languages import language_named
from context.syntax import Place, SyntaxTrees
from lsp_server.counts import empty_name
from lsp_server.hole import Hole
from lsp_server.settings import InlineSettings
from lsp_server.trigger import Silence, silence
from marked import hole

GOLDEN = Path(__file__).parents[1] / "golden/trigger"
CASES = [
    pytest.param(case, id=f"{file.stem}-{case['name']}")
    for file in sorted(GOLDEN.glob("*.toml"))
    for case in tomllib.loads(file.read_text("utf-8"))["case"]
]


@pytest.mark.parametrize("case", CASES)
def test_golden(case: dict[str, Any]) -> None:
    at = hole(case["at"])
    settings = InlineSettings(in_comments=case.get("in_comments", True))

    said = silence(at, place_of(case, at), settings, is_named=case.get("is_named", True))

    assert said == case["silence"]


def place_of(case: dict[str, Any], at: Hole) -> Place | None:
    """As the case says it itself, or as the grammar of its language does."""
    if (name := case.get("language")) is None:
        return Place(**case["place"]) if "place" in case else None
    place = SyntaxTrees().place("", language_named(name), at.text, at.offset)
    assert place is not None, f"no grammar for {name}"
    return place


def test_every_reason_has_a_case() -> None:
    assert {case.values[0]["silence"] for case in CASES} == {"", *Silence}


@pytest.mark.parametrize("reason", Silence)
def test_the_statistics_can_hold_every_reason(reason: Silence) -> None:
    assert empty_name(reason).endswith(f".{reason}")


FLAGS = [field.name for field in fields(Place) if field.name != "closers"]
places = st.none() | st.builds(Place, **dict.fromkeys(FLAGS, st.booleans()))
code = st.text(alphabet="ab_ (){};,+#/\n", max_size=30)


@given(code, code, places, st.booleans())
def test_words_behind_the_cursor_are_never_torn_and_only_they_finish_a_line(
    before: str, after: str, place: Place | None, in_comments: bool
) -> None:
    said = silence(Hole(before + after, len(before)), place, InlineSettings(in_comments=in_comments))

    is_torn = after[:1].isalnum() or after[:1] == "_"
    assert (said == Silence.INSIDE_WORD) == is_torn
    if said == Silence.FINISHED_LINE:
        assert any(char.isalnum() or char == "_" for char in after.split("\n")[0])


@given(code, places)
def test_with_comments_wanted_no_place_is_silent_for_being_one(text: str, place: Place | None) -> None:
    said = silence(Hole(text, len(text)), place, InlineSettings())

    assert said not in (Silence.COMMENT, Silence.STRING)
