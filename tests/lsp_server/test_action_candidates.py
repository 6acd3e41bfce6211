"""What counts as a fix."""

from __future__ import annotations

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.described import Span
from context.syntax.tree import SyntaxTree
from lsp_server.actions.candidates import Judge, best_first
from lsp_server.actions.faults import Fault
from lsp_server.actions.near_names import common_beginning, is_related, near_names, slips, wrong_name

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
    assert [name for _, name in near_names("formt_price", known)] == ["format_price", "_format_price"]
    assert near_names("zzz", known) == []
    assert common_beginning("formt_price", known) == len("form")
    assert common_beginning("zzz", known) == 0


def edits_apart(one: str, other: str) -> int:
    """The slow and obvious count of slips: each way to begin, one slip at a time."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        edits_apart(one[1:], other) + 1,
        edits_apart(one, other[1:]) + 1,
        edits_apart(one[1:], other[1:]) + (one[0] != other[0]),
    ]
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        ways.append(edits_apart(one[2:], other[2:]) + 1)
    return min(ways)


@pytest.mark.parametrize("one", ["abc", "acb", "ab", "xabc", "abcd", "bca", "axxc", "cab"])
@pytest.mark.parametrize("other", ["abc", "b", "abdc", "bac", "xyz"])
def test_slips_are_counted(one: str, other: str) -> None:
    for limit in (1, 2, 4):
        expected = edits_apart(one, other)
        found = slips(one, other, limit)
        assert found == expected if expected <= limit else found > limit


@pytest.mark.parametrize(
    ("name", "other", "related"),
    [
        ("timeout_s", "timeout", True),
        ("conn", "connection", True),
        ("itemCount", "num_items", False),
        ("itemCount", "count", True),
        ("recieve", "receive", True),
        ("price", "name", False),
        ("internal_code", "_", False),
        ("password", "__", False),
        ("BaseHTTPError", "BaseException", False),
    ],
)
def test_which_names_may_be_meant_by_each_other(name: str, other: str, related: bool) -> None:
    assert is_related(name, other) is related
