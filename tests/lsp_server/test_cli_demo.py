"""The demo's figures are computed, and consistent with each other."""

import json
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from cli_home import Home
from lsp_server.cli.demo_run import Verdict, judge
from lsp_server.cli.demo_sites import FOLDER, MAIN, SITES, TYPING_SITE, Site, cut

TEXT = (FOLDER / MAIN).read_text(encoding="utf-8")


@pytest.mark.parametrize("site", [*SITES, TYPING_SITE], ids=lambda site: site.before.strip())
def test_a_cut_takes_away_what_the_author_wrote_and_nothing_else(site: Site) -> None:
    """Put back, it gives the file as it was."""
    hole = cut(TEXT, site)

    assert hole.text[: hole.offset] + hole.author + hole.text[hole.offset :] == TEXT
    assert hole.author.strip()
    assert hole.author not in hole.lines_before(1)
    assert hole.author.count("\n") == site.num_lines - 1


def test_sites_ask_for_names_of_the_other_files() -> None:
    """Else the demo would show nothing of repository context."""
    others = [(FOLDER / name).read_text(encoding="utf-8") for name in ("station.py", "weather_utils.py")]
    names = {
        line.split("def ")[1].split("(")[0] for text in others for line in text.splitlines() if "def " in line
    }

    for site in SITES:
        line = cut(TEXT, site).lines_before(1) + cut(TEXT, site).author
        assert any(name in line for name in names), line


def test_an_ambiguous_site_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 2 times"):
        cut("a = \na = \n", Site("a = "))


@pytest.mark.parametrize(
    ("offered", "author", "verdict"),
    [
        ("load(path)", "load(path)", Verdict.EXACT),
        ("load(path)  ", "load(path)\n", Verdict.EXACT),
        ("load()", "load(path)", Verdict.RIGHT_NAME),
        ("loader(path)", "load(path)", Verdict.DIFFERENT),
        ("1 + 2", "load(path)", Verdict.DIFFERENT),
        ("1 + 2", "3", Verdict.DIFFERENT),
        (" \n", "load(path)", Verdict.NOTHING),
    ],
)
def test_a_verdict_is_a_comparison_of_texts(offered: str, author: str, verdict: Verdict) -> None:
    assert judge(offered, author) is verdict


@pytest.fixture(scope="module")
def report(home: Home) -> dict[str, Any]:
    """One run, on an engine that it starts."""
    done = home.run("demo", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_every_site_is_completed_both_ways(report: dict[str, Any]) -> None:
    """And only one way has text of other files in its prompt."""
    assert [site["author"] for site in report["sites"]] == [cut(TEXT, site).author for site in SITES]
    seen: set[str] = set()
    for site in report["sites"]:
        assert site["with_context"]["context_tokens"] > 0
        assert site["without_context"]["context_tokens"] == 0
        files = {file["path"] for file in site["with_context"]["files"]}
        assert "station.py" in files
        seen |= files
        assert site["without_context"]["files"] == []
    assert seen == {"station.py", "weather_utils.py"}


def test_verdicts_follow_from_the_texts(report: dict[str, Any]) -> None:
    for site in report["sites"]:
        for way in ("with_context", "without_context"):
            assert site[way]["verdict"] == judge(site[way]["text"], site["author"])


def test_every_prompt_token_is_either_reused_or_prefilled(report: dict[str, Any]) -> None:
    """The first request of a fresh engine reuses none; a later one has the context's tokens in the cache."""
    timings = [site["with_context"]["timings"] for site in report["sites"]]

    assert all(each["prompt_tokens"] == each["reused_tokens"] + each["prefilled_tokens"] for each in timings)
    assert timings[0]["reused_tokens"] == 0
    assert all(each["reused_tokens"] > 0 for each in timings[1:])


def test_typing_is_counted_key_by_key(report: dict[str, Any]) -> None:
    """What is offered to a key that was typed through is what is left of the offer before it."""
    typing = report["typing"]
    keys = typing["keys"]

    assert "".join(key["char"] for key in keys) == cut(TEXT, TYPING_SITE).author[: typing["num_keys"]]
    assert typing["num_keys"] == len(keys) == 20
    assert typing["median_ms"] == median(key["ms"] for key in keys)
    assert typing["num_typed_through"] == sum(key["answered"] == "typed-through" for key in keys)
    for before, key in pairwise(keys):
        if key["answered"] == "typed-through":
            assert before["offered"] == key["char"] + key["offered"]
            assert key["prefilled_tokens"] == 0


def test_the_demo_is_readable_in_a_pipe(home: Home, report: dict[str, Any]) -> None:
    """Without escape sequences, in 100 columns, with everything that `--json` says of the texts."""
    done = home.run("demo", "--plain")

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    for site in report["sites"]:
        assert site["before"].lstrip() + "▏" in done.stdout
        assert (site["with_context"]["text"].split() or [""])[0] in done.stdout
    exact = sum(site["with_context"]["verdict"] == "exact" for site in report["sites"])
    assert f"{exact} of {len(report['sites'])}" in done.stdout


def test_a_terminal_that_knows_only_ascii_is_no_failure(home: Home, report: dict[str, Any]) -> None:
    done = home.run("demo", PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
