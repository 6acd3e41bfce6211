"""The doctor finds what stops completions and says what to do about it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from engine import launch
from engine.launch import EngineSpec
from engine_checkpoints import make_llama
from lsp_server.cli import machine_checks, main
from lsp_server.cli.check import Check, State
from lsp_server.cli.engine_checks import check_local_engine, check_model
from lsp_server.cli.machine_checks import check_local_extra, check_torch


@pytest.fixture
def here(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """This very process in a home of its own."""
    for variable, value in home.environment().items():
        monkeypatch.setenv(variable, value)
    return home


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit status and findings by name."""
    status = main.run(["doctor", "--json"], "/")
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (status == 0)
    return status, {check["name"]: check for check in report["checks"]}


def test_a_sound_installation_is_well(home: Home) -> None:
    """From the command line, with everything looked at."""
    done = home.run("doctor", "--json")

    report = json.loads(done.stdout)
    names = [check["name"] for check in report["checks"]]
    assert (done.returncode, report["ok"], done.stderr) == (0, True, "")
    assert {"python", "packages", "extra local", "torch", "device", "model", "largest model"} <= set(names)
    assert {"runtime folder", "engine", "log", "settings", "grammars"} <= set(names)
    assert not [check for check in report["checks"] if check["state"] == "problem"]


def test_the_doctor_starts_nothing(home: Home) -> None:
    home.run("doctor")

    assert home.engine_pids() == []


def test_the_doctor_prints_a_line_for_each_finding(home: Home) -> None:
    done = home.run("doctor")

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "Completions can be made." in done.stdout


def test_a_missing_extra_is_a_problem_with_what_to_install(
    here: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launch, "LOCAL_EXTRA", (*launch.LOCAL_EXTRA, "no_such_package"))

    status, checks = examine(capsys)

    assert status == 1
    assert checks["extra local"]["state"] == "problem"
    assert checks["extra local"]["facts"]["missing"] == ["no_such_package"]
    assert 'pip install "ghostfill[local]"' in checks["extra local"]["advice"]


def test_with_a_remote_engine_the_extra_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "LOCAL_EXTRA", ("no_such_package",))

    assert check_local_extra(is_needed=False).state is State.OK


def test_a_remote_engine_that_does_not_answer_is_a_problem(
    here: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with user_settings(here, '[engine]\nurl = "http://127.0.0.1:9"\n'):
        status, checks = examine(capsys)

    assert status == 1
    assert checks["engine"]["state"] == "problem"
    assert "http://127.0.0.1:9" in checks["engine"]["message"]


def test_a_torch_that_cannot_be_imported_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks in a child process, and its last words are told."""
    monkeypatch.setattr(machine_checks, "TORCH_PROBE", "raise ImportError('libcudart.so.13 is missing')")

    (check,) = check_torch(is_needed=True)

    assert check.state is State.PROBLEM
    assert "libcudart.so.13 is missing" in check.message


def test_a_torch_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*args: Any, **kwargs: Any) -> Any:
        raise subprocess.TimeoutExpired("python", 1)

    monkeypatch.setattr(machine_checks.subprocess, "run", hang)

    (check,) = check_torch(is_needed=True)

    assert check.state is State.PROBLEM


def test_a_gpu_is_told_by_name_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = {"name": "H200", "total_gib": 139.8, "free_gib": 120.5, "capability": [9, 0], "bf16": True}
    probe = {"torch": "2.13.0", "cuda": "13.0", "devices": [gpu], "mps": False, "threads": 16}
    monkeypatch.setattr(machine_checks, "probe_torch", lambda: probe)

    _, device = check_torch(is_needed=True)

    assert (device.state, device.message) == (State.OK, "H200, 120.5 of 139.8 GiB free")


@pytest.mark.parametrize(
    ("files", "state"),
    [
        pytest.param(None, State.PROBLEM, id="no folder"),
        pytest.param({}, State.PROBLEM, id="an empty folder"),
        pytest.param({"config.json": "{"}, State.PROBLEM, id="a broken config"),
    ],
)
def test_a_model_that_is_not_whole_is_a_problem(
    tmp_path: Path, files: dict[str, str] | None, state: State
) -> None:
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)

    check = check_model(EngineSpec(model=str(folder)))

    assert check.state is state
    assert str(folder) in check.advice


def test_a_model_that_was_not_downloaded_says_how_to_get_it() -> None:
    check = check_model(EngineSpec(model="nobody/nothing"))

    assert check.state is State.PROBLEM
    assert "run 'ghostfill pull nobody/nothing'" in check.advice


def test_a_quantised_checkpoint_without_its_packages_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = make_llama(tmp_path / "model", quantization_config={"quant_method": "awq"})
    monkeypatch.setattr("engine.checkpoint_kinds.PACKAGES", {"awq": {"no_such_package": "no-such-package"}})

    check = check_model(EngineSpec(model=str(folder)))

    assert check.state is State.PROBLEM
    assert 'pip install "ghostfill[local]" no-such-package' in check.advice


def test_the_last_lines_of_a_failed_engine_are_shown(here: Home) -> None:
    spec = EngineSpec(device="cuda:7")
    log = spec.files().log
    log.write_text("2024 INFO start\n2024 ERROR ghostfill.engine: there is no cuda:7\n")

    found = by_name(check_local_engine(spec))

    assert found["engine"].state is State.OK
    assert found["log"].state is State.WARNING
    assert "there is no cuda:7" in found["log"].advice


def test_a_log_of_a_good_run_is_not_shown(here: Home) -> None:
    spec = EngineSpec(device="cuda:8")
    spec.files().log.write_text("2024 INFO ghostfill.engine: no request for 30 minutes: leaving\n")

    assert by_name(check_local_engine(spec))["log"].state is State.OK


def test_a_runtime_folder_too_long_for_a_socket_is_a_problem(
    here: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / ("x" * 100)))

    (check,) = check_local_engine(EngineSpec())

    assert check.state is State.PROBLEM
    assert "GHOSTFILL_RUNTIME_DIR" in check.advice


def test_a_wrong_setting_is_a_warning(here: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest of the file still applies."""
    with user_settings(here, 'modle = "builtin"\n'):
        status, checks = examine(capsys)

    assert status == 0
    assert checks["settings"]["state"] == "warning"
    assert "modle" in checks["settings"]["message"]


def by_name(checks: Iterator[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


class user_settings:  # noqa: N801 - reads as a statement
    """The user's file, for a block."""

    def __init__(self, home: Home, text: str) -> None:
        self._file, self._text = home.config, text

    def __enter__(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(self._text)

    def __exit__(self, *_: object) -> None:
        self._file.unlink()


def test_every_grammar_is_tried() -> None:
    found = machine_checks.check_grammars()

    assert found.state is State.OK
    assert found.message == "javascript, python, typescript, typescriptreact"


def test_a_grammar_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_javascript", None)
    monkeypatch.setattr("tree_sitter_typescript.language_tsx", lambda: 1)

    found = machine_checks.check_grammars()

    assert found.state is State.PROBLEM
    assert found.facts["failed"].keys() == {"javascript", "typescriptreact"}
    assert "tree-sitter tree-sitter-javascript tree-sitter-typescript" in found.advice
