"""The runtime folder is the user's alone, and an engine's files are named by what makes engines different."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.build import build_id
from engine.errors import EngineUnavailableError
from engine.runtime_dir import MAX_SOCKET_PATH, EngineFiles, runtime_dir, state_dir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that GHOSTFILL_RUNTIME_DIR names; not made yet."""
    folder = tmp_path / "deep" / "run"
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(folder))
    return folder


def test_a_named_folder_is_made_private(named: Path) -> None:
    assert runtime_dir() == named
    assert mode(named) == 0o700


@pytest.mark.parametrize("open_mode", [0o777, 0o755, 0o750, 0o701])
def test_an_open_folder_is_closed(named: Path, open_mode: int) -> None:
    named.mkdir(parents=True)
    named.chmod(open_mode)
    (named / "ours.log").touch()

    runtime_dir()

    assert mode(named) == 0o700


def test_a_folder_that_was_open_and_holds_anothers_file_is_refused(
    named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be a socket that answers in our engine's name."""
    named.mkdir(parents=True)
    named.chmod(0o777)
    (named / "key.sock").touch()
    monkeypatch.setattr(Path, "lstat", lambda _: SimpleNamespace(st_uid=os.getuid() + 1))

    with pytest.raises(EngineUnavailableError, match="holds files of another user: empty it"):
        runtime_dir()


def test_a_folder_of_another_user_is_refused(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named.mkdir(parents=True)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)

    with pytest.raises(EngineUnavailableError, match="belongs to another user; set GHOSTFILL_RUNTIME_DIR"):
        runtime_dir()


def test_a_file_in_the_folders_place_is_refused(named: Path) -> None:
    named.parent.mkdir()
    named.touch()

    with pytest.raises(EngineUnavailableError, match=r"cannot be used \(File exists\); set GHOSTFILL_RUN"):
        runtime_dir()


def test_without_a_name_it_lies_in_the_session_or_else_in_the_users_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = tmp_path / "session"
    session.mkdir(mode=0o700)
    monkeypatch.delenv("GHOSTFILL_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    assert runtime_dir() == session / "ghostfill"

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert runtime_dir() == state_dir() / "run"
    assert state_dir().is_relative_to(tmp_path)
    assert mode(state_dir()) == 0o700


IDENTITY = {"model": "builtin", "device": "auto", "dtype": "auto", "fim_format": "auto", "quantize": None}


@pytest.mark.parametrize(
    "change",
    [{"model": "m"}, {"device": "cpu"}, {"dtype": "float32"}, {"fim_format": "x"}, {"quantize": "int8"}],
)
def test_engines_that_differ_have_different_files(tmp_path: Path, change: dict[str, str]) -> None:
    assert EngineFiles.of(tmp_path, **IDENTITY) != EngineFiles.of(tmp_path, **IDENTITY | change)


def test_engines_of_different_builds_have_different_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = EngineFiles.of(tmp_path, **IDENTITY)
    assert ours == EngineFiles.of(tmp_path, **IDENTITY)
    monkeypatch.setattr("engine.runtime_dir.build_id", lambda: build_id() + "x")

    assert EngineFiles.of(tmp_path, **IDENTITY) != ours


def test_socket_lock_and_log_lie_in_the_folder(tmp_path: Path) -> None:
    files = EngineFiles(Path("/r"), "0123")

    assert [str(path) for path in (files.socket, files.lock, files.log)] == [
        "/r/0123.sock",
        "/r/0123.lock",
        "/r/0123.log",
    ]


def test_a_path_too_long_for_a_socket_is_refused_with_the_remedy() -> None:
    files = EngineFiles.of(Path("/" + "r" * MAX_SOCKET_PATH), **IDENTITY)

    with pytest.raises(
        EngineUnavailableError, match="too long for a socket; set GHOSTFILL_RUNTIME_DIR to a short"
    ):
        _ = files.socket


def test_the_length_is_counted_in_bytes() -> None:
    folder = Path("/" + "ü" * (MAX_SOCKET_PATH // 2 - 5))

    with pytest.raises(EngineUnavailableError, match="too long"):
        _ = EngineFiles.of(folder, **IDENTITY).socket
