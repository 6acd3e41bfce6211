"""What of a generated text is offered: case by case in tests/golden/trim, and what holds for any text."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import FinishReason
from lsp_server.hole import Hole
from lsp_server.trim import FORCED, Trimmed, trim
from lsp_server.trimming.repetition import is_telling
from lsp_server.trimming.syntax import MAX_PARSES
from marked import hole

GOLDEN = Path(__file__).parents[1] / "golden/trim"
NEEDED = {"name", "at", "said", "offered"}
KNOWN = NEEDED | {"finish", "path", "replaces", "breaks", "reason"}


def read_cases(file: Path) -> list[dict[str, Any]]:
    """The cases of a golden file; raises ValueError that says which case has a key too many or too few."""
    cases: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8")).get("case", [])
    for number, case in enumerate(cases, 1):
        what = f"{file.name}, case {number} ({case.get('name', 'no name')})"
        if unknown := sorted(case.keys() - KNOWN):
            raise ValueError(f"{what}: unknown keys {unknown}; there are {sorted(KNOWN)}")
        if missing := sorted(NEEDED - case.keys()):
            raise ValueError(f"{what}: keys are missing: {missing}")
    return cases


CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(GOLDEN.glob("*.toml"))
    for case in read_cases(file)
]


@pytest.mark.parametrize("case", CASES)
def test_golden(case: dict[str, Any]) -> None:
    broken = case.get("breaks", [])

    trimmed = trim(
        case["said"],
        hole(case["at"]),
        FinishReason(case.get("finish", "eos")),
        path=case.get("path", ""),
        breaks=lambda text, replaces: any(part in text for part in broken),
    )

    assert trimmed.text == case["offered"]
    assert trimmed.replaces == case.get("replaces", 0)
    assert trimmed.reason == case.get("reason", trimmed.reason if not trimmed.text else "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[[case]]\nname = "n"\nat = "|"\nsaid = ""\noffered = ""\nfinished = "eos"',
            "unknown keys.*finished",
        ),
        ('[[case]]\nname = "n"\nat = "|"\nsaid = ""', "keys are missing.*offered"),
    ],
    ids=["unknown", "missing"],
)
def test_a_case_with_a_wrong_key_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "topic.toml"
    file.write_text(text, "utf-8")

    with pytest.raises(ValueError, match=rf"topic.toml, case 1 \(n\): {complaint}"):
        read_cases(file)


LINES = st.sampled_from(
    [
        *(
            "a = b(c)",
            "call(a, 'b')",
            "if a:",
            "    return a",
            "    pass",
            "}",
            ")",
            "",
            "  odd = 1",
            "\ttab()",
        ),
        *("# note", "total += 1", "f(a, [b", '"text', "})", "else:", "        deep.call()", "x", "<|EOT|>"),
    ]
)
CODE = st.one_of(
    st.lists(LINES, max_size=5).map("\n".join), st.text(alphabet="ab ()[]\"',:;+\n\t", max_size=24)
)
PATHS = st.sampled_from(["", "a.py", "a.js", "a.md", "a.rs"])
FINISHES = st.sampled_from(FinishReason)
HOLES = st.builds(lambda before, after: Hole(before + after, len(before)), CODE, CODE)


def completed(place: Hole, trimmed: Trimmed) -> list[str]:
    """The lines from the cursor's on that the offer makes, without those that stood there."""
    rest = place.line_suffix[trimmed.replaces :]
    return (place.line_prefix + trimmed.text + rest).split("\n")


@given(CODE, HOLES, FINISHES, PATHS)
def test_an_offer_never_ends_with_the_line_that_stands_below(
    said: str, place: Hole, finish: FinishReason, path: str
) -> None:
    """Applied, it never makes a telling line that the next line repeats verbatim."""
    trimmed = trim(said, place, finish, path=path)

    last, below = completed(place, trimmed)[-1].rstrip(), [line.rstrip() for line in place.next_lines()[:1]]
    if trimmed.text and is_telling(last):
        assert [last] != below


@given(CODE, HOLES, FINISHES, PATHS)
def test_what_is_trimmed_is_not_trimmed_again(
    said: str, place: Hole, finish: FinishReason, path: str
) -> None:
    trimmed = trim(said, place, finish, path=path)

    again = trim(trimmed.text, place, FinishReason.EOS, path=path)

    assert (again.text, again.replaces) == (trimmed.text, trimmed.replaces)


@given(CODE, HOLES, FINISHES, PATHS)
def test_an_offer_is_the_beginning_of_what_was_said(
    said: str, place: Hole, finish: FinishReason, path: str
) -> None:
    """Trimming only cuts at the end and re-indents: no visible character is put in or left out before."""
    offered = trim(said, place, finish, path=path).text

    assert "".join(said.split()).startswith("".join(offered.split()))


@given(CODE, HOLES, FINISHES, PATHS)
def test_an_offer_replaces_only_closers_that_it_says(
    said: str, place: Hole, finish: FinishReason, path: str
) -> None:
    trimmed = trim(said, place, finish, path=path)

    assert 0 <= trimmed.replaces <= len(place.line_suffix)
    replaced = place.line_suffix[: trimmed.replaces].split()
    first = iter(trimmed.text.split("\n")[0])
    assert all(character in first for character in "".join(replaced))
    assert not any(map(str.isalnum, "".join(replaced)))


@given(CODE, HOLES, FINISHES, PATHS)
def test_nothing_is_offered_for_a_reason(said: str, place: Hole, finish: FinishReason, path: str) -> None:
    trimmed = trim(said, place, finish, path=path)

    assert bool(trimmed.text) != bool(trimmed.reason)
    assert trimmed.text == trimmed.text.rstrip()


@given(st.lists(st.sampled_from(["a = 1", "b = bad", "c(d)", "    e"]), max_size=9).map("\n".join), HOLES)
def test_no_offer_that_the_parser_refused_and_few_questions(said: str, place: Hole) -> None:
    asked: list[str] = []

    def breaks(text: str, replaces: int) -> bool:
        asked.append(text)
        return "bad" in text

    trimmed = trim(said, place, FinishReason.EOS, breaks=breaks)

    assert "bad" not in trimmed.text
    assert len(asked) <= MAX_PARSES


@given(st.text(alphabet="ab1_ +(),.'\"", max_size=20), st.sampled_from(sorted(FORCED)))
def test_a_forced_end_never_tears_a_word(said: str, finish: FinishReason) -> None:
    """A line that ended by force ends before its last word, which may go on, or behind another."""
    offered = trim(said, Hole("x = \n", 4), finish).text

    after = said[len(offered) : len(offered) + 1] or "a"
    assert not offered or not (after.isalnum() and offered[-1].isalnum())


@given(CODE, HOLES)
def test_carriage_returns_of_line_ends_make_no_difference(said: str, place: Hole) -> None:
    assert trim(said.replace("\n", "\r\n"), place, FinishReason.EOS) == trim(said, place, FinishReason.EOS)
