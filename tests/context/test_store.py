"""store: facts are found again by time and size or by content, and no database trouble reaches the caller."""

import errno
import logging
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from context import store as store_module
from context.facts_codec import encode
from context.store import RACY_NS, UNUSED_S, FactsStore, StoredFile
from context.symbols import FileFacts

LONG_AGO = 1_000_000_000_000_000_000
SECRET = "hunter2"
FACTS = encode(FileFacts(words=SECRET))
OTHER = encode(FileFacts(words="another"))

Open = Callable[..., FactsStore]


def content(number: int) -> bytes:
    return number.to_bytes(16, "big")


def row(key: str = "/w/a.py", number: int = 1, facts: bytes = FACTS, mtime: int = LONG_AGO) -> StoredFile:
    return StoredFile(key, (mtime, 10), content(number), facts)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens stores in one folder, each as another process would."""
    stores: list[FactsStore] = []

    def open_store(*roots: str, folder: Path | None = None) -> FactsStore:
        store = FactsStore(roots or ("/w",), folder or tmp_path / "index")
        stores.append(store)
        store.open()
        return store

    yield open_store
    for store in stores:
        store.close()


def database(store: FactsStore) -> sqlite3.Connection:
    return sqlite3.connect(store.path)


def test_a_file_is_found_by_its_time_and_size(opened: Open) -> None:
    opened().save([row(), row("/w/b.py", 2, OTHER)])

    later = opened()

    assert later.find("/w/a.py", (LONG_AGO, 10)) == FACTS
    assert later.find("/w/b.py", (LONG_AGO, 10)) == OTHER
    assert later.find("/w/a.py", (LONG_AGO + 1, 10)) is None
    assert later.find("/w/a.py", (LONG_AGO, 11)) is None
    assert later.find("/w/c.py", (LONG_AGO, 10)) is None


def test_a_content_is_found_under_any_name_and_in_any_workspace(opened: Open) -> None:
    opened("/w").save([row()])

    other = opened("/clone", "/w")

    assert other.find("/w/a.py", (LONG_AGO, 10)) is None
    assert other.find_content(content(1)) == FACTS
    assert other.find_content(content(2)) is None


def test_the_order_of_roots_does_not_matter(opened: Open) -> None:
    opened("/w", "/v").save([row()])

    assert opened("/v", "/w").find("/w/a.py", (LONG_AGO, 10)) == FACTS


def test_the_last_facts_of_a_file_count(opened: Open) -> None:
    store = opened()
    store.save([row()])
    store.save([row(number=2, facts=OTHER)])

    assert store.find("/w/a.py", (LONG_AGO, 10)) == OTHER
    assert store.find_content(content(1)) is None


@pytest.mark.parametrize("age_ns", [0, RACY_NS // 2, -3600 * 10**9], ids=["now", "just now", "in the future"])
def test_a_file_that_changed_just_before_it_was_read_is_known_by_content_alone(
    opened: Open, age_ns: int
) -> None:
    """It may change again within the same tick of the clock."""
    store = opened()
    mtime = time.time_ns() - age_ns
    store.save([row(mtime=mtime)])

    assert store.find("/w/a.py", (mtime, 10)) is None
    assert store.find_content(content(1)) == FACTS


def test_a_file_from_the_beginning_of_time_is_known_by_content_alone(opened: Open) -> None:
    """Its time is the one that stands for unknown."""
    store = opened()
    store.save([row(mtime=0)])

    assert store.find("/w/a.py", (0, 10)) is None
    assert store.find_content(content(1)) == FACTS


def test_facts_of_other_code_are_not_found(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    store.save([row()])
    monkeypatch.setattr(store_module, "facts_version", lambda: b"another!")

    assert store.find("/w/a.py", (LONG_AGO, 10)) is None
    assert store.find_content(content(1)) is None


@pytest.mark.parametrize(
    "name", ["/w/\udcff.py", "/w/a\nb.py", "/w/" + "é" * 200, "/w/'; DROP TABLE files; --.py"]
)
def test_every_name_can_be_kept(opened: Open, name: str) -> None:
    store = opened()
    store.save([row(name)])
    store.keep_only([name])

    assert store.find(name, (LONG_AGO, 10)) == FACTS


def test_what_is_gone_is_forgotten(opened: Open) -> None:
    store = opened()
    store.save([row(), row("/w/b.py", 2)])

    store.keep_only(["/w/b.py", "/w/never_stored.py"])

    assert store.find("/w/a.py", (LONG_AGO, 10)) is None
    assert store.find_content(content(1)) is None
    assert store.find("/w/b.py", (LONG_AGO, 10)) == FACTS


def test_an_excluded_files_text_leaves_the_disk_and_overlapping_workspaces(
    opened: Open, tmp_path: Path
) -> None:
    inner, outer = opened("/w/inner"), opened("/w")
    for store in (inner, outer):
        store.save([row("/w/inner/a.py"), row("/w/inner/b.py", 2, OTHER)])

    outer.keep_only(["/w/inner/b.py"])

    assert inner.find("/w/inner/a.py", (LONG_AGO, 10)) is None
    assert inner.find("/w/inner/b.py", (LONG_AGO, 10)) == OTHER
    inner.close()
    outer.close()
    assert not [file for file in (tmp_path / "index").iterdir() if SECRET.encode() in file.read_bytes()]


def test_another_workspaces_files_stay(opened: Open) -> None:
    """Even those below ours: a home folder opened by mistake must not empty the store."""
    opened("/w/inner").save([row("/w/inner/a.py")])

    opened("/w").keep_only([])

    assert opened("/w/inner").find("/w/inner/a.py", (LONG_AGO, 10)) == FACTS


def test_a_workspace_unused_for_long_is_forgotten(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    opened("/old").save([row("/old/a.py")])
    opened("/w").save([row("/w/b.py", 2)])
    now = time.time()
    monkeypatch.setattr(store_module.time, "time", lambda: now + UNUSED_S - 10)
    opened("/w")
    monkeypatch.setattr(store_module.time, "time", lambda: now + UNUSED_S + 10)

    later = opened("/w")

    assert later.find_content(content(1)) is None
    assert later.find_content(content(2)) == FACTS


def test_a_store_that_grew_too_large_forgets_the_workspace_unused_longest(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = encode(FileFacts(words="x" * 100_000))
    clock = iter(range(10**9, 2 * 10**9))
    monkeypatch.setattr(store_module.time, "time", lambda: next(clock))
    for number, root in enumerate(["/a", "/b", "/c"]):
        opened(root).save([row(f"{root}/x.py", number, large)])
    opened("/a")
    before = opened("/c").num_bytes
    monkeypatch.setattr(store_module, "MAX_DATABASE_BYTES", 280_000)

    store = opened("/c")

    assert [store.find_content(content(number)) is not None for number in range(3)] == [True, False, True]
    assert store.path.stat().st_size < before


def test_a_store_that_is_full_takes_no_more(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    monkeypatch.setattr(store_module, "MAX_DATABASE_BYTES", store.num_bytes)

    store.save([row()])

    assert store.find("/w/a.py", (LONG_AGO, 10)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_only_the_user_can_read_it(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir(mode=0o755)
    store = opened()
    store.save([row()])

    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o700
    for file in (tmp_path / "index").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_before_open_and_after_close_it_is_empty(tmp_path: Path) -> None:
    store = FactsStore(("/w",), tmp_path / "index")
    store.save([row()])
    assert store.find("/w/a.py", (LONG_AGO, 10)) is None
    assert not (tmp_path / "index").exists()

    store.open()
    store.save([row()])
    store.close()

    store.keep_only([])
    assert store.find_content(content(1)) is None
    store.close()


class TestTrouble:
    """Whatever happens is logged once; the caller sees an empty store, or a new one."""

    @staticmethod
    def use(store: FactsStore) -> bytes | None:
        store.save([row()])
        store.keep_only(["/w/a.py"])
        store.find_content(content(1))
        return store.find("/w/a.py", (LONG_AGO, 10))

    @pytest.mark.parametrize(
        "damage",
        [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000],
        ids=["text", "a header alone"],
    )
    def test_a_damaged_database_is_made_anew(
        self, opened: Open, damage: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = opened()
        store.close()
        store.path.write_bytes(damage)

        assert self.use(opened()) == FACTS
        assert len(caplog.records) == 1
        assert "damaged" in caplog.text

    def test_pages_damaged_under_an_open_store_are_noticed_and_it_is_made_anew(
        self, opened: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = opened()
        first.save([row(f"/w/{number}.py", number) for number in range(3000)])
        first.close()
        data = first.path.read_bytes()
        first.path.write_bytes(data[:8192] + b"\x5a" * (len(data) - 8192))
        store = opened()

        found = [store.find(f"/w/{number}.py", (LONG_AGO, 10)) for number in range(3000)]

        assert None in found
        assert self.use(store) == FACTS
        assert {record.levelno for record in caplog.records} == {logging.WARNING}
        assert len(caplog.records) <= 2

    def test_a_newer_database_is_left_alone(self, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
        store = opened()
        store.save([row()])
        store.close()
        with database(store) as newer:
            newer.execute("PRAGMA user_version = 99")
        newer.close()

        assert self.use(opened()) is None
        assert "newer" in caplog.text
        assert len(caplog.records) == 1
        with database(store) as newer:
            assert newer.execute("SELECT count(*) FROM files").fetchone() == (1,)
        newer.close()

    def test_an_older_database_is_replaced(self, opened: Open) -> None:
        store = opened()
        store.close()
        with database(store) as older:
            older.executescript("DROP TABLE files; CREATE TABLE files (old TEXT); PRAGMA user_version = 0;")
        older.close()

        assert self.use(opened()) == FACTS

    def test_a_locked_database_is_done_without(
        self, opened: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "BUSY_MS", 10)
        store = opened()
        other = database(store)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert self.use(store) is None
            assert self.use(opened()) is None
        finally:
            other.close()
        assert len(caplog.records) == 2
        assert "locked" in caplog.text

    def test_a_full_disk_is_done_without(self, opened: Open, caplog: pytest.LogCaptureFixture) -> None:
        store = opened()
        assert store._database is not None
        store._database.execute("PRAGMA max_page_count = 10")

        store.save([row(f"/w/{number}.py", number) for number in range(1000)])

        assert self.use(store) is None
        assert "full" in caplog.text
        assert len(caplog.records) == 1

    def test_a_folder_that_cannot_be_written_is_done_without(
        self,
        opened: Open,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Root may write everywhere, so the refusal is played."""
        make = Path.mkdir

        def refuse(path: Path, *arguments: Any, **options: Any) -> None:
            if path.is_relative_to(tmp_path / "locked"):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            make(path, *arguments, **options)

        monkeypatch.setattr(Path, "mkdir", refuse)

        assert self.use(opened(folder=tmp_path / "locked" / "index")) is None
        assert "Permission denied" in caplog.text
        assert len(caplog.records) == 1

    def test_a_read_only_database_is_done_without(
        self, opened: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = opened()
        assert store._database is not None
        store._database.execute("PRAGMA query_only = ON")

        assert self.use(store) is None
        assert "readonly" in caplog.text
        assert len(caplog.records) == 1

    @pytest.mark.parametrize("name", ["index", "index/facts.sqlite"])
    def test_something_else_in_its_place_is_done_without(
        self, opened: Open, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        if name == "index":
            (tmp_path / "index").write_text("a file")
        else:
            (tmp_path / name).mkdir(parents=True)

        assert self.use(opened()) is None
        assert len(caplog.records) == 1


def test_two_windows_may_use_it_at_once(opened: Open, tmp_path: Path) -> None:
    """Both make it, both write the same files; nothing is lost and nothing complains."""
    code = f"""
import logging, sys
from pathlib import Path
from context.store import FactsStore, StoredFile
logging.basicConfig(stream=sys.stdout)
store = FactsStore(("/w",), Path({str(tmp_path / "index")!r}))
store.open()
for turn in range(20):
    store.save([StoredFile(f"/w/{{number}}.py", ({LONG_AGO}, 10), number.to_bytes(16, "big"), {FACTS!r})
                for number in range(turn * 10, turn * 10 + 10)])
    store.keep_only([f"/w/{{number}}.py" for number in range(1000)])
store.close()
"""
    windows = [
        subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    outputs = [window.communicate()[0] for window in windows]

    assert outputs == [b""] * 4
    store = opened()
    assert all(store.find(f"/w/{number}.py", (LONG_AGO, 10)) == FACTS for number in range(200))


def test_a_process_that_is_killed_while_writing_leaves_a_whole_database(opened: Open, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from context.store import FactsStore, StoredFile
store = FactsStore(("/w",), Path({str(tmp_path / "index")!r}))
store.open()
turn = 0
while True:
    store.save([StoredFile(f"/w/{{number}}.py", ({LONG_AGO}, 10), bytes(16), {FACTS!r} * 50)
                for number in range(200)])
    if turn == 0:
        print("writing", flush=True)
    turn += 1
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"writing\n"
    threading.Event().wait(0.05)
    writer.kill()
    writer.communicate()

    store = opened()

    assert store.find("/w/7.py", (LONG_AGO, 10)) == FACTS * 50
    connection = database(store)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_its_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

        assert FactsStore(("/w",)).path == tmp_path / "ghostfill" / "index" / "facts.sqlite"
