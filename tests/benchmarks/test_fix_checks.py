"""What real checkers say of a fault, which slips become one, and what a fix of it is worth."""

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.context_quality.corpus import Corpus
from benchmarks.fix_quality import choose, selfcheck
from benchmarks.fix_quality.checkers import Mypy, added, ruff
from benchmarks.fix_quality.checks import Checks, Score
from benchmarks.fix_quality.choose import Chooser, reported
from benchmarks.fix_quality.faults import Fault, Kind, Slip
from benchmarks.fix_quality.meaning import is_right, parts
from benchmarks.fix_quality.selfcheck import SelfCheckError, check_fault, check_score

LEDGER = """\
import math
from os import getpid, sep


class Ledger:
    def __init__(self, name: str) -> None:
        self.name = name

    def closed(self, amount: float, note: str, *, strict: bool = True) -> str:
        rounded = math.floor(amount) if strict else amount
        return f"{rounded}" + note + self.name + sep


def main() -> None:
    ledger = Ledger("größe")
    print(ledger.closed(1.5, "ü", strict=False), getpid())
"""
PATH = "shop/ledger.py"


@pytest.fixture(scope="module")
def root():
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "shop-1.0"
        (package / "shop").mkdir(parents=True)
        (package / "shop" / "__init__.py").write_text("from shop.ledger import Ledger as Ledger\n")
        (package / PATH).write_text(LEDGER, encoding="utf-8")
        yield package


@pytest.fixture(scope="module")
def checks(root):
    with tempfile.TemporaryDirectory() as folder:
        yield Checks(root, Path(folder))


def slip(old, new, among=""):
    assert LEDGER.count(among or old) == 1
    return Slip(LEDGER.index(among or old) + (among or old).index(old), old, new)


SLIPS = {
    Kind.COLON: slip(":", "", "class Ledger:"),
    Kind.BRACKET: slip(")", "", "getpid())\n"),
    Kind.QUOTE: slip('"', "", '"größe'),
    Kind.INDENTATION: slip("    ", "      ", "    print(ledger"),
    Kind.NAME: slip("amount", "amuont", "floor(amount"),
    Kind.VARIABLE: slip("rounded", "found", "rounded = "),
    Kind.IMPORT: slip("import math\n", ""),
    Kind.ATTRIBUTE: slip("closed", "cloesd", "ledger.closed"),
    Kind.ARGUMENT: slip("strict", "strcit", "strict=False"),
    Kind.ORDER: slip('1.5, "ü"', '"ü", 1.5'),
}


def fault(kind, checks, of=None):
    of = of or SLIPS[kind]
    return Fault("shop", kind, PATH, of, LEDGER, reported(kind, PATH, LEDGER, of, checks))


@pytest.mark.parametrize("kind", Kind)
def test_a_fault_of_each_kind_is_reported_passes_the_selfcheck_and_is_scored(kind, checks):
    found = fault(kind, checks)
    assert found.diagnostics
    check_fault(found)
    check_score(found, checks)


def test_what_mypy_says_stands_where_it_is(checks):
    (said,) = fault(Kind.ATTRIBUTE, checks).diagnostics
    line = SLIPS[Kind.ATTRIBUTE].made(LEDGER).split("\n")[said.line]
    assert line[said.column : said.end_column] == "ledger.cloesd"
    assert said.message == '"Ledger" has no attribute "cloesd"; maybe "closed"?'


def test_what_ruff_says_stands_where_it_is_in_code_points():
    (said,) = ruff("a.py", 'x = "ä𝄞", undefinde\n')
    assert (said.code, said.line, said.column, said.end_column) == ("F821", 0, 10, 19)


def test_mypy_sees_a_change_that_keeps_size_and_second(root, tmp_path):
    mypy = Mypy(root, tmp_path, ["shop"])
    assert mypy.before == []
    wrong = LEDGER.replace("ledger.closed", "ledger.cloesd")
    for _ in range(2):
        assert [each.code for each in mypy.check(PATH, wrong)] == ["attr-defined"]
        assert mypy.check(PATH, LEDGER) == []
    assert (root / PATH).read_text(encoding="utf-8") == LEDGER


def test_a_slip_that_no_checker_reports_is_no_fault(checks):
    assert reported(Kind.ORDER, PATH, LEDGER, slip('1.5, "ü"', '1.5, "ü"'), checks) == ()
    used_elsewhere = Slip(LEDGER.index("Ledger("), "Ledger", "getpid")  # a name, but one that there is
    assert reported(Kind.NAME, PATH, LEDGER, used_elsewhere, checks) == ()
    still_reads = slip("        ", "            ", "        return f")
    assert reported(Kind.COLON, PATH, LEDGER, slip("sep", "sepp", "import getpid, sep"), checks) == ()
    assert reported(Kind.INDENTATION, PATH, LEDGER, still_reads, checks)


