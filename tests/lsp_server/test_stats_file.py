"""The local file: added to by many, broken by anybody, and with nothing in it but counts."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli_home import ROOT
from lsp_server.counts import Key, Tally
from lsp_server.stats_file import KEPT_DAYS, StatsError, StatsFile

TODAY = date(2026, 5, 20)
SHOWN = Key.of("python", "engine", "shown")
ACCEPTED = Key.of("python", "engine", "accepted")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stats.sqlite"


@pytest.fixture
def file(path: Path) -> StatsFile:
    return StatsFile(path, lambda: TODAY)


def on(path: Path, day: date) -> StatsFile:
    return StatsFile(path, lambda: day)


def rows(path: Path) -> list[tuple]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM counts").fetchall()


# Adding


def test_nothing_is_there_before_anything_is_counted(file, path):
    assert file.read() == {}
    assert not path.exists()


def test_counts_of_a_day_add_up(file):
    file.add(Tally({SHOWN: 3}))
    file.add(Tally({SHOWN: 2, ACCEPTED: 1}))

    assert file.read() == {TODAY: Tally({SHOWN: 5, ACCEPTED: 1})}


def test_what_is_taken_back_is_subtracted(file):
    file.add(Tally({SHOWN: 3}))
    file.add({SHOWN: -1})

    assert file.read() == {TODAY: Tally({SHOWN: 2})}


def test_days_are_kept_apart_and_asked_for_by_number(path):
    for ago in range(4):
        on(path, TODAY - timedelta(days=ago)).add(Tally({SHOWN: ago + 1}))

    found = on(path, TODAY).read(2)

    assert found == {TODAY: Tally({SHOWN: 1}), TODAY - timedelta(days=1): Tally({SHOWN: 2})}


def test_days_are_kept_for_so_long_and_no_longer(path):
    first = on(path, TODAY)
    first.add(Tally({SHOWN: 1}))

    on(path, TODAY + timedelta(days=KEPT_DAYS - 1)).add(Tally({SHOWN: 1}))
    assert len(rows(path)) == 2

    on(path, TODAY + timedelta(days=KEPT_DAYS)).add(Tally({SHOWN: 1}))
    assert len(rows(path)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there are no permission bits")
def test_only_the_user_may_read_it(file, path):
    old = os.umask(0)
    try:
        file.add(Tally({SHOWN: 1}))
    finally:
        os.umask(old)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


ADDING = """
import sys
from datetime import date
from pathlib import Path
from lsp_server.counts import Key, Tally
from lsp_server.stats_file import StatsFile

file = StatsFile(Path(sys.argv[1]), lambda: date(2026, 5, 20))
key = Key.of("python", "engine", "shown")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    file.add(Tally({key: 1, Key.of(sys.argv[2], "engine", "shown"): 1}))
"""


def test_two_processes_that_add_at_the_same_time_lose_nothing(path):
    """From the first moment on, when there is no file yet."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING, str(path), language],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        for language in ("rust", "go")
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=120)
        assert child.returncode == 0

    (tally,) = on(path, TODAY).read().values()
    assert {key.language: number for key, number in tally.items()} == {"python": 120, "rust": 60, "go": 60}


def test_threads_that_find_a_broken_file_at_once_lose_nothing(path):
    """Only one sets it aside; the others add to the one that takes its place."""
    for _ in range(10):
        path.write_bytes(b"no database" * 1000)
        start = threading.Barrier(4)

        def add(start=start):
            start.wait()
            on(path, TODAY).add(Tally({SHOWN: 1}))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert on(path, TODAY).read() == {TODAY: Tally({SHOWN: 4})}


# What may be there instead of the file


def not_a_database(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 5000)


def overwritten(path: Path) -> None:
    """Its first page says what it should."""
    on(path, TODAY).add(Tally({SHOWN: 1}))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def cut_off(path: Path) -> None:
    on(path, TODAY).add(Tally({SHOWN: 1}))
    path.write_bytes(path.read_bytes()[:4096])


def other_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TABLE counts (day, number); INSERT INTO counts VALUES (1, 2)")


def a_trigger(path: Path) -> None:
    on(path, TODAY).add(Tally({SHOWN: 1}))
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE TRIGGER evil AFTER INSERT ON counts BEGIN DELETE FROM counts; END")


def a_view(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript("CREATE VIEW counts AS SELECT 1 AS day")


def a_folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


BROKEN = [not_a_database, overwritten, cut_off, other_tables, a_trigger, a_view, a_folder]
if sys.platform != "win32":
    BROKEN.append(a_pipe)


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_a_broken_file_is_set_aside_and_begun_anew(path, make, caplog):
    make(path)
    with pytest.raises(StatsError, match=r"is broken .* delete it to begin anew"):
        on(path, TODAY).read()

    on(path, TODAY).add(Tally({SHOWN: 7}))
    on(path, TODAY).add(Tally({SHOWN: 1}))

    assert on(path, TODAY).read() == {TODAY: Tally({SHOWN: 8})}
    assert path.with_suffix(".broken").exists()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_broken_files_do_not_pile_up(path):
    for _ in range(3):
        not_a_database(path)
        on(path, TODAY).add(Tally({SHOWN: 1}))

    assert {each.name for each in path.parent.iterdir()} == {"stats.sqlite", "stats.broken"}


def test_an_empty_file_is_one_to_begin_with(path):
    path.touch()
    assert on(path, TODAY).read() == {}

    on(path, TODAY).add(Tally({SHOWN: 1}))

    assert on(path, TODAY).read() == {TODAY: Tally({SHOWN: 1})}


def test_the_file_of_a_newer_ghostfill_is_left_alone(file, path):
    file.add(Tally({SHOWN: 1}))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(StatsError, match="newer ghostfill"):
        file.add(Tally({SHOWN: 1}))

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "row",
    [
        ("2026-05-20", "python", "engine", "\x1b]0;title\x07", 5),
        ("2026-05-20", "../../etc", "engine", "shown", 5),
        ("2026-05-20", "python", "engine", "shown", "five"),
        ("2026-05-20", "python", "engine", "latency.3", 5),
        ("2026-05-20", b"python", "engine", "shown", 5),
        ("2026-05-20", "python", "engine", b"\xff\xfe", 5),
        ("2026-05-20; DROP TABLE counts", "python", "engine", "shown", 5),
        ("2026-05-2", "python", "engine", "shown", 5),
        ("2026-05-20", "python", "engine", "shown", 1e30),
    ],
    ids=str,
)
def test_a_row_that_we_cannot_have_written_is_passed_over(file, path, row):
    file.add(Tally({ACCEPTED: 1}))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO counts VALUES (?, ?, ?, ?, ?)", row)

    assert file.read() == {TODAY: Tally({ACCEPTED: 1})}


def test_text_that_is_no_text_is_passed_over(file, path):
    file.add(Tally({ACCEPTED: 1}))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO counts VALUES ('2026-05-20', CAST(x'ff' AS TEXT), 'engine', 'shown', 1)"
        )

    assert file.read() == {TODAY: Tally({ACCEPTED: 1})}


def test_a_locked_file_fails_within_its_time(file, path):
    file.add(Tally({SHOWN: 1}))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StatsError, match="locked"):
            file.add(Tally({SHOWN: 1}), busy_s=0)

    file.add(Tally({SHOWN: 1}))
    assert file.read() == {TODAY: Tally({SHOWN: 2})}


def test_no_folder_is_a_sentence(tmp_path):
    with pytest.raises(StatsError, match="cannot be used"):
        on(tmp_path / "gone" / "stats.sqlite", TODAY).add(Tally({SHOWN: 1}))
