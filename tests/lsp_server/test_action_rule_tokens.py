"""Tokens that are missing, and lines that begin in the wrong place: tried out, and judged by Python."""

from __future__ import annotations

import textwrap

import pytest

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.python_check import first_error
from lsp_server.actions.rules.margin import margins_to_try
from lsp_server.actions.rules.missing_token import tokens_to_try
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.actions.rules.python_part import PythonPart


def texts(text: str, found: list[Proposal]) -> list[str]:
    return [each.edit.applied(text) for each in found]


def tried(text: str, name: str = "a.py") -> list[str]:
    return texts(text, list(tokens_to_try(text, Span(0, len(text)), name, {"append", "item"})))


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("if x\n    y\n", "if x:\n    y\n"),
        ("f(a, g(b)\n", "f(a, g(b))\n"),
        ("x = 1, 2]\n", "x = [1, 2]\n"),
        ("x = {1: 2\n", "x = {1: 2}\n"),
        ("f(\n    a,\n    \n", "f(\n    a,\n    )\n"),
        ("f(a b)\n", "f(a, b)\n"),
        ('x = "abc\n', 'x = "abc"\n'),
        ('x = abc d"\n', 'x = "abc d"\n'),
        ('f("abc, d)\n', 'f("abc", d)\n'),
        ("f(a))\n", "f(a)\n"),
        ("items.appenditem)\n", "items.append(item)\n"),
    ],
)
def test_every_place_of_a_token_is_tried(broken: str, whole: str) -> None:
    assert whole in tried(broken)


def test_a_word_is_taken_apart_only_where_both_halves_are_known() -> None:
    assert not any("appen(ditem" in each for each in tried("items.appenditem)\n"))


def test_each_change_is_of_one_character() -> None:
    text = 'def f(a, b):\n    return [a, "b c", {d: 1}]\n'
    for new in tried(text):
        assert abs(len(new) - len(text)) == 1


def test_javascript_has_tokens_too() -> None:
    assert "f(a, g(b));\n" in tried("f(a, g(b);\n", "a.js")


def test_a_long_line_is_not_tried_without_end() -> None:
    assert len(tried("x = [" + "1, " * 5_000 + "\n")) <= 600


# Margins


def margins(text: str, line: int) -> list[str]:
    at = sum(len(each) + 1 for each in text.split("\n")[:line])
    return texts(text, list(margins_to_try(text, at)))


BODY = """\
class A:
    def f(self):
        x = 1
        y = 2
        if x:
            z = 3
        return y
"""


@pytest.mark.parametrize("line", range(1, 7))
@pytest.mark.parametrize("shift", [-4, -2, -1, 1, 2, 4])
def test_a_line_at_the_wrong_level_can_be_put_back(line: int, shift: int) -> None:
    lines = BODY.split("\n")
    width = len(lines[line]) - len(lines[line].lstrip())
    lines[line] = " " * (width + shift) + lines[line].lstrip()
    broken = "\n".join(lines)
    error = first_error(broken)
    if error is None:
        return  # another meaning, and no fault
    right = [each for each in margins(broken, error.line) if first_error(each) is None]
    assert BODY in right[:2]


def test_tabs_stay_tabs() -> None:
    broken = "def f():\n\tx = 1\n\t\ty = 2\n\treturn x\n"
    assert margins(broken, 2)[0] == "def f():\n\tx = 1\n\ty = 2\n\treturn x\n"


def test_two_blanks_stay_two() -> None:
    text = "def f():\n  if x:\n    y = 1\n    z = 2\n  return y\n"
    broken = text.replace("    z", "      z")
    assert margins(broken, 3)[0] == text


@pytest.mark.parametrize(("text", "at"), [("", 0), ("\n\n", 1), ("# only\n", 3), ("x", 1)])
def test_where_there_is_no_other_line_there_is_no_level(text: str, at: int) -> None:
    assert not list(margins_to_try(text, at))


# The part that is parsed alone


LONG = "import os\n\n\ndef before():\n    return 1\n\n\n" + BODY + "\n\ndef after():\n    return 2\n"


def part_of(text: str, line: int) -> PythonPart | None:
    starts = [0]
    for row in text.split("\n"):
        starts.append(starts[-1] + len(row) + 1)
    return PythonPart.around(text, Span(starts[line], starts[line + 1]))


def test_the_function_around_is_enough() -> None:
    text = LONG.replace("if x:", "if x")
    part = part_of(text, text[: text.index("if x")].count("\n"))
    assert part is not None
    assert (
        text[slice(*part.span)]
        == textwrap.indent(
            "def f(self):\n    x = 1\n    y = 2\n    if x\n        z = 3\n    return y\n", "    "
        )
        + "\n\n"
    )
    at = text.index("if x") + 4
    assert part.oddity(Edit(at, at, ":")) == 0
    assert part.oddity(Edit(at, at, ";")) is None


@pytest.mark.parametrize("line", range(len(LONG.split("\n")) - 2))
def test_what_holds_for_the_part_holds_for_the_whole(line: int) -> None:
    """Oracle: the whole file, compiled."""
    lines = LONG.split("\n")
    if not lines[line].strip():
        return
    lines[line] = lines[line] + " ("
    text = "\n".join(lines)
    part = part_of(text, line)
    assert part is not None
    at = text.index(" (") if text.count(" (") == 1 else text.index(lines[line]) + len(lines[line]) - 2
    for edit in (Edit(at, at + 2, ""), Edit(at + 2, at + 2, ")"), Edit(at + 2, at + 2, "]")):
        is_whole = first_error(edit.applied(text)) is None
        assert (part.oddity(edit) is not None) is is_whole


@pytest.mark.parametrize(
    ("new", "is_odd"),
    [
        ("f(a)", False),
        ("x = a", False),
        ('"""doc"""', False),
        ("...", False),
        ("f(a), b", True),
        ("a == b", True),
        ("1", True),
        ('("a")(b)', True),
        ("x = 1[0]", True),
    ],
)
def test_what_nobody_writes_is_odd(new: str, is_odd: bool) -> None:
    text = "def f():\n    (\n"
    part = part_of(text, 1)
    assert part is not None
    assert bool(part.oddity(Edit(len(text) - 2, len(text) - 1, new))) is is_odd


def test_what_parses_has_no_broken_part() -> None:
    assert part_of(LONG, 3) is None
