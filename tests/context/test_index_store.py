"""index: what was parsed once is not parsed again, here or elsewhere; what is excluded is not kept."""

import gc
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from index_lab import FILES, Lab, age

Eventually = Callable[[Callable[[], bool]], None]


def test_a_second_start_parses_nothing(lab: Lab) -> None:
    lab.write(FILES)
    age(lab.root)
    assert sorted(lab.build()) == sorted(FILES)
    first = lab.known()

    assert lab.build() == []
    assert lab.known() == first == set(FILES)


def test_files_that_changed_are_parsed_and_no_others(lab: Lab) -> None:
    lab.write(FILES)
    lab.build()

    lab.write({"a.py": "def changed(): ...\n", "new.py": ""})

    assert sorted(lab.build()) == ["a.py", "new.py"]


def test_a_change_in_the_same_tick_of_the_clock_is_noticed(lab: Lab) -> None:
    """Same time, same size: only the content differs."""
    lab.write({"a.py": "def one(): ...\n"})
    status = (lab.root / "a.py").stat()
    lab.build()

    lab.write({"a.py": "def two(): ...\n"})
    os.utime(lab.root / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))

    assert lab.build() == ["a.py"]


@pytest.mark.parametrize("seconds", [2000.0, -2000.0], ids=["older", "newer"])
def test_files_of_another_time_and_the_same_content_are_not_parsed_again(lab: Lab, seconds: float) -> None:
    """After a checkout of the same commit, or `touch`."""
    lab.write(FILES)
    age(lab.root)
    lab.build()

    age(lab.root, seconds)

    assert lab.build() == []
    assert lab.known() == set(FILES)


def test_another_clone_parses_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.write(FILES)
    lab.build()
    shutil.copytree(lab.root, tmp_path / "clone")

    clone = Lab(tmp_path / "clone", lab.cache)

    assert clone.build() == []
    assert clone.known() == set(FILES)
    clone.close()


def test_a_renamed_file_is_not_parsed_again_and_its_old_name_is_forgotten(lab: Lab) -> None:
    lab.write(FILES)
    lab.build()

    (lab.root / "a.py").rename(lab.root / "renamed.py")

    assert lab.build() == []
    assert lab.stored() == lab.known() == {"renamed.py", "b/c.ts", "b/d.go"}


def test_the_same_text_in_two_languages_is_parsed_twice(lab: Lab) -> None:
    lab.write({"a.py": "x = 1\n", "a.js": "x = 1\n", "copy.py": "x = 1\n"})
    lab.build()

    lab.write({"b.ts": "x = 1\n", "b.py": "x = 1\n"})

    assert lab.build() == ["b.ts"]


def test_excluded_files_are_not_stored_and_leave_the_store(lab: Lab) -> None:
    lab.write({**FILES, "secrets.py": "PASSWORD = 1\n", "ignored.py": "", ".gitignore": "ignored.py\n"})
    lab.build()
    assert lab.stored() == set(FILES)

    lab.build(exclude=("b/",))
    assert lab.stored() == {"a.py"}

    lab.write({".gitignore": "a.py\n"})
    lab.build(exclude=("b/",))
    assert lab.stored() == {"ignored.py"}


def test_an_exclusion_reaches_the_store_of_a_running_index(lab: Lab, eventually: Eventually) -> None:
    lab.write(FILES)
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    assert "a.py" in lab.stored()

    lab.write({".gitignore": "a.py\n"})

    eventually(lambda: lab.stored() == {"b/c.ts", "b/d.go"})


def test_what_changes_while_the_index_runs_is_stored_too(lab: Lab, eventually: Eventually) -> None:
    lab.write(FILES)
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    lab.write({"new.py": "def fresh(): ...\n"})
    eventually(lambda: "new.py" in lab.stored())
    index.close()

    assert lab.build() == []


def test_damaged_facts_are_parsed_again(lab: Lab) -> None:
    lab.write(FILES)
    age(lab.root)
    lab.build()
    database = sqlite3.connect(lab.cache / "facts.sqlite")
    with database:
        database.execute("UPDATE files SET facts = ? WHERE CAST(path AS TEXT) LIKE '%a.py'", (b"damaged",))
    database.close()

    assert lab.build() == ["a.py"]
    assert lab.build() == []


