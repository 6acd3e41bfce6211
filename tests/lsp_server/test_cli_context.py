"""`context` on a small workspace: one report as a table, as JSON, as a page, with and without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_home import Home, RunCli

PLACE = "main.py:6:24"


@pytest.fixture
def quiet(home: Home) -> dict[str, str]:
    """Where no engine runs."""
    return {"GHOSTFILL_RUNTIME_DIR": str(home.folder / "quiet")}


def test_json_names_the_segments_with_their_text(home: Home, kelvin: Path, quiet: dict[str, str]) -> None:
    """Segments as they stand in the prompt."""
    report = json.loads(home.run("context", PLACE, "--json", cwd=kelvin, **quiet).stdout)

    assert (report["file"], report["root"]) == ("main.py", str(kelvin))
    assert (report["line"], report["column"]) == (6, 24)
    assert report["is_complete"]
    assert {segment["path"] for segment in report["segments"]} == {"utils.py"}
    assert "def celsius_to_kelvin(degrees: float) -> float:" in report["segments"][0]["text"]
    assert sum(segment["num_tokens"] for segment in report["segments"]) == report["num_tokens"]
    assert report["num_tokens"] <= report["budget_tokens"]
    assert sum(share["num_tokens"] for share in report["shares"]) == report["limit_tokens"]


def test_it_counts_the_same_with_and_without_an_engine(
    home: Home, kelvin: Path, quiet: dict[str, str]
) -> None:
    """The tokenizer of the model folder is the engine's; only a running engine knows what is cached."""
    done = json.loads(home.run("complete", PLACE, "--json", cwd=kelvin).stdout)
    with_engine = json.loads(home.run("context", PLACE, "--json", cwd=kelvin).stdout)
    without = json.loads(home.run("context", PLACE, "--json", cwd=kelvin, **quiet).stdout)

    assert (with_engine.pop("is_engine_running"), without.pop("is_engine_running")) == (True, False)
    assert with_engine["prompt_tokens"] == done["timings"]["prompt_tokens"]
    assert (with_engine.pop("cached_tokens"), without.pop("cached_tokens")) == (
        with_engine["prompt_tokens"],
        None,
    )
    rows = [(report.pop("segments"), report.pop("around")) for report in (with_engine, without)]
    for part, cached in zip(rows, ("yes", "unknown"), strict=True):
        sent = [row for row in (*part[0], *part[1]) if row["start"] is not None]
        assert {row["cached"] for row in sent} == {cached}
    del with_engine["notes"], without["notes"]
    assert with_engine == without


def test_asking_what_is_cached_changes_nothing_that_is_cached(home: Home, kelvin: Path) -> None:
    """Neither the slots nor the counters of the engine: the next completion reuses as much."""
    first = json.loads(home.run("complete", PLACE, "--json", cwd=kelvin).stdout)["timings"]
    home.run("context", "utils.py", "--json", cwd=kelvin)
    again = json.loads(home.run("complete", PLACE, "--json", cwd=kelvin).stdout)["timings"]

    assert again["prompt_tokens"] == first["prompt_tokens"]
    assert again["reused_tokens"] == first["prompt_tokens"] - 1


def test_the_table_names_file_kind_reason_tokens_and_cached(
    home: Home, kelvin: Path, quiet: dict[str, str]
) -> None:
    done = home.run("context", "main.py", cwd=kelvin, **quiet)

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert ["file", "kind", "reason", "tokens", "cached"] in lines
    utils = next(line for line in lines if line[0] == "utils.py")
    assert utils[-1] == "unknown"
    assert utils[-2].isdecimal()
    assert "No engine is running" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_file_outside_every_project_is_alone_with_its_folder(ghostfill: RunCli, tmp_path: Path) -> None:
    """No marker above: the file's own folder is the workspace, not the disk."""
    (tmp_path / "note.py").write_text("a = 1\n")

    report = json.loads(ghostfill("context", "note.py", "--json", cwd=tmp_path).stdout)

    assert report["root"] == str(tmp_path)
    assert report["segments"] == []


def test_html_writes_the_page_and_says_where(home: Home, kelvin: Path, quiet: dict[str, str]) -> None:
    done = home.run("context", PLACE, "--html", "page.html", cwd=kelvin, **quiet)

    assert (done.returncode, done.stdout) == (0, f"{kelvin / 'page.html'} explains main.py:6:24.\n")
    page = (kelvin / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "def celsius_to_kelvin" in page


def test_html_to_a_dash_is_the_page_on_stdout(home: Home, kelvin: Path, quiet: dict[str, str]) -> None:
    """In UTF-8, whatever the terminal's encoding."""
    to_file = home.run("context", PLACE, "--html", "page.html", cwd=kelvin, **quiet)
    done = home.run("context", PLACE, "--html", "-", cwd=kelvin, **quiet)

    assert (to_file.returncode, done.returncode) == (0, 0)
    assert done.stdout == (kelvin / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("out", "message"),
    [
        pytest.param(".", "is a folder: name a file", id="a folder"),
        pytest.param("none/page.html", "none is no folder: make it first", id="no folder"),
        pytest.param("utils.py/page.html", "utils.py is no folder", id="a file as folder"),
    ],
)
def test_a_page_that_cannot_be_written_fails_with_a_sentence(
    home: Home, kelvin: Path, quiet: dict[str, str], out: str, message: str
) -> None:
    done = home.run("context", PLACE, "--html", out, cwd=kelvin, **quiet)

    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in kelvin.iterdir()) == ["main.py", "pyproject.toml", "utils.py"]


def test_json_and_html_together_are_wrong_use(ghostfill: RunCli) -> None:
    done = ghostfill("context", "main.py", "--json", "--html", "page.html")

    assert done.returncode == 2
    assert "not allowed with" in done.stderr
