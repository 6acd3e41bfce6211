"""index: manifests, bursts, renamed and new folders are followed, with few looks at the disk."""

import shutil
from collections.abc import Callable

import pytest

from context.source import status_of
from index_lab import Lab

Eventually = Callable[[Callable[[], bool]], None]


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
