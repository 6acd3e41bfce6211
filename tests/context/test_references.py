"""Who uses a definition, and what the names mean that it uses; every line is checked against the text."""

from __future__ import annotations

from context.references import References, references
from context_projects import project_of

PRICES = """\
import json
from lib.money import Money, round_up as rounded


class Base:
    def check(self): pass


class Price(Base):
    def total(self, tax):
        self.check()
        return rounded(self.net(tax))

    def net(self, tax):
        return Money(json.loads(tax), "x").convert()


def price_of(item):
    return Price(item).total(1)
"""
FILES = {
    "lib/__init__.py": "from lib.prices import price_of\n",
    "lib/prices.py": PRICES,
    "lib/money.py": "class Money:\n    def convert(self): pass\n\ndef round_up(x):\n    return x\n",
    "app.py": ("from lib import price_of as cost\n\n# cost(0)\ndef main():\n    cost(1)\n    return cost\n"),
    "other.py": "def price_of(x): pass\n\nprice_of(2)\n",
    "whole.py": "import lib.prices\n\nTOTAL = lib.prices.price_of(3)\n",
    "method.py": (
        "from lib.prices import Price\n\n\nclass Till:\n    def sum(self, p):\n        return p.total(2)\n"
    ),
}


def found(name: str, owner: str = "", *chains: tuple[str, ...], key: str = "lib/prices.py") -> References:
    lines = FILES[key].split("\n")
    first = next(
        number for number, line in enumerate(lines) if f"def {name}" in line or f"class {name}" in line
    )
    return references(
        project_of(FILES),
        f"/w/{key}",
        name,
        owner,
        (first, first + 1),
        chains,
        lambda file: FILES[file.removeprefix("/w/")],
        lambda file: file.removeprefix("/w/"),
    )


def users(of: References) -> list[tuple[str, str, str]]:
    return [(each.path, FILES[each.path].split("\n")[each.line].strip(), each.name) for each in of.users]


def test_a_function_is_used_under_whatever_name_it_was_imported() -> None:
    """Through a re-export, under another name, as an attribute; not where another one has its name."""
    assert users(found("price_of")) == [
        ("whole.py", "TOTAL = lib.prices.price_of(3)", ""),
        ("app.py", "cost(1)", "main"),
    ]


def test_a_method_is_found_by_its_name() -> None:
    known = found("total", "Price")

    assert known.is_by_name
    assert users(known) == [
        ("lib/prices.py", "return Price(item).total(1)", "price_of"),
        ("method.py", "return p.total(2)", "Till.sum"),
    ]


def test_a_class_is_used_where_it_is_made() -> None:
    assert users(found("Price")) == [("lib/prices.py", "return Price(item).total(1)", "price_of")]


def test_names_mean_what_imports_say() -> None:
    chains = [("rounded",), ("self", "check"), ("self", "net"), ("Money",), ("json", "loads"), ("len",)]
    meanings = found("total", "Price", *chains).meanings

    assert {chain: (at.path, at.name, at.is_guess) for chain, at in meanings.items()} == {
        ("rounded",): ("lib/money.py", "round_up", False),
        ("self", "check"): ("lib/prices.py", "Base.check", False),
        ("self", "net"): ("lib/prices.py", "Price.net", False),
        ("Money",): ("lib/money.py", "Money", False),
    }
    for at in meanings.values():
        assert at.name.rpartition(".")[2] in FILES[at.path].split("\n")[at.line]


def test_a_member_of_something_unknown_is_a_guess() -> None:
    meanings = found("net", "Price", ("", "convert"), ("", "nothing")).meanings

    assert {chain: (at.name, at.is_guess) for chain, at in meanings.items()} == {
        ("", "convert"): ("Money.convert", True)
    }


def test_importers_are_named() -> None:
    importers = found("price_of").importers
    assert [each.path for each in importers] == ["lib/__init__.py", "method.py", "whole.py"]


def test_a_file_that_is_not_known_has_no_references() -> None:
    known = references(
        project_of(FILES), "/w/new.py", "f", "", (0, 1), [("g",)], lambda _: "", lambda file: file
    )

    assert (known.meanings, known.users, known.importers) == ({}, (), ())
