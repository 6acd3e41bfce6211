"""index: follows disk and buffers, and survives every kind of file."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import pytest

from context import RepoContext
from context.files import Files
from context.ignore import IgnoreRules
from context.index import Index
from context.paths import key_of
from context.source import status_of
from context.store import FactsStore
from context.worker_pool import WorkerPool
from context.worker_process import Job, Parsed

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
        "heavy = {'tree_sitter', 'watchdog', 'pathspec', 'torch', 'pygls', 'multiprocessing', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "c.close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_keys_see_through_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert key_of(tmp_path / "link" / "a.py") == key_of(tmp_path / "real" / "a.py")


class Lab:
    """An index alone over a folder, with the pool's jobs in sight."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.cache = cache
        self.parsed: list[str] = []
        self.manifests: dict[str, str | None] = {}
        self.progress: list[tuple[int, int]] = []
        self.scans = 0
        self._open: list[Index] = []

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def index(self, *, opened: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Index:
        lab = self
        roots = [str(self.root)]

        class SeenFiles(Files):
            def set_manifest(self, key: str, text: str | None) -> None:
                lab.manifests[key] = text
                super().set_manifest(key, text)

        class SeenPool(WorkerPool):
            def parse(self, jobs: Sequence[Job]) -> Generator[Parsed, None, None]:
                lab.parsed += [job.key[len(roots[0]) + 1 :] for job in jobs]
                return super().parse(jobs)

        class SeenRules(IgnoreRules):
            def forget(self) -> None:
                lab.scans += 1
                super().forget()

        self.files = SeenFiles(roots)
        for name in opened:
            self.files.set_open(f"{roots[0]}/{name}", "")
        on_progress = lambda done, total: self.progress.append((done, total))  # noqa: E731
        store = FactsStore(roots, self.cache)
        index = Index(roots, SeenRules(roots, exclude), self.files, SeenPool(2), on_progress, store)
        self._open.append(index)
        return index

    def build(self, **options: tuple[str, ...]) -> list[str]:
        """What had to be parsed."""
        self.parsed = []
        index = self.index(**options)
        index.build()
        index.close()
        return self.parsed

    def known(self) -> set[str]:
        """The files with facts."""
        with self.files.project("") as project:
            return {entry.path for entry in project.entries.values() if entry.facts is not None}

    def stored(self) -> set[str]:
        """The names in the database."""
        database = sqlite3.connect(self.cache / "facts.sqlite")
        try:
            found = {os.fsdecode(path) for (path,) in database.execute("SELECT path FROM files")}
        finally:
            database.close()
        return {path[len(str(self.root)) + 1 :] for path in found}

    def close(self) -> None:
        for index in self._open:
            index.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "repo").mkdir()
    lab = Lab(tmp_path / "repo", tmp_path / "index")
    yield lab
    lab.close()


def age(root: Path, seconds: float = 1000.0) -> None:
    """Lets every file have been changed long ago."""
    then = time.time() - seconds
    for path in root.rglob("*"):
        os.utime(path, (then, then))


FILES = {"a.py": "def a(): ...\n", "b/c.ts": "export const c = 1\n", "b/d.go": "package d\n"}


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


def test_manifests_are_read_and_followed(lab: Lab, eventually: Eventually) -> None:
    lab.write(
        {"package.json": '{"name": "a"}\r\n', "web/tsconfig.base.json": "{}", "data.json": "{}", "a.py": ""}
    )
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    package = f"{lab.root}/package.json"
    assert lab.manifests == {package: '{"name": "a"}\n', f"{lab.root}/web/tsconfig.base.json": "{}"}
    assert lab.parsed == ["a.py"]

    lab.write({"package.json": '{"name": "b"}', "pyproject.toml": "[project]"})

    eventually(lambda: lab.manifests.get(package) == '{"name": "b"}')
    eventually(lambda: lab.manifests.get(f"{lab.root}/pyproject.toml") == "[project]")
    assert lab.stored() == {"a.py"}


def test_a_manifest_that_is_excluded_or_too_large_is_not_read(lab: Lab) -> None:
    lab.write({"node_modules/x/package.json": "{}", "package.json": " " * 1_000_001, "ok/package.json": "{}"})

    lab.build()

    assert list(lab.manifests) == [f"{lab.root}/ok/package.json"]


