"""What can be wrong in a text: each slip is one small change of its kind, at a place where it can happen."""

import ast
import random

import pytest

from benchmarks.fix_quality.faults import SYNTAX, Diagnostic, Fault, Kind, Slip
from benchmarks.fix_quality.misspelling import misspelt, renamed
from benchmarks.fix_quality.name_slips import name_slips
from benchmarks.fix_quality.syntax_slips import syntax_slips

TEXT = '''\
"""Größe, and a colon: here."""
import os
from shop import ledger as book, price  # the shop

def total(prices, *, rounded=True):
    größe, margin_value = "ä: (", {"a": 1}
    for amount in prices:  # one: by one
        print(f"{amount:>4} {prices[0]}", amount)
    return book.closed(margin_value, größe, strict_mode=rounded) + os.getpid()
'''


def slips(kind, text=TEXT, seed=1):
    chance = random.Random(seed)
    return syntax_slips(kind, text, chance) if kind in SYNTAX else name_slips(kind, text, chance)


def names(text):
    return [(node.id, type(node.ctx)) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]


@pytest.mark.parametrize("kind", Kind)
def test_every_slip_can_be_made_and_undone_and_is_the_same_with_the_same_seed(kind):
    found = slips(kind)
    assert found
    assert found == slips(kind)
    for slip in found:
        made = slip.made(TEXT)
        assert made != TEXT
        assert slip.undone(made) == TEXT


def test_colons_are_those_that_open_a_block():
    assert [TEXT.count("\n", 0, slip.start) + 1 for slip in slips(Kind.COLON)] == [5, 7]
    assert all((slip.old, slip.new) == (":", "") for slip in slips(Kind.COLON))


def test_brackets_are_code_and_leave_no_two_words_as_one():
    lines = [
        slip.made(TEXT).split("\n")[5] for slip in slips(Kind.BRACKET) if TEXT.count("\n", 0, slip.start) == 5
    ]
    assert lines == ['    größe, margin_value = "ä: (", "a": 1}', '    größe, margin_value = "ä: (", {"a": 1']
    assert "total" + "prices" not in "".join(slip.made(TEXT) for slip in slips(Kind.BRACKET))


def test_quotes_are_those_of_plain_strings_of_one_line():
    made = {slip.made(TEXT).split("\n")[5] for seed in range(9) for slip in slips(Kind.QUOTE, seed=seed)}
    assert '    größe, margin_value = ä: (", {"a": 1}' in made
    assert '    größe, margin_value = "ä: (", {"a: 1}' in made
    assert all(slip.old == '"' and TEXT.count("\n", 0, slip.start) == 5 for slip in slips(Kind.QUOTE))


def test_indentation_is_that_of_logical_lines():
    text = "def f():\n    call(\n  1,\n    )\n"
    for seed in range(20):
        for slip in slips(Kind.INDENTATION, text, seed):
            assert text.count("\n", 0, slip.start) in (0, 1)
            assert slip.start == 0 or text[slip.start - 1] == "\n"
            assert len(slip.new) - len(slip.old) in (4, 2, 1, -1, -2, -4)


def test_names_are_misspelt_where_they_are_used_and_not_in_f_strings():
    found = slips(Kind.NAME)
    assert {slip.old for slip in found} == {
        "prices",
        "print",
        "amount",
        "book",
        "margin_value",
        "größe",
        "rounded",
    }
    assert not {slip.new for slip in found} & {name for name, _ in names(TEXT)}
    assert all(names(slip.made(TEXT)).count((slip.new, ast.Load)) == 1 for slip in found)


def test_a_variable_is_set_once_and_used_once_in_its_function():
    assert {slip.old for slip in slips(Kind.VARIABLE)} == {"größe", "margin_value"}
    for slip in slips(Kind.VARIABLE):
        made = names(slip.made(TEXT))
        assert (slip.new, ast.Store) in made
        assert [use for name, use in made if name == slip.old] == [ast.Load]


def test_an_import_of_one_name_goes_with_its_line_and_one_of_several_alone():
    heads = [slip.made(TEXT).split("\n\n")[0].split("\n", 1)[1] for slip in slips(Kind.IMPORT)]
    shop = "from shop import ledger as book, price  # the shop"
    assert heads == [
        shop,
        "import os\nfrom shop import price  # the shop",
        "import os\n" + shop.replace(", price", ""),
    ]


def test_imports_of_the_future_and_of_everything_stay():
    assert slips(Kind.IMPORT, "from __future__ import annotations\nfrom os import *\n") == []


def test_an_attribute_behind_letters_of_two_bytes_is_found_where_it_is():
    text = 'x = ("ä", name.closed)\n'
    (slip,) = slips(Kind.ATTRIBUTE, text)
    assert (slip.old, text[slip.start : slip.start + 6]) == ("closed", "closed")


def test_an_argument_is_misspelt_or_has_another_name():
    found = {slip.new for seed in range(40) for slip in slips(Kind.ARGUMENT, seed=seed)}
    assert {"mode", "strict", "new_strict_mode"} <= found  # another name
    assert {"stirct_mode", "strict_mod"} & found  # a slip
    assert all(slip.old == "strict_mode" for slip in slips(Kind.ARGUMENT))


def test_arguments_change_places_with_the_next_one():
    calls = [slip.made(TEXT).split("\n") for slip in slips(Kind.ORDER)]
    assert "    return book.closed(größe, margin_value, strict_mode=rounded) + os.getpid()" in calls[-1]
    assert slips(Kind.ORDER, "f(1, 1)\ng(*a, b)\nh(a)\n") == []


@pytest.mark.parametrize("make", [misspelt, renamed])
def test_a_wrong_name_is_none_of_those_in_the_file_and_always_a_name(make):
    for seed in range(200):
        new = make("price_list", {"price_list", "price", "list", "price_lists"}, random.Random(seed))
        assert new is not None
        assert new.isidentifier()
        assert new not in {"price_list", "price", "list", "price_lists"}


def test_where_each_wrong_name_is_one_of_the_file_there_is_none():
    class Everything:
        def __contains__(self, name):
            return True

    assert misspelt("price", Everything(), random.Random(1)) is None
    assert renamed("price", Everything(), random.Random(1)) is None


def test_an_editor_sends_what_is_said_of_the_same_lines_alone():
    def said(line, message, end=None, path="a.py"):
        return Diagnostic(path, line, 0, end or line, 3, "F", message, "Ruff")

    told = (
        said(3, "first", 5),
        said(5, "there"),
        said(6, "below"),
        said(1, "above"),
        said(4, "other", path="b.py"),
    )
    fault = Fault("shop", Kind.NAME, "a.py", Slip(0, "a", "b"), "a\n", told)
    assert [each.message for each in fault.told()] == ["first", "there"]
