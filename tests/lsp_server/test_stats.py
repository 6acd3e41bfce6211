"""A session's counts come to the local file, and never in the way of a request."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from lsp_server.counts import Counts, Key, Tally
from lsp_server.feedback import Feedback
from lsp_server.hole import Hole
from lsp_server.stats import StatsWriter, add_up, stats_report
from lsp_server.stats_file import StatsFile

TODAY = date(2026, 5, 20)
SHOWN = Key.of("python", "engine", "shown")
ACCEPTED = Key.of("python", "engine", "accepted")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stats.sqlite"


@pytest.fixture
def file(path: Path) -> StatsFile:
    return StatsFile(path, lambda: TODAY)


class Counting:
    """What `Feedback.take` gives, and a switch."""

    def __init__(self) -> None:
        self.fresh = Tally()
        self.is_enabled = True

    def take(self) -> Tally:
        fresh, self.fresh = self.fresh, Tally()
        return fresh


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def writer(counting: Counting, file: StatsFile) -> StatsWriter:
    return StatsWriter(counting.take, lambda: counting.is_enabled, file)


async def test_the_end_of_a_session_writes_what_it_counted(writer, counting, file):
    writer.start()
    counting.fresh[SHOWN] += 2
    await writer.close()

    assert file.read() == {TODAY: Tally({SHOWN: 2})}


async def test_a_session_that_ends_without_a_word_writes_too(writer, counting, file):
    """The server then cancels every task."""
    writer.start()
    await asyncio.sleep(0)
    counting.fresh[SHOWN] += 2
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert file.read() == {TODAY: Tally({SHOWN: 2})}


async def test_counts_are_written_as_time_goes_by(counting, file, monkeypatch):
    monkeypatch.setattr("lsp_server.stats.PERIOD_S", 0.0)
    written = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Told(StatsFile):
        def add(self, *arguments):
            super().add(*arguments)
            loop.call_soon_threadsafe(written.set)

    writer = StatsWriter(counting.take, lambda: True, Told(file.path, file.today))
    writer.start()
    counting.fresh[SHOWN] += 1
    await asyncio.wait_for(written.wait(), 20)
    await writer.close()

    assert file.read() == {TODAY: Tally({SHOWN: 1})}


async def test_nothing_is_written_where_it_is_turned_off(writer, counting, path):
    counting.is_enabled = False
    writer.start()
    counting.fresh[SHOWN] += 2
    await writer.flush()
    counting.fresh[SHOWN] += 2
    await writer.close()

    assert not path.exists()
    assert list(path.parent.iterdir()) == []


async def test_what_was_counted_while_it_was_off_is_not_written_later(writer, counting, file):
    counting.is_enabled = False
    counting.fresh[SHOWN] += 5
    await writer.flush()
    counting.is_enabled = True
    counting.fresh[SHOWN] += 1
    await writer.flush()

    assert file.read() == {TODAY: Tally({SHOWN: 1})}


async def test_an_idle_session_makes_no_file(writer, path):
    writer.start()
    await writer.flush()
    await writer.close()

    assert not path.exists()


async def test_what_cannot_be_written_is_kept_reported_and_written_later(counting, tmp_path, caplog):
    """And complained about once."""
    gone = tmp_path / "gone"
    file = StatsFile(gone / "stats.sqlite", lambda: TODAY)
    writer = StatsWriter(counting.take, lambda: True, file)
    for _ in range(3):
        counting.fresh[SHOWN] += 1
        await writer.flush()
    report = await writer.report(30)

    assert report["total"]["shown"] == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    gone.mkdir()
    await writer.flush()
    assert file.read() == {TODAY: Tally({SHOWN: 3})}


async def test_a_file_that_hangs_holds_up_neither_a_count_nor_the_end(counting, file, monkeypatch):
    monkeypatch.setattr("lsp_server.stats.CLOSE_S", 0.01)
    go_on = threading.Event()

    class Hanging(StatsFile):
        def add(self, *arguments):
            go_on.wait()

    writer = StatsWriter(counting.take, lambda: True, Hanging(file.path))
    writer.start()
    counting.fresh[SHOWN] += 1
    try:
        await asyncio.wait_for(writer.close(), 20)
        counting.fresh[SHOWN] += 1
    finally:
        go_on.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


async def test_a_report_holds_what_was_counted_a_moment_ago(writer, counting, file, path):
    file.add(Tally({SHOWN: 4}))
    counting.fresh.update({SHOWN: 1, ACCEPTED: 2})

    report = await writer.report(30)

    assert (report["file"], report["enabled"], report["days"]) == (str(path), True, 30)
    assert report["total"]["accepted_share"] == 0.4
    assert report["by_day"]["2026-05-20"]["shown"] == 5
    assert report["by_language"]["python"]["shown"] == report["by_source"]["engine"]["shown"] == 5


# What is in it


async def test_no_code_no_path_and_no_name_is_ever_written(file, path, caplog):
    """Not even where a client calls its language by a path, and a reason quotes the text."""
    caplog.set_level(logging.DEBUG)
    feedback = Feedback()
    secret = "hunter2"
    hole = Hole(f"password = '{secret}'\n", 5)
    feedback.shown(secret, f"file:///home/{secret}.py", hole, secret, "engine", 0.5, language=f"/{secret}")
    feedback.changed(f"file:///home/{secret}.py", f"passw{secret}", secret)
    feedback.accepted(secret)
    feedback.latency("engine", 5, reason=f"{secret} is a secret", language=f"{secret}.py")
    file.add(feedback.take())

    everything = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert secret.encode() not in everything
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT DISTINCT language FROM counts").fetchall() == [("other",)]


def test_a_report_is_what_the_days_add_up_to(path):
    days = {TODAY - timedelta(days=ago): Tally({SHOWN: ago + 1}) for ago in range(3)}

    report = stats_report(days, 3, path, is_enabled=False)

    assert report["total"] == Counts.of(add_up(days.values())).to_json()
    assert list(report["by_day"]) == ["2026-05-18", "2026-05-19", "2026-05-20"]
    assert report["enabled"] is False
