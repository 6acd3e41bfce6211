"""Stop rules: what is kept of a generated text, whatever pieces it came in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Shape, StopRules
from engine.stopping import Stopper

GOLDEN = Path(__file__).parent.parent / "golden" / "stopping"
RULE_KEYS = ("line_prefix", "line_suffix", "max_lines", "grows", "closers")
LINE_FILES = ("line", "grows")


def golden_cases() -> list[Any]:
    return [
        pytest.param(
            case,
            Shape(case.get("shape", "line" if file.stem in LINE_FILES else "block")),
            id=f"{file.stem}-{case['name']}",
        )
        for file in sorted(GOLDEN.glob("*.toml"))
        for case in tomllib.loads(file.read_text(encoding="utf-8"))["case"]
    ]


def stopper_of(case: dict[str, Any], shape: Shape) -> Stopper:
    rules = {key: case[key] for key in RULE_KEYS if key in case}
    return Stopper(
        StopRules(shape, next_lines=tuple(case.get("next_lines", ())), **rules), case.get("stop", ())
    )


@pytest.mark.parametrize(("case", "shape"), golden_cases())
@pytest.mark.parametrize("size", [1, 3, 10**6], ids=["by character", "by three", "at once"])
def test_golden(case: dict[str, Any], shape: Shape, size: int) -> None:
    stopper, text = stopper_of(case, shape), case["generated"]
    for start in range(0, len(text), size):
        stopper.feed(text[start : start + size])

    assert (stopper.text, stopper.is_stopped) == (case["keeps"], case["stops"])


# Whatever pieces it comes in

WORDS = [
    *["\n", "\r\n", "\n\n", "\r", " ", "    ", "\t", "a", "x = 1", "el", "se", "else:", "elif", "}", ") {"],
    *["{", ":", "return", "end", "\f", "é", "\n    x = 1", "\n}", "ab " * 4, "ab " * 3],
    *["(", ")", "[", "]", '"', "'", "\\", "# ", "//", "\n    ", "if a:\n    b"],
]
generated = st.lists(st.sampled_from(WORDS), max_size=30).map("".join)
some_rules = st.builds(
    StopRules,
    shape=st.sampled_from(Shape),
    line_prefix=st.sampled_from(["", "    ", "\t", "if a:", "    if a {", "x = "]),
    next_lines=st.lists(st.sampled_from(["x = 1", "    x = 1", "}", "", "else:"]), max_size=2).map(tuple),
    line_suffix=st.sampled_from(["", "", " ", ")"]),
    max_lines=st.integers(1, 6),
    grows=st.booleans(),
    closers=st.none() | st.sampled_from(["", ")", "}", ")]}"]),
)
stop_strings = st.lists(st.sampled_from(["x", "1\n", "\n\n", "}\nel", "se:", "\r\n", "= 1"]), max_size=3)


@st.composite
def splits(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A text and a way to cut it into pieces."""
    text = draw(generated)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def run(pieces: list[str], rules: StopRules | None, stop: list[str]) -> Stopper:
    stopper = Stopper(rules, stop)
    for piece in pieces:
        stopper.feed(piece)
    return stopper


@given(split=splits(), rules=st.none() | some_rules, stop=stop_strings)
def test_any_split_of_the_stream_gives_the_same_text(
    split: tuple[str, list[str]], rules: StopRules | None, stop: list[str]
) -> None:
    text, pieces = split
    whole, cut, single = run([text], rules, stop), run(pieces, rules, stop), run([*text], rules, stop)

    assert whole.text == cut.text == single.text
    assert whole.is_stopped == cut.is_stopped == single.is_stopped


@given(text=generated, rules=st.none() | some_rules, stop=stop_strings)
def test_settled_text_is_never_taken_back(text: str, rules: StopRules | None, stop: list[str]) -> None:
    stopper, settled = Stopper(rules, stop), ""
    for char in text:
        stopper.feed(char)

        assert stopper.settled.startswith(settled)
        settled = stopper.settled

    assert stopper.text.startswith(settled)


@given(text=generated, rules=st.none() | some_rules, stop=stop_strings)
def test_what_is_kept_is_a_beginning_without_stop_strings(
    text: str, rules: StopRules | None, stop: list[str]
) -> None:
    stopper = run([text], rules, stop)

    assert text.startswith(stopper.text)
    assert not any(string in stopper.text for string in stop)
    assert stopper.is_stopped or stopper.text == text


@given(text=generated, rules=some_rules)
def test_a_stop_by_rule_is_told_as_soon_as_nothing_can_change(text: str, rules: StopRules) -> None:
    """True from `feed` means: more text would not matter."""
    stopper = Stopper(rules)
    told = [stopper.feed(char) for char in text]

    assert told == sorted(told)
    kept = stopper.text
    if stopper.is_stopped:
        assert stopper.feed("more\nand more") is True
        assert stopper.text == kept


def test_without_rules_and_stop_strings_all_is_kept_and_settled() -> None:
    stopper = Stopper()

    assert not stopper.feed("a\n\n\nb")
    assert stopper.settled == stopper.text == "a\n\n\nb"


def test_the_beginning_of_a_stop_string_is_held_back_until_it_is_known() -> None:
    stopper = Stopper(None, ["<end>"])

    stopper.feed("a <en")
    assert stopper.settled == "a "
    stopper.feed("try")
    assert stopper.settled == "a <entry"
    stopper.feed("<end>")
    assert (stopper.settled, stopper.is_stopped) == ("a <entry", True)


def test_an_empty_stop_string_stops_nothing() -> None:
    stopper = Stopper(None, [""])

    assert not stopper.feed("a")
    assert stopper.text == "a"


def test_a_line_is_streamed_as_it_comes_a_block_line_by_line() -> None:
    line, block = Stopper(StopRules(Shape.LINE)), Stopper(StopRules(Shape.BLOCK, line_prefix="if a:"))
    for stopper in (line, block):
        stopper.feed("\n    b()\n    c" if stopper is block else "abc")

    assert line.settled == "abc"
    assert block.settled == "\n    b()"


def test_a_line_that_grew_is_streamed_as_it_comes_and_its_block_line_by_line() -> None:
    stopper = Stopper(StopRules(Shape.LINE, grows=True))
    settled = [
        stopper.settled for piece in ("if ", "a:", "\n", "    b", "()", "\n") if not stopper.feed(piece)
    ]

    assert settled == ["if ", "if a:", "if a:", "if a:", "if a:", "if a:\n    b()"]
