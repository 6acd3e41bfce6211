"""What counts as a fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.described import Span
from context.syntax.tree import SyntaxTree
from lsp_server.actions.candidates import Judge, PythonCheck, best_first, error_line
from lsp_server.actions.faults import Fault
from lsp_server.actions.near_names import common_beginning, near_names, wrong_name

KNOWN = {"print", "price", "amount", "def", "x"}


def judge(text: str, statement: str, wrong: str, name: str = "a.py") -> Judge:
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    at, start = text.index(statement), text.index(wrong)
    fault = Fault(start, start + len(wrong), f"{wrong} is not defined")
    tree = SyntaxTree.parse(parser_of(language.grammar), text)
    return Judge(tree, Span(at, at + len(statement)), (fault,), name, KNOWN)


def ranked(here: Judge, *statements: str) -> list[str]:
    return best_first({each: here.rank(each) for each in statements})


PRICE = "def f(price):\n    print(prize)\n    return price\n"


def test_the_least_different_one_is_the_best() -> None:
    candidates = ["print(amount, price, x)", "print(price)", "x = price"]
    assert ranked(judge(PRICE, "print(prize)", "prize"), *candidates)[0] == "print(price)"


@pytest.mark.parametrize(
    "new",
    [
        pytest.param("print(prize)", id="the same"),
        pytest.param("print(prize)  ", id="only blanks"),
        pytest.param("", id="nothing"),
        pytest.param("print(price", id="does not parse"),
        pytest.param("print(prize)  # a comment", id="only a comment"),
        pytest.param("print(price)  # type: ignore", id="hidden"),
        pytest.param("print(\n1,\n2,\n3,\n)", id="much longer"),
        pytest.param('key = "sk-Aaaaaaaa1bbbbBbbbbbbbb2ccccc"', id="a secret"),
    ],
)
def test_what_is_no_fix(new: str) -> None:
    assert judge(PRICE, "print(prize)", "prize").rank(new) is None


def test_a_change_elsewhere_in_the_statement_comes_last() -> None:
    here = judge("x = call(prize, amont)\n", "x = call(prize, amont)", "prize")
    assert ranked(here, "x = call(prize, amount)", "x = call(price + price, amont)") == [
        "x = call(price + price, amont)",
        "x = call(prize, amount)",
    ]


def test_names_that_nothing_in_sight_knows_come_last() -> None:
    here = judge(PRICE, "print(prize)", "prize")
    assert ranked(here, "print(prized)", "print(price, amount)") == ["print(price, amount)", "print(prized)"]


def test_a_syntax_error_must_be_gone() -> None:
    here = judge("function f(a) { return g(a }\n", "function f(a) { return g(a }", "(a }", "a.js")
    assert ranked(here, "function f(b) { return g(a }", "function f(a) { return g(a) }") == [
        "function f(a) { return g(a) }"
    ]


def test_line_ends_make_no_difference() -> None:
    text = "f(\r\n  prize,\r\n)\r\n"
    assert judge(text, "f(\r\n  prize,\r\n)", "prize").rank("f(\n  prize,\n)") is None


def test_a_slip_of_the_pen_is_good_enough_to_stop() -> None:
    here = judge(PRICE, "print(prize)", "prize")
    for new, is_slip in (("print(price)", True), ("print(amount + amount)", False)):
        rank = here.rank(new)
        assert rank is not None
        assert here.is_slip(new, rank) is is_slip


@pytest.mark.parametrize(
    ("text", "statement", "new", "accepted"),
    [
        pytest.param("if x\n    y\n", "if x", "if x:", (True, True), id="cured"),
        pytest.param("if x\n    y\n", "if x", "if x +", (False, False), id="not cured"),
        pytest.param("if x\n    y\nz = (\n", "if x", "if x:", (True, False), id="another one below"),
        pytest.param("z = (\n\nif x\n    y\n", "if x", "if y", (True, False), id="another one above"),
        pytest.param(
            "def f():\n    return 1\n", "return 1", "yield 1\nreturn 1", (False, False), id="margin"
        ),
        pytest.param("x = 1\n", "x = 1", "return 1", (False, False), id="parses, and is no Python"),
    ],
)
def test_python_has_the_last_word(text: str, statement: str, new: str, accepted: tuple[bool, bool]) -> None:
    at = text.index(statement)
    assert PythonCheck.of(text, Span(at, at + len(statement))).accepts(new) == accepted


def test_compiling_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert error_line(f"open({str(mark)!r}, 'w')\n") is None
    assert not mark.exists()


@pytest.mark.parametrize("text", ["x = '\\d'\n", "assert (1, 'x')\n", "0x1for x in y\n"])
def test_warnings_are_no_errors(text: str) -> None:
    assert error_line(text) is None


@pytest.mark.parametrize("text", ["\0", "(" * 5_000, "-" * 200_000 + "1", "x = 1\n" * 3 + "def"])
def test_odd_texts_have_an_error_and_do_not_raise(text: str) -> None:
    assert error_line(text) is not None


@pytest.mark.parametrize(
    ("message", "picked", "name"),
    [
        ("Undefined name `prize`", "prize", "prize"),
        ("Cannot find name 'prize'. Did you mean 'price'?", "prize", "prize"),
        ('Cannot access attribute "prize" for class "Item"', "item.prize", None),
        ('"Item" has no attribute "prize"', "item.prize", "prize"),
        ("Unused variable `prize`", "prize", None),
    ],
)
def test_only_a_message_about_an_unknown_name_makes_it_a_wrong_one(
    message: str, picked: str, name: str | None
) -> None:
    text = f"x = {picked}\n"
    span = wrong_name(text, Fault(4, 4 + len(picked), message))
    assert (text[slice(*span)] if span else None) == name


def test_near_names() -> None:
    known = {"format_price", "formatter", "price", "_format_price"}
    assert near_names("formt_price", known)[0] == "format_price"
    assert near_names("zzz", known) == []
    assert common_beginning("formt_price", known) == len("form")
    assert common_beginning("zzz", known) == 0
