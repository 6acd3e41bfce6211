"""Another name for a wrong one: a checker's hint, names that are nearly the same, what a function sets."""

from __future__ import annotations

import pytest

from context.syntax.described import Span
from lsp_server.actions.faults import Fault
from lsp_server.actions.rules.arguments import callee_of, is_about_types, other_orders
from lsp_server.actions.rules.bindings import unused_bindings
from lsp_server.actions.rules.wrong_name import other_names


def named(text: str, wrong: str, message: str, members: set[str], words: set[str]) -> list[str]:
    at = text.index(wrong)
    found = other_names(text, Fault(at, at + len(wrong), message), Span(0, len(text)), members, words)
    return [each.edit.applied(text) for each in sorted(found)]


@pytest.mark.parametrize(
    "message",
    [
        '"Item" has no attribute "pirce"; maybe "value"?',
        "Property 'pirce' does not exist on type 'Item'. Did you mean 'value'?",
        "Cannot find name 'pirce'. Did you mean 'value'?",
    ],
)
def test_what_the_checker_proposes_comes_first(message: str) -> None:
    assert named("x = item.pirce\n", "item.pirce", message, {"price"}, set())[0] == "x = item.value\n"


def test_after_a_dot_stands_a_member() -> None:
    """What this file uses so before what some class of the workspace has."""
    message = '"Item" has no attribute "amout"'
    found = named("amout_ = 1\ny.amount\nx = y.amout\n", "y.amout\n", message, {"amoun"}, {"amouts"})
    assert found == ["amout_ = 1\ny.amount\nx = y.amount\n", "amout_ = 1\ny.amount\nx = y.amoun\n"]


def test_an_argument_is_one_that_the_function_takes() -> None:
    message = 'Unexpected keyword argument "new_limit" for "fetch"'
    found = named("fetch(new_limit=1)\nrun(new_limits=2)\n", "new_limit", message, set(), {"limit", "path"})
    assert found == ["fetch(limit=1)\nrun(new_limits=2)\n"]


def test_what_other_calls_pass_tells_where_the_function_is_not_known() -> None:
    message = 'Unexpected keyword argument "timeot"'
    assert named("get(timeot=1)\nget(timeout=2)\n", "timeot", message, set(), set()) == [
        "get(timeout=1)\nget(timeout=2)\n"
    ]


def test_a_short_name_is_no_other_one() -> None:
    message = 'Unexpected keyword argument "sta"'
    assert named("warn(sta=1)\nwarn(str=2)\n", "sta", message, set(), set()) == []


def test_names_of_the_function_come_before_those_of_elsewhere() -> None:
    text = "def f(price):\n    return prize\n"
    assert named(text, "prize", "Undefined name `prize`", set(), {"prices", "prise"})[0] == text.replace(
        "prize", "price"
    )


def test_a_message_of_another_kind_names_nothing() -> None:
    assert named("import os\n", "os", "`os` imported but unused", set(), {"so"}) == []


# What a function sets and does not use

FUNCTION = """\
limit = 1


def f(rows):
    new_total, other = 0, 1
    for row in rows:
        print(other)
    def inner():
        return total
    return 'é', new_totals
"""


def test_what_is_set_and_never_used() -> None:
    at = FUNCTION.index("return total")
    found = unused_bindings(FUNCTION, at)
    assert {each.name for each in found} == {"new_total", "row"}
    for each in found:
        assert FUNCTION[slice(*each.place)] == each.name


def test_places_are_characters_and_not_bytes() -> None:
    text = 'def f():\n    """é"""; "𝒳é"; value = 1\n    return valu\n'
    (found,) = unused_bindings(text, text.index("return"))
    assert text[slice(*found.place)] == "value"


@pytest.mark.parametrize("text", ["value = 1\nvalu\n", "def f(:\n    x = 1\n", "", "\0", "(" * 3_000])
def test_elsewhere_nothing_is_known(text: str) -> None:
    assert unused_bindings(text, max(0, len(text) - 2)) == []


# Arguments in the wrong order


def orders(text: str, *messages: str, parameters: tuple[tuple[str, ...], ...] = ()) -> list[str]:
    faults = [Fault(0, len(text), message) for message in messages]
    found = other_orders(text, Span(0, len(text)), "a.py", faults, parameters)
    return [each.edit.applied(text) for each in sorted(found)]


INT, STR = (
    'Argument 1 to "area" has incompatible type "str"; expected "int"',
    'Argument 2 to "area" has incompatible type "int"; expected "str"',
)


def test_two_types_that_cross_are_swapped_first() -> None:
    found = orders("area(name, 2, 3)", INT, STR)
    assert found[0] == "area(2, name, 3)"


def test_the_names_of_the_parameters_tell() -> None:
    third = 'Argument 2 to "area" has incompatible type "str"; expected "int"'
    parameters = (("width", "height", "name"),)
    assert orders("area(width, name, height)", third, parameters=parameters)[0] == "area(width, height, name)"


def test_only_the_call_that_is_meant_is_changed() -> None:
    found = orders("add(area(name, 2), rows)", INT)
    assert found == ["add(area(2, name), rows)"]


@pytest.mark.parametrize(
    "text", ["area(a=name, b=2)", "area(*name, 2)", "area(name)", "area()", "area(name, 2"]
)
def test_what_cannot_be_swapped(text: str) -> None:
    assert orders(text, INT) == []


def test_what_a_message_about_types_says() -> None:
    assert callee_of('Argument 1 to "pop" of "dict" has incompatible type "A"; expected "B"') == (
        "pop",
        "dict",
    )
    assert callee_of("something else") == ("", "")
    assert is_about_types("Argument of type 'string' is not assignable to parameter of type 'number'.")
    assert not is_about_types("Undefined name `x`")
