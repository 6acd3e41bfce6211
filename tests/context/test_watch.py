"""watch: the fewest folders are watched that see all of the workspace and nothing that is skipped."""

from collections.abc import Callable
from pathlib import Path

import pytest

from context.ignore import IgnoreRules
from context.scan import scan
from context.watch import Watcher, watched_folders

Eventually = Callable[[Callable[[], bool]], None]


def watches(folders: str, excluded: str = "") -> dict[str, bool]:
    return dict(watched_folders(folders.split(), excluded.split()))


def test_a_workspace_without_skipped_folders_is_one_watch() -> None:
    assert watches("/w /w/a /w/a/b /w/c") == {"/w": True}


def test_only_folders_above_skipped_ones_are_watched_alone() -> None:
    found = watches(
        "/w /w/src /w/src/x /w/web /w/web/src /w/web/src/deep /w/docs",
        "/w/.git /w/web/node_modules",
    )

    assert found == {"/w": False, "/w/src": True, "/w/web": False, "/w/web/src": True, "/w/docs": True}


def test_skipped_folders_that_hold_no_folders_do_not_count() -> None:
    assert watches("/w /w/a", "/w/__pycache__ /w/a/__pycache__") == {"/w": True}


def test_several_roots_are_each_watched_and_none_twice() -> None:
    assert watches("/v /v/a /w /w/a", "/w/.git") == {"/v": True, "/w": False, "/w/a": True}
    assert watches("/w /w/a /w/a/b") == {"/w": True}
    assert watches("/w /w/build/inner", "/w/build") == {"/w": False, "/w/build/inner": True}


def test_an_empty_listing_needs_no_watch() -> None:
    assert watches("") == {}


def test_a_real_tree(tmp_path: Path) -> None:
    for name in ("src/pkg", "node_modules/x/y", ".git/objects", "web/app", "web/dist"):
        (tmp_path / name).mkdir(parents=True)
    root = str(tmp_path)
    listing = scan([root], IgnoreRules([root]), lambda: False)

    found = watched_folders(listing.folders, listing.excluded_folders)

    assert dict(found) == {root: False, f"{root}/src": True, f"{root}/web": False, f"{root}/web/app": True}


class TestWatcher:
    """Against the real file system."""

    @pytest.fixture
    def seen(self) -> set[str]:
        return set()

    @pytest.fixture
    def watcher(self, seen: set[str]):
        watcher = Watcher(seen.add, seen.add)
        yield watcher
        watcher.stop()

    def test_it_sees_what_it_is_asked_to_watch(
        self, watcher: Watcher, seen: set[str], tmp_path: Path, eventually: Eventually
    ) -> None:
        (tmp_path / "deep" / "er").mkdir(parents=True)
        (tmp_path / "alone" / "below").mkdir(parents=True)

        assert watcher.watch([(f"{tmp_path}/deep", True), (f"{tmp_path}/alone", False)])
        (tmp_path / "alone" / "below" / "no.py").write_text("")
        (tmp_path / "deep" / "er" / "a.py").write_text("")
        (tmp_path / "alone" / "b.py").write_text("")

        eventually(lambda: {f"{tmp_path}/deep/er/a.py", f"{tmp_path}/alone/b.py"} <= seen)
        assert watcher.is_complete
        assert f"{tmp_path}/alone/below/no.py" not in seen

    def test_the_same_again_is_nothing_new(self, watcher: Watcher, tmp_path: Path) -> None:
        assert watcher.watch([(str(tmp_path), True)])
        assert not watcher.watch([(str(tmp_path), True)])

    def test_what_is_no_longer_asked_for_is_no_longer_seen(
        self, watcher: Watcher, seen: set[str], tmp_path: Path, eventually: Eventually
    ) -> None:
        for name in ("old", "new"):
            (tmp_path / name).mkdir()
        watcher.watch([(f"{tmp_path}/old", True)])

        assert watcher.watch([(f"{tmp_path}/new", True)])
        (tmp_path / "old" / "a.py").write_text("")
        (tmp_path / "new" / "b.py").write_text("")

        eventually(lambda: f"{tmp_path}/new/b.py" in seen)
        assert f"{tmp_path}/old/a.py" not in seen

    def test_a_folder_that_went_and_came_again_is_watched_again(
        self, watcher: Watcher, seen: set[str], tmp_path: Path, eventually: Eventually
    ) -> None:
        wanted = [(str(tmp_path), False), (f"{tmp_path}/sub", True)]
        (tmp_path / "sub").mkdir()
        watcher.watch(wanted)
        (tmp_path / "sub").rmdir()
        eventually(lambda: f"{tmp_path}/sub" in seen)
        (tmp_path / "sub").mkdir()

        assert watcher.watch(wanted)
        (tmp_path / "sub" / "a.py").write_text("")

        eventually(lambda: f"{tmp_path}/sub/a.py" in seen)

    def test_a_folder_that_is_gone_before_it_is_watched_does_no_harm(
        self, watcher: Watcher, tmp_path: Path
    ) -> None:
        assert watcher.watch([(f"{tmp_path}/gone", True), (str(tmp_path), True)])

    def test_more_folders_than_threads_are_watched_in_part(
        self, watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("context.watch.MAX_WATCHES", 2)
        for name in "abc":
            (tmp_path / name).mkdir()

        assert watcher.watch([(f"{tmp_path}/{name}", True) for name in "abc"])

        assert not watcher.is_complete

    def test_what_the_system_refuses_is_said_once_and_not_tried_again(
        self,
        watcher: Watcher,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(28, "inotify watch limit reached")

        monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", refuse)

        assert not watcher.watch([(str(tmp_path), True)])
        assert not watcher.watch([(str(tmp_path), True)])
        assert not watcher.is_complete
        assert len(caplog.records) == 1
