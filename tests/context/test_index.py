"""index: follows disk and buffers, and survives every kind of file."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from context import RepoContext
from context.paths import key_of

Eventually = Callable[[Callable[[], bool]], None]

MAIN = "import a\na.one()\n\n|"


def text_of(workspace, context, name: str = "main.py", text: str = MAIN) -> str:
    return "".join(segment.text for segment in workspace.plan(context, name, text, 4000).segments)


def test_the_open_buffer_wins_over_the_disk_until_it_is_closed(workspace, eventually) -> None:
    context = workspace.open({"a.py": "def one(): ...\n"})
    path = workspace.root / "a.py"

    context.set_open(path, "def one(unsaved): ...\n")
    assert "one(unsaved)" in text_of(workspace, context)

    path.write_text("def one(saved_later): ...\n")
    context.file_changed(path)
    assert "one(unsaved)" in text_of(workspace, context)

    context.set_closed(path)
    eventually(lambda: "one(saved_later)" in text_of(workspace, context))


def test_a_new_unsaved_file_is_a_source(workspace) -> None:
    context = workspace.open({"b.py": ""})
    context.set_open(workspace.root / "a.py", "def one(fresh): ...\n")

    assert "one(fresh)" in text_of(workspace, context)


def test_a_giant_buffer_is_parsed_by_a_worker(workspace, eventually) -> None:
    context = workspace.open({"a.py": "def one(): ...\n"})
    context.set_open(workspace.root / "a.py", "def one(giant): ...\n" + "x = 1\n" * 60_000)

    eventually(lambda: "one(giant)" in text_of(workspace, context))


@pytest.mark.parametrize("watch", [True, False], ids=["seen by the watcher", "told by the editor"])
def test_changes_on_disk_are_followed(
    workspace, eventually, monkeypatch: pytest.MonkeyPatch, watch: bool
) -> None:
    if not watch:
        monkeypatch.setattr("context.watch.Watcher.watch", lambda self, wanted: False)
        monkeypatch.setattr("context.index.RESCAN_S", 1e9)
    context = workspace.open({"a.py": "def one(): ...\n"})

    def change(name: str, text: str | None) -> None:
        path = workspace.root / name
        if text is None:
            path.unlink()
        else:
            workspace.write({name: text})
        if not watch:
            (context.file_changed if text is not None else context.file_deleted)(path)

    change("a.py", "def one(changed): ...\n")
    eventually(lambda: "one(changed)" in text_of(workspace, context))
    change("sub/new.py", "def brand_new(): ...\n")
    eventually(lambda: "brand_new" in text_of(workspace, context, text="from sub.new import brand_new\n|"))
    change("a.py", None)
    eventually(lambda: text_of(workspace, context) == "")


def test_without_a_watcher_the_disk_is_looked_at_again(
    workspace, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("context.watch.Watcher.watch", lambda self, wanted: False)
    monkeypatch.setattr("context.index.RESCAN_S", 0.0)
    context = workspace.open({"a.py": "def one(): ...\n"})

    (workspace.root / "a.py").write_text("def one(nobody_told): ...\n")

    eventually(lambda: "one(nobody_told)" in text_of(workspace, context))


def test_a_system_without_watches_only_degrades(
    workspace, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", refuse)
    context = workspace.open({"a.py": "def one(): ...\n"})

    assert "one" in text_of(workspace, context)


def test_a_changed_gitignore_is_obeyed(workspace, eventually) -> None:
    context = workspace.open({"a.py": "def one(): ...\n"})

    workspace.write({".gitignore": "a.py\n"})

    eventually(lambda: text_of(workspace, context) == "")
    assert context.is_excluded(workspace.root / "a.py")


def test_odd_files_and_folders_do_no_harm(workspace, eventually) -> None:
    root: Path = workspace.root
    workspace.write(
        {
            "a.py": "def one(): ...\n",
            "binary.py": b"\x00\x01\x02def no(): ...",
            "latin.py": "def café(): ...\n".encode("latin-1"),
            "bom.py": b"\xef\xbb\xbfdef with_bom(): ...\r\n",
            "huge.py": b"x = 1\n" * 200_000,
            "broken.py": b"def (:\n  class\n",
            "empty.py": b"",
        }
    )
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "self.py").symlink_to(root / "self.py")
    (root / "dangling.py").symlink_to(root / "nowhere.py")
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "pipe.py")
    locked = root / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        context = workspace.open()
        text = "import a, binary, latin, bom, huge, broken, empty, pipe, dangling\nlatin.x\n|"
        found = text_of(workspace, context, text=text)
    finally:
        locked.chmod(0o700)

    assert "one" in found
    assert "with_bom" in found
    assert "no()" not in found
    for name in ("pipe.py", "self.py", "loop", "dangling.py", "huge.py"):
        context.file_changed(root / name)
    workspace.write({"a.py": "def one(after_all): ...\n"})
    context.file_changed(root / "a.py")
    eventually(lambda: "one(after_all)" in text_of(workspace, context))


@pytest.mark.parametrize(
    "name",
    [
        "nul\0byte.py",
        "/",
        "never/was.py",
        "/nonexistent/x.py",
        "a" * 5000,
        "a" * 5000 + "/b.py",
        "build/x.py",
    ],
    ids=[
        "NUL",
        "the root",
        "missing",
        "missing outside",
        "too long",
        "in a folder too long",
        "a build folder",
    ],
)
def test_odd_paths_do_no_harm(workspace, name: str) -> None:
    context = workspace.open({"a.py": "def one(): ...\n"})
    path = workspace.root / name

    context.set_open(path, "x = 1")
    context.file_changed(path)
    plan = context.plan(path, "import a\n", 99, budget_tokens=500, count_tokens=len, language="python")
    assert plan.segments or name == "/"  # a folder's imports lead nowhere
    context.set_closed(path)
    assert context.is_excluded(path) is (name == "build/x.py")
    assert not context.is_private(path)


def test_a_workspace_that_disappears_leaves_an_empty_index(workspace, eventually) -> None:
    context = workspace.open({"a.py": "def one(): ...\n", "b/c.py": ""})

    shutil.rmtree(workspace.root)
    context.file_deleted(workspace.root)

    eventually(lambda: text_of(workspace, context) == "")


def test_a_root_that_is_not_there_is_an_empty_workspace(tmp_path: Path) -> None:
    context = RepoContext([tmp_path / "nowhere"])
    context.start()

    assert context.wait_ready(30)
    context.close()


def test_close_ends_threads_and_processes_and_may_be_called_twice(workspace) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    context = workspace.open({f"m{number}.py": "x = 1\n" for number in range(50)})

    context.close()
    context.close()
    context.set_open(workspace.root / "a.py", "x = 2")
    context.file_changed(workspace.root / "a.py")
    workspace.plan(context, "main.py", MAIN)

    left = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert left == []


def test_close_during_the_first_build_is_quick(workspace) -> None:
    workspace.write({f"m{number}.py": "x = 1\n" * 500 for number in range(400)})
    first = threading.Event()
    context = RepoContext([workspace.root], on_progress=lambda done, total: first.set())
    context.start()
    assert first.wait(30)

    context.close()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ghostfill-index")]


def test_a_progress_callback_that_fails_does_not_stop_the_index(
    workspace, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(done: int, total: int) -> None:
        raise RuntimeError("the client went away")

    context = workspace.open({"a.py": "def one(): ...\n", "b.py": "def two(): ...\n"}, on_progress=fail)

    assert "one" in text_of(workspace, context)
    assert "two" in text_of(workspace, context)
    assert "a step of the index failed" in caplog.text


def test_many_threads_may_ask_and_edit_at_once(workspace) -> None:
    context = workspace.open({f"m{number}.py": f"def f{number}(): ...\n" for number in range(20)})
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(15):
                context.set_open(workspace.root / f"m{number}.py", f"def f{number}(x{turn}): ...\n")
                workspace.plan(context, f"n{number}.py", "import m1, m2\nm1.f1()\n|")
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_importing_the_room_is_light_and_an_idle_context_touches_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, context\n"
        f"c = context.RepoContext([pathlib.Path({str(tmp_path / 'gone')!r})])\n"
        "heavy = {'tree_sitter', 'msgspec', 'watchdog', 'pathspec', 'torch', 'pygls', 'multiprocessing'}\n"
        "heavy |= {'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "c.close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_keys_see_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert key_of(tmp_path / "link" / "a.py") == key_of(tmp_path / "real" / "a.py")
