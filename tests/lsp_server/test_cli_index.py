"""`ghostfill index`: builds what `serve` starts with, says what it did, and fails with a sentence."""

import json
from functools import partial
from pathlib import Path

import pytest

from cli_home import Home, RunCli
from context import RepoContext


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a bit of everything."""
    files = {
        "pyproject.toml": b"",
        ".gitignore": b"ignored.py\n",
        "a.py": b"def a(): ...\n",
        "pkg/b.py": b"def b(): ...\n",
        "web/c.ts": b"export const c = 1\n",
        "ignored.py": b"",
        "node_modules/x.js": b"",
        "huge.py": b" " * 1_000_001,
        "binary.py": b"\0",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def ghostfill(home: Home, tmp_path_factory: pytest.TempPathFactory) -> RunCli:
    """Runs the console script with a cache of the test's own."""
    return partial(home.run, XDG_CACHE_HOME=str(tmp_path_factory.mktemp("cache")))


def test_it_says_what_it_did(ghostfill: RunCli, project: Path) -> None:
    done = ghostfill("index", str(project))

    assert done.returncode == 0
    assert done.stderr == ""
    assert str(project) in done.stdout
    assert "3 files indexed (python 2, typescript 1)" in done.stdout
    assert "3 parsed now, 0 known already" in done.stdout
    for reason in ("1 too large", "1 binary", "1 private, ignored or backups", "1 folders not entered"):
        assert reason in done.stdout
    assert "facts.sqlite" in done.stdout


def test_json_is_one_object_and_the_second_time_nothing_is_parsed(ghostfill: RunCli, project: Path) -> None:
    first, second = (json.loads(ghostfill("index", "--json", cwd=project).stdout) for _ in range(2))

    assert (first["parsed"], first["from_store"]) == (3, 0)
    assert (second["parsed"], second["from_store"]) == (0, 3)
    for report in (first, second):
        assert report["root"] == str(project)
        assert report["files"] == 3
        assert report["languages"] == {"python": 2, "typescript": 1}
        assert report["manifests"] == 1
        assert report["skipped"] == {"too_large": 1, "binary": 1, "excluded": 1, "excluded_folders": 1}
        assert report["is_cut"] is False
        assert report["seconds"] >= 0
        assert report["database_bytes"] == Path(report["database"]).stat().st_size


@pytest.mark.parametrize("place", ["pkg", "pkg/b.py", "."])
def test_the_project_around_the_path_is_meant(ghostfill: RunCli, project: Path, place: str) -> None:
    assert json.loads(ghostfill("index", "--json", place, cwd=project).stdout)["root"] == str(project)


def test_the_server_starts_with_what_it_built(
    home: Home, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("index", cwd=project)
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, home.environment()[name])
    monkeypatch.setattr(
        "context.worker_pool.WorkerPool.parse", lambda pool, jobs: pytest.fail(f"parses {jobs}")
    )
    context = RepoContext([project])
    context.start()
    try:
        assert context.wait_ready(60)
        assert context._index.counts["stored"] == 3
    finally:
        context.close()


def test_excluded_files_are_not_indexed(ghostfill: RunCli, project: Path) -> None:
    """By the user's setting, and by the workspace's own file."""
    (project / ".ghostfill.toml").write_text('[privacy]\nexclude = ["pkg/"]\n')

    report = json.loads(ghostfill("index", "--json", cwd=project).stdout)

    assert report["files"] == 2
    assert b"def b" not in Path(report["database"]).read_bytes()


def test_an_empty_folder_is_no_failure(ghostfill: RunCli, tmp_path: Path) -> None:
    done = ghostfill("index", cwd=tmp_path)

    assert done.returncode == 0
    assert "0 files indexed" in done.stdout


def test_a_path_that_is_not_there_fails_with_a_sentence(ghostfill: RunCli, tmp_path: Path) -> None:
    done = ghostfill("index", "nowhere", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere does not exist" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--fly"], ["one", "two"]])
def test_wrong_use_ends_with_2(ghostfill: RunCli, arguments: list[str]) -> None:
    done = ghostfill("index", *arguments)

    assert done.returncode == 2
    assert "usage: ghostfill index" in done.stderr


def test_a_cache_that_cannot_be_written_is_said_and_the_rest_is_done(
    home: Home, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "no_folder").write_text("")

    done = home.run("index", "--json", cwd=project, XDG_CACHE_HOME=str(tmp_path / "no_folder"))

    assert done.returncode == 0
    assert json.loads(done.stdout)["parsed"] == 3
    assert "facts are not kept" in done.stderr
