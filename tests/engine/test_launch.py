"""Starting an engine: its command, its environment, its log. No process is started."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine import launch
from engine.errors import EngineUnavailableError
from engine.launch import EngineSpec

SPEC = EngineSpec(device="cpu", dtype="float32")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))


def test_the_child_imports_nothing_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONUSERBASE"):
        monkeypatch.setenv(name, "/opened/workspace")

    environment = launch.child_environment()

    assert "/opened/workspace" not in environment.values()
    assert environment["PYTHONSAFEPATH"] == "1"
    home = str(Path(launch.__file__).resolve().parent.parent)
    assert environment.get("PYTHONPATH", home) == home


def test_all_of_the_spec_becomes_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.__main__ import parser

    commands: list[list[str]] = []

    class Popen:
        def __init__(self, command: list[str], **options: Any) -> None:
            commands.append(command)
            assert options["start_new_session"]
            assert options["cwd"] == SPEC.files().folder

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(subprocess, "Popen", Popen)
    spec = EngineSpec("/m", "cuda:1", "float16", "builtin", 1.5, 2.5, trust_remote_code=True, quantize="int8")

    launch.start_engine(spec)

    (command,) = commands
    assert command[1:4] == ["-P", "-m", "engine"]
    flags = vars(parser().parse_args(command[4:]))
    expected = {
        "model": "/m",
        "device": "cuda:1",
        "dtype": "float16",
        "fim_format": "builtin",
        "idle_minutes": 1.5,
        "memory_gb": 2.5,
        "trust_remote_code": True,
        "quantize": "int8",
    }
    assert flags | expected == flags


def test_a_program_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")

    with pytest.raises(EngineUnavailableError, match=r"cannot be started: .*No such file"):
        launch.start_engine(SPEC)


def test_a_large_log_is_rotated_before_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    log = SPEC.files().log
    log.write_bytes(b"x" * (launch.MAX_LOG_BYTES + 1))

    with pytest.raises(EngineUnavailableError):
        launch.start_engine(SPEC)

    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == launch.MAX_LOG_BYTES + 1


def test_the_last_words_of_no_log_and_of_a_binary_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff" * 9000 + b"\nlast \xff words\n\n")

    assert launch.last_words(tmp_path / "none") == ""
    assert launch.last_words(tmp_path / "log") == "last \ufffd words"
