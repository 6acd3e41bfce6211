"""Rows become the figures that the issue names, a table by kind, and a chart."""

import json
from pathlib import Path

import pytest

from benchmarks.fix_quality import __main__ as program
from benchmarks.fix_quality.__main__ import _flags
from benchmarks.fix_quality.checks import Score
from benchmarks.fix_quality.faults import Diagnostic, Fault, Kind, Slip
from benchmarks.fix_quality.fixer import Answer
from benchmarks.fix_quality.measure import MODEL, USELESS, Measured, Row
from benchmarks.fix_quality.table import CHART, as_json, charts, figures, markdown

SAID = Diagnostic("a.py", 1, 0, 1, 3, "F821", "Undefined name `x`", "Ruff")


def row(kind, package, score, seconds=1.0, condition=MODEL, text="one\ntwo\n"):
    fault = Fault(package, kind, "a.py", Slip(4, "two", "tow"), "one\ntwo\n", (SAID,))
    return Row(fault, condition, Answer(text if score.is_offered else None, "Fix", seconds), score)


WHOLE = Score(True, True, True, True, True)
ROWS = [
    row(Kind.COLON, "shop", WHOLE, 1.0),
    row(Kind.COLON, "post", Score(True, True, True), 2.0),
    row(Kind.NAME, "shop", Score(True), 3.0),
    row(Kind.NAME, "post", Score(False), 9.0),
    row(Kind.COLON, "shop", WHOLE, 0.1, USELESS),
    *(row(kind, "post", Score(False), 0.1, USELESS) for kind in (Kind.COLON, Kind.NAME, Kind.NAME)),
]
MEASURED = Measured(ROWS, {Kind.COLON: 0, Kind.NAME: 5})


def test_shares_are_of_all_faults_but_parses_of_what_was_offered():
    found = figures(MEASURED)
    assert {key: found[key] for key in ("n", "offered", "diagnostic_gone", "right", "identical")} == {
        "n": 4,
        "offered": 0.75,
        "diagnostic_gone": 0.5,
        "right": 0.25,
        "identical": 0.25,
    }
    assert found["parses"] == 0.6667
    assert (found["s_p50"], found["s_p95"]) == (2.5, 9.0)
    assert (found["diagnostic_gone_no_model"], found["unreported"]) == (0.25, 5)
    colon = found["by_kind"]["missing colon"]
    assert (colon["n"], colon["diagnostic_gone"]) == (2, 1.0)
    name = found["by_kind"]["misspelt name"]
    assert (name["parses"], name["offered"]) == (0.0, 0.5)
    assert "missing quote" not in found["by_kind"]


def test_the_table_has_a_row_for_each_kind_and_package_and_says_what_is_wanted():
    text = markdown(MEASURED, [CHART])
    assert (
        "| missing colon | 2 | 1.000 | 1.000 | 1.000 | 0.500 | 0.500 | 1.5 | 2.0 | 0.500 | 0.500 | 0 |"
        in text
    )
    assert (
        "| misspelt name | 2 | 0.500 | 0.000 | 0.000 | 0.000 | 0.000 | 6.0 | 9.0 | 0.000 | 0.000 | 5 |"
        in text
    )
    assert "| all | 4 | 0.750 | 0.667 | 0.500 | 0.250 | 0.250 | 2.5 | 9.0 | 0.250 | 0.250 | 5 |" in text
    assert "| shop | 2 | 1.000 |" in text
    assert "| diagnostic gone | 0.500 | 0.500 to 0.500 | at least 0.4 |" in text
    assert "| parses | 0.667 | 0.500 to 1.000 | at least 0.9 |" in text
    assert text.endswith(f"![{CHART}](results/{CHART})\n")
    widths = [line.count("|") for line in text.split("\n") if line.startswith("|")]
    assert {width: widths.count(width) for width in set(widths)} == {12: 4, 13: 5, 5: 7}


def test_nothing_measured_is_a_table_without_rows():
    empty = Measured([], {})
    assert figures(empty)["n"] == 0
    assert figures(empty)["parses"] == 0.0
    assert "| all | 0 | 0.000" in markdown(empty)


def test_the_chart_names_the_kinds_and_is_the_same_again():
    (name, drawn), *rest = charts(MEASURED).items()
    assert (name, rest) == (CHART, [])
    assert drawn.startswith("<?xml")
    assert ">missing colon<" in drawn
    assert "missing quote" not in drawn
    assert charts(MEASURED) == {name: drawn}


def test_a_row_for_study_holds_the_lines_that_changed():
    found = json.loads(json.dumps(as_json(ROWS[0])))
    assert (found["line"], found["original_line"], found["old"], found["new"]) == (2, "two", "two", "tow")
    assert found["told"] == ["2: F821 Undefined name `x`"]
    assert found["edit"] == ["-tow", "+two"]
    assert as_json(ROWS[3])["edit"] is None
    assert as_json(row(Kind.IMPORT, "a", WHOLE, text="one\nmore\ntow\n"))["edit"] == ["+more"]


def test_kinds_are_named_by_their_words():
    assert _flags().parse_args(["--kinds", "missing import,misspelt name"]).kinds == (Kind.IMPORT, Kind.NAME)
    with pytest.raises(SystemExit):
        _flags().parse_args(["--kinds", "typo"])


@pytest.mark.parametrize(
    ("arguments", "is_kept"),
    [
        ([], True),
        (["--quick"], False),
        (["--tune"], False),
        (["--packages", "flask"], False),
        (["--kinds", "missing colon"], False),
        (["--per-kind", "9"], False),
        (["--seed", "2"], False),
        (["--chat-model", "instruct"], False),
    ],
)
def test_only_a_full_run_on_the_reported_packages_is_kept(arguments, is_kept, monkeypatch, tmp_path):
    orders, results = [], []
    monkeypatch.setattr("sys.argv", ["fix_quality", *arguments, "--json-out", str(tmp_path / "rows")])
    monkeypatch.setattr(program, "read", lambda package: package.name)
    monkeypatch.setattr(program, "measure", lambda order: orders.append(order) or MEASURED)
    monkeypatch.setattr(program, "finish", lambda *of, **rest: results.append((*of, rest)))
    monkeypatch.setattr(program, "RESULTS", tmp_path / "results")
    program.main()
    ((name, found, rest),) = results
    assert name == "fix_quality"
    assert rest["quick"] is not is_kept
    assert (tmp_path / "results" / CHART).exists() is is_kept
    assert len((tmp_path / "rows").read_text().splitlines()) == len(ROWS)
    (order,) = orders
    assert ("flask" in order.corpora) is ("--tune" not in arguments)
    assert "express" not in order.corpora
    if "--chat-model" in arguments:
        assert (order.chat_model, found["chat_model"]) == (str(Path("instruct").resolve()), "instruct")