def test_equal_numbers_of_faults_in_turn_and_the_unreported_are_counted(root, checks, monkeypatch):
    monkeypatch.setattr(choose, "MIN_FILE_CHARS", 0)
    corpus = Corpus.read("shop", "python", root)
    chooser = Chooser([corpus], {"shop": checks}, 1)
    found = [fault for kind in (Kind.COLON, Kind.NAME, Kind.ATTRIBUTE) for fault in chooser.choose(kind, 2)]
    assert Counter(each.kind for each in found) == {Kind.COLON: 2, Kind.NAME: 2, Kind.ATTRIBUTE: 2}
    again = Chooser([corpus], {"shop": checks}, 1)
    assert found[:2] == again.choose(Kind.COLON, 2)
    assert len({each.slip for each in found}) == 6
    assert 0 < len(again.choose(Kind.VARIABLE, 50)) < 50
    assert again.choose(Kind.QUOTE, 0) == []


def test_a_fix_is_right_under_either_name_of_a_renamed_variable(checks):
    found = fault(Kind.VARIABLE, checks)
    followed = found.planted.replace("{rounded}", "{found}")
    assert checks.score(found, followed) == Score(True, True, True, is_right=True, is_identical=False)
    assert not is_right(found, found.planted)
    assert not is_right(found, found.planted.replace("{rounded}", "{amount}"))


def test_an_import_may_come_back_elsewhere(checks):
    found = fault(Kind.IMPORT, checks)
    below = found.planted.replace("getpid, sep\n", "getpid, sep\nimport math\n")
    assert checks.score(found, below) == Score(True, True, True, is_right=True, is_identical=False)
    assert checks.score(found, f"import shop.math as math\n{found.planted}").is_gone
    assert not is_right(found, f"import shop.math as math\n{found.planted}")


def test_a_relative_import_is_the_absolute_one():
    text = "from ..money import price\nfrom . import tax\n"
    same = "from shop.money import price\nfrom shop.till import tax\n"
    assert parts("shop/till/a.py", text)[0] == parts("shop/till/a.py", same)[0]
    assert parts("shop/till/a.py", text)[0] != parts("shop/till/old/a.py", text)[0]


def test_what_trades_one_fault_for_another_is_no_fix(checks):
    found = fault(Kind.NAME, checks)
    assert checks.score(found, found.planted.replace("amuont", "amonut")) == Score(True, True)
    assert checks.score(found, found.planted.replace("amuont)", "1))")) == Score(True)
    unused = found.planted.replace("amuont", "amount").replace(", getpid())", ")")
    assert checks.score(found, unused) == Score(True, True)
    typed = fault(Kind.ATTRIBUTE, checks)
    assert checks.score(typed, typed.planted.replace("cloesd(1.5", "closed(None")) == Score(True, True)


def test_a_harmless_other_program_is_gone_and_not_right(checks):
    found = fault(Kind.NAME, checks)
    assert checks.score(found, found.planted.replace("amuont", "1.0")) == Score(True, True, is_gone=True)


def test_what_is_said_more_often_is_more_and_where_it_stands_is_not(checks):
    said = ruff("a.py", "one\n\nprint(two)\n")
    assert [each.message for each in said] == ["Undefined name `one`", "Undefined name `two`"]
    assert added(said, ruff("a.py", "\n\none\nprint(two)\n")) == []
    assert len(added(said[:1], said)) == 1
    assert added(ruff("a.py", "import os\nimport os\n"), ruff("a.py", "\nimport os\n\nimport os\n")) == []


@pytest.mark.parametrize(
    ("kind", "broken", "says"),
    [
        (Kind.COLON, {"slip": slip(")", "", "getpid())\n")}, "is '\\)' as ''"),
        (Kind.COLON, {"slip": slip("math", "mathh", "import math")}, "another one"),
        (Kind.NAME, {"slip": slip("closed", "cloesd", "ledger.closed")}, "is 'closed'"),
        (Kind.IMPORT, {"slip": slip("math", "cmath", "import math")}, "is 'math'"),
        (Kind.ORDER, {"slip": slip('1.5, "ü"', '1.6, "ü"')}, "is '1.5"),
        (Kind.INDENTATION, {"slip": slip(":", "", "class Ledger:")}, "is ':'"),
        (Kind.NAME, {"diagnostics": ()}, "reported by nobody"),
        (Kind.NAME, {"slip": Slip(0, "x", "y")}, "cannot be taken back"),
    ],
)
def test_what_is_no_such_fault_stops_the_run(kind, broken, says, checks):
    with pytest.raises(SelfCheckError, match=says):
        check_fault(replace(fault(kind, checks), **broken))


def test_a_score_that_is_never_or_always_good_stops_the_run(checks, monkeypatch):
    found = fault(Kind.NAME, checks)
    with pytest.raises(SelfCheckError, match="the original is scored wrong"):
        check_score(replace(found, original=LEDGER + "undefinde\n"), Never())
    with pytest.raises(SelfCheckError, match="the fault is scored right"):
        check_score(found, Always())
    assert selfcheck.MISSING[Kind.COLON] == ":"


class Never:
    def score(self, fault, result):
        return Score(result is not None)


class Always:
    def score(self, fault, result):
        return Score(True, True, True, True, True)
