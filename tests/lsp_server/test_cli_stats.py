"""`ghostfill stats` tells what was counted, where it is kept, and how to end it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli_home import Home
from engine.api import Timings
from lsp_server.feedback import Feedback
from lsp_server.hole import Hole
from lsp_server.stats_file import StatsFile


@pytest.fixture
def state(home: Home, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has counted nothing yet."""
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "state" / "ghostfill"
    folder.mkdir(parents=True, mode=0o700)
    return folder / "stats.sqlite"


def count_a_day(file: Path, days_ago: int, language: str, num_shown: int, num_accepted: int) -> None:
    """So many completions shown and accepted, each behind a request of 240 ms and one that was free."""
    feedback, hole = Feedback(), Hole("", 0)
    for number in range(num_shown):
        feedback.latency(
            "engine", 240, Timings(prompt_tokens=100, reused_tokens=80, decoded_tokens=9), language=language
        )
        feedback.latency("typedThrough", 1, language=language)
        feedback.latency("none", 60, language=language, reason="not sure")
        feedback.shown(str(number), "uri", hole, "abcde", "engine", language=language)
        if number < num_accepted:
            feedback.accepted(str(number))
    StatsFile(file, lambda: date.today() - timedelta(days=days_ago)).add(feedback.take())


def test_before_anything_is_counted_it_says_so(home, state):
    done = home.run("stats", **state)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing has been counted yet." in done.stdout


def test_it_says_where_the_file_is_and_how_to_end_the_counting(home, state, file, tmp_path):
    done = home.run("stats", **state)

    assert str(file) in done.stdout
    assert "stats.enabled = false" in done.stdout
    assert str(tmp_path / "config" / "ghostfill" / "ghostfill.toml") in done.stdout
    assert not file.exists()


def test_it_shows_spans_of_days_languages_and_sources(home, state, file):
    count_a_day(file, 0, "python", 4, 1)
    count_a_day(file, 3, "rust", 6, 4)

    done = home.run("stats", **state)

    rows = {line.split("  ")[0].strip(): line.split() for line in done.stdout.splitlines() if line.strip()}
    latency = ["≤350", "ms", "≤350", "ms"]
    assert rows["today"][1:] == ["4", "25%", "0", "5", "50%", "≤5", "ms", "≤350", "ms", "80%"]
    assert rows["7 days"][2:] == ["10", "50%", "0", "25", "50%", "≤5", "ms", "≤350", "ms", "80%"]
    assert rows["30 days"] == ["30", *rows["7 days"][1:]]
    assert rows["python"][1:] == rows["today"][1:]
    assert rows["rust"][1:5] == ["6", "67%", "0", "20"]
    assert rows["engine"][5:] == ["0%", *latency, "80%"]
    assert "requests: 30, with text 20, cancelled 0" in done.stdout
    assert "without text: 10 not sure" in done.stdout
    assert "dismissed: 0 of 10 shown" in done.stdout


def test_fewer_days_are_looked_at_if_asked_for(home, state, file):
    count_a_day(file, 0, "python", 4, 1)
    count_a_day(file, 3, "rust", 6, 4)

    done = home.run("stats", "--json", "--days", "3", **state)

    report = json.loads(done.stdout)
    assert (report["days"], report["total"]["shown"], list(report["by_language"])) == (3, 4, ["python"])


def test_json_is_one_object_with_every_number(home, state, file):
    count_a_day(file, 0, "python", 4, 1)

    done = home.run("stats", "--json", **state)

    report = json.loads(done.stdout)
    assert (report["file"], report["enabled"]) == (str(file), True)
    assert list(report["by_day"]) == [date.today().isoformat()]
    total = report["total"]
    assert (total["shown"], total["accepted"], total["accepted_share"]) == (4, 1, 0.25)
    assert (total["without_engine_share"], total["reused_share"]) == (0.5, 0.8)
    assert total["empty"] == {"not sure": 4}
    assert (total["latency"]["p50_ms"], total["latency"]["p95_ms"]) == (5, 350)
    assert sum(total["latency"]["counts"]) == 8


def test_it_says_where_counting_is_turned_off(home, state, file, tmp_path):
    (tmp_path / "config" / "ghostfill").mkdir(parents=True)
    (tmp_path / "config" / "ghostfill" / "ghostfill.toml").write_text("[stats]\nenabled = false\n")

    assert "Counting is turned off by stats.enabled." in home.run("stats", **state).stdout
    assert json.loads(home.run("stats", "--json", **state).stdout)["enabled"] is False


def test_a_broken_file_is_a_sentence(home, state, file):
    file.write_bytes(b"broken" * 100)

    done = home.run("stats", **state)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"ghostfill: {file} is broken")
    assert done.stderr.count("\n") == 1
    assert file.read_bytes() == b"broken" * 100


@pytest.mark.parametrize("days", ["0", "-1", "401", "many", "1.5"])
def test_a_number_of_days_that_is_none_is_wrong_use(home, state, days):
    done = home.run("stats", "--days", days, **state)

    assert done.returncode == 2
    assert "from 1 to 400" in done.stderr or "expected one argument" in done.stderr