def test_a_burst_of_changes_ends_in_one_scan(
    lab: Lab, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a checkout; the changes come while earlier ones wait."""
    lab.write({f"m{number}.py": f"x = {number}\n" for number in range(1000)})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    eventually(lambda: lab.scans == 2)  # the second after the watch began
    lab.parsed, steps = [], []
    monkeypatch.setattr(lab.files, "replace_one", lambda key, status: steps.append(key))
    index._watcher.stop()

    lab.write({f"m{number}.py": f"y = {number}\n" for number in range(1000)})
    for _ in range(5):
        for number in range(1000):
            index.changed(f"{lab.root}/m{number}.py")

    eventually(lambda: len(lab.parsed) >= 1000)
    eventually(lambda: index._backlog.is_empty)
    assert lab.scans == 3
    assert steps == []


def test_a_real_burst_is_followed_to_its_end(lab: Lab, eventually: Eventually) -> None:
    lab.write({f"p{number % 10}/m{number}.py": f"x = {number}\n" for number in range(1500)})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    eventually(lambda: index._is_watched)

    for folder in range(10):
        shutil.rmtree(lab.root / f"p{folder}")
    lab.write({f"q{number % 10}/n{number}.py": f"y = {number}\n" for number in range(1500)})

    eventually(lambda: lab.known() == {f"q{number % 10}/n{number}.py" for number in range(1500)})
    assert lab.scans < 15


def test_a_renamed_folder_is_followed(lab: Lab, eventually: Eventually) -> None:
    lab.write({"old/a.py": "x = 1\n", "old/sub/b.py": "y = 1\n"})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    eventually(lambda: index._is_watched)
    lab.parsed = []

    (lab.root / "old").rename(lab.root / "new")

    eventually(lambda: lab.known() == {"new/a.py", "new/sub/b.py"})
    assert lab.parsed == []


@pytest.mark.parametrize("told", ["old", "new", ""], ids=["its old name", "its new name", "neither"])
def test_a_folder_renamed_where_nothing_watches_is_found_by(
    lab: Lab, eventually: Eventually, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr("context.watch.Watcher.watch", lambda self, wanted: False)
    lab.write({"old/a.py": "x = 1\n", "b.py": ""})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)

    (lab.root / "old").rename(lab.root / "new")
    index.changed(f"{lab.root}/{told}" if told else "")

    eventually(lambda: lab.known() == {"new/a.py", "b.py"})


def test_a_file_renamed_in_case_alone_has_only_its_new_name(
    lab: Lab, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the system finds it under both names."""
    lab.write({"Name.py": "x = 1\n"})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    monkeypatch.setattr(
        "context.index.status_of", lambda key: status_of(key) or status_of(key.replace("Name", "name"))
    )

    (lab.root / "Name.py").rename(lab.root / "name.py")

    eventually(lambda: lab.known() == {"name.py"})


def test_a_new_folder_beside_a_skipped_one_is_watched(lab: Lab, eventually: Eventually) -> None:
    """The root is watched alone there: what is new below it needs a watch of its own."""
    lab.write({"a.py": "", "node_modules/x.js": ""})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    eventually(lambda: index._is_watched)
    lab.write({"pkg/first.py": ""})
    eventually(lambda: (f"{lab.root}/pkg", True) in index._watcher._watches)

    lab.write({"pkg/second.py": ""})

    eventually(lambda: lab.known() == {"a.py", "pkg/first.py", "pkg/second.py"})


def test_a_folder_that_becomes_skipped_is_no_longer_watched(lab: Lab, eventually: Eventually) -> None:
    lab.write({"a.py": "", "web/b.py": ""})
    index = lab.index()
    index.start()
    assert index.wait_ready(60)
    eventually(lambda: list(index._watcher._watches) == [(str(lab.root), True)])

    lab.write({"web/node_modules/x/y.js": ""})

    eventually(lambda: set(index._watcher._watches) == {(str(lab.root), False), (f"{lab.root}/web", False)})
    assert lab.known() == {"a.py", "web/b.py"}


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
