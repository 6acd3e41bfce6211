"""What of a generated text is offered, case by case in tests/golden/trim."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import FinishReason
from lsp_server.hole import Hole
from lsp_server.trim import trim
from marked import hole

CASES = tomllib.loads((Path(__file__).parents[1] / "golden/trim/cases.toml").read_text("utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(case: dict[str, str]) -> None:
    finish = FinishReason(case.get("finish", "eos"))

    assert trim(case["said"], hole(case["at"]), finish) == case["offered"]


CODE = st.text(alphabet="ab ()\n", max_size=20)


@given(CODE, CODE, CODE)
def test_an_offer_never_repeats_only_what_stands_below(before: str, after: str, said: str) -> None:
    """The completed line with its offer is not, line for line, the lines that follow."""
    place = Hole(before + "\n" + after, len(before))
    offered = trim(said, place, FinishReason.EOS)

    ours = [line.strip() for line in (place.line_prefix + offered).split("\n") if line.strip()]
    if offered and len("".join(ours)) >= 3:
        assert ours != [line.strip() for line in place.next_lines()][: len(ours)]


@given(CODE, CODE, CODE, st.sampled_from(FinishReason))
def test_an_offer_is_a_part_of_what_was_said(
    before: str, after: str, said: str, finish: FinishReason
) -> None:
    """Trimming only cuts at the end."""
    assert said.startswith(trim(said, Hole(before + after, len(before)), finish))