def test_without_a_store_everything_is_parsed_each_time(lab: Lab) -> None:
    lab.cache.write_text("no folder")
    lab.write(FILES)

    assert sorted(lab.build()) == sorted(lab.build()) == sorted(FILES)
    assert lab.known() == set(FILES)


def test_a_binary_file_is_remembered_as_such(lab: Lab) -> None:
    lab.write({"a.py": "\0"})
    age(lab.root)
    assert lab.build() == ["a.py"]

    assert lab.build() == []
    assert lab.known() == set()


def test_the_nearest_and_newest_files_come_first(lab: Lab) -> None:
    """Beside the open file, then lately changed, then high in the tree."""
    names = ["x/deep/er/old.py", "x/old.py", "old.py", "x/deep/new.py", "x/newest.py", "far/near/b.py"]
    lab.write(dict.fromkeys([*names, "far/near/a.py"], "x = 1\n"))
    for name in names:
        lab.write({name: f"{name!r}\n"})
    age(lab.root, 3600 * 24 * 30)
    for name, days in (("x/deep/new.py", 2), ("x/newest.py", 1)):
        then = time.time() - 3600 * 24 * days
        os.utime(lab.root / name, (then, then))

    assert lab.build(opened=("far/near/open.py",)) == [
        "far/near/a.py",
        "far/near/b.py",
        "x/newest.py",
        "x/deep/new.py",
        "old.py",
        "x/old.py",
        "x/deep/er/old.py",
    ]


def test_a_file_opened_during_the_build_brings_its_folder_to_the_front(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("context.backlog.BATCH", 2)
    lab.write({f"{folder}/{number}.py": f"{folder}{number}\n" for folder in "ab" for number in range(4)})
    age(lab.root, 3600 * 24 * 30)
    index = lab.index(opened=("a/open.py",))
    lab_progress = lab.progress

    class Opening(list[tuple[int, int]]):
        def append(self, step: tuple[int, int]) -> None:
            if step[0] == 1:
                lab.files.set_closed(f"{lab.root}/a/open.py")
                lab.files.set_open(f"{lab.root}/b/open.py", "")
            lab_progress.append(step)

    lab.progress = Opening()
    index.build()

    assert lab.parsed[:2] == ["a/0.py", "a/1.py"]
    assert lab.parsed[2:6] == ["b/0.py", "b/1.py", "b/2.py", "b/3.py"]


def test_progress_counts_files_from_the_store_too(lab: Lab) -> None:
    lab.write({**FILES, "pyproject.toml": ""})
    lab.build()
    lab.progress = []

    lab.build()

    assert lab.progress == [(number, 4) for number in range(1, 5)]


def test_the_facts_of_many_files_are_out_of_the_cycle_collectors_way(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which would stop every thread of the server while it looks at them."""
    monkeypatch.setattr("context.backlog.BATCH", 10)
    lab.write({f"m{number}.py": f"def f{number}(): ...\n" * 50 for number in range(20)})
    gc.unfreeze()

    lab.build()

    try:
        assert gc.get_freeze_count() > 20 * 50
    finally:
        gc.unfreeze()


def test_closing_during_the_first_build_keeps_what_was_stored_of_the_rest(lab: Lab) -> None:
    lab.write({f"m{number}.py": f"x = {number}\n" * 200 for number in range(600)})
    age(lab.root)
    lab.build()
    lab.write({f"n{number}.py": f"x = {number}\n" * 200 for number in range(600)})
    index = lab.index()
    lab.parsed = []
    index.start()

    index.close()

    assert {f"m{number}.py" for number in range(600)} <= lab.stored()


def test_the_store_is_reached_by_the_indexs_thread_alone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.write(FILES)
    names: set[str] = set()
    connect = sqlite3.connect
    monkeypatch.setattr(
        "context.store.sqlite3.connect",
        lambda *args, **options: names.add(threading.current_thread().name) or connect(*args, **options),
    )
    index = lab.index()
    index.start()
    assert index.wait_ready(60)

    index.close()

    assert names == {"ghostfill-index"}
    assert not list(lab.cache.glob("*-wal"))  # it was closed, and closed well
