"""A full run is kept with its details; what stands on stdout is one line of JSON without them."""

import json

import pytest

from benchmarks import report


@pytest.fixture(autouse=True)
def _own_results(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "PAGE", tmp_path / "README.md")


def test_a_full_run_writes_its_figures_and_details_to_the_page(capsys):
    report.finish("speed", {"n": 3}, quick=False, details="### by hand\n\n| a | b |\n")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["name"], line["figures"], line["quick"], "details" in line) == (
        "speed",
        {"n": 3},
        False,
        False,
    )
    page = report.PAGE.read_text(encoding="utf-8")
    assert page.index("## speed") < page.index("| n | 3 |") < page.index("### by hand")


def test_a_quick_run_writes_nothing(capsys):
    report.finish("speed", {"n": 3}, quick=True, details="### by hand\n")
    assert json.loads(capsys.readouterr().out)["figures"] == {"n": 3}
    assert not report.PAGE.exists()
    assert not report.RESULTS.exists()
