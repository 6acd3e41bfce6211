"""Exit statuses: 0 done, 1 the job failed, 2 wrong use; never a traceback."""

import argparse
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from cli_home import Home, RunCli
from engine.__main__ import parser
from lsp_server.cli import complete, main


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no command"),
        pytest.param(["fly"], id="an unknown command"),
        pytest.param(["--fly"], id="an unknown flag"),
        pytest.param(["complete"], id="no place"),
        pytest.param(["complete", "main.py"], id="a file is no place"),
        pytest.param(["complete", "main.py:1"], id="a line is no place"),
        pytest.param(["complete", "main.py:one:2"], id="a word is no line"),
        pytest.param(["context"], id="no file"),
        pytest.param(["doctor", "now"], id="too many arguments"),
        pytest.param(["serve", "--tcp", "http"], id="a word is no port"),
        pytest.param(["engine", "--dtype", "int3"], id="an unknown dtype"),
    ],
)
def test_wrong_use_ends_with_2_and_says_how_to_use_it(ghostfill: RunCli, arguments: list[str]) -> None:
    done = ghostfill(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage: ghostfill" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], *([name, "--help"] for name in main.COMMANDS)]
)
def test_asking_for_help_is_no_failure(ghostfill: RunCli, arguments: list[str]) -> None:
    done = ghostfill(*arguments)

    assert (done.returncode, done.stderr) == (0, "")
    assert "ghostfill" in done.stdout


@pytest.mark.parametrize(
    ("place", "message"),
    [
        pytest.param("none.py:1:1", "none.py does not exist", id="missing"),
        pytest.param("folder:1:1", "folder is not a file", id="a folder"),
        pytest.param("image.py:1:1", "image.py is a binary file", id="binary"),
        pytest.param("two.py:3:1", "two.py has 2 lines: there is no line 3", id="below the text"),
        pytest.param("two.py:0:1", "there is no line 0", id="above the text"),
        pytest.param("two.py:1:7", "columns 1 to 6", id="right of the line"),
        pytest.param("two.py:1:0", "there is no column 0", id="left of the line"),
        pytest.param(".env:1:1", ".env is private", id="secrets"),
    ],
)
@pytest.mark.parametrize("command", ["complete", "context"])
def test_a_place_that_is_none_fails_with_a_sentence(
    ghostfill: RunCli, tmp_path: Path, command: str, place: str, message: str
) -> None:
    """Before any engine is started."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "image.py").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "two.py").write_text("a = 1\nb = 2")
    (tmp_path / ".env").write_text("TOKEN=1")

    done = ghostfill(command, place, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.startswith("ghostfill: ")
    assert done.stderr.count("\n") == 1


def test_a_model_that_is_not_there_fails_with_what_to_do(home: Home, kelvin: Path) -> None:
    home.config.parent.mkdir(parents=True, exist_ok=True)
    home.config.write_text('model = "/no/such/model"\n')
    try:
        done = home.run("complete", "main.py:6:24", cwd=kelvin)
    finally:
        home.config.unlink()

    assert done.returncode == 1
    assert "/no/such/model does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_paths_of_the_engine_are_meant_from_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub id is no path."""
    seen: list[argparse.Namespace] = []
    monkeypatch.setattr("engine.__main__.main", lambda argv: seen.append(parser().parse_args(argv)) or 0)

    written = ["engine", "--socket", "s.sock", "--api-key-file=key", "--idle-minutes", "1"]
    assert main.run([*written, "--model", "./model"], "/somewhere") == 0
    assert main.run([*written, "--model", "owner/model"], "/somewhere") == 0

    assert [options.model for options in seen] == ["/somewhere/model", "owner/model"]
    assert {str(options.socket) for options in seen} == {"/somewhere/s.sock"}
    assert {str(options.api_key_file) for options in seen} == {"/somewhere/key"}
    assert {options.idle_minutes for options in seen} == {1.0}


def test_a_reader_that_has_enough_hears_no_complaint(home: Home, kelvin: Path) -> None:
    """As with `ghostfill context main.py | head -1`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(
            home.command("context", "main.py", "--json"),
            cwd=kelvin,
            env=home.environment(),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert (done.returncode, done.stderr) == (1, "")


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """With the status that shells give to it."""

    def interrupted(argv: list[str], cwd: Path) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(complete, "run", interrupted)

    assert main.run(["complete", "a.py:1:1"], "/") == 128 + signal.SIGINT
    assert capfd.readouterr() == ("", "")


def test_context_starts_no_engine(home: Home, kelvin: Path) -> None:
    """And needs neither torch nor weights to count tokens."""
    quiet = home.folder / "quiet"

    done = home.run("context", "main.py:6:24", "--json", cwd=kelvin, GHOSTFILL_RUNTIME_DIR=str(quiet))

    assert (done.returncode, json.loads(done.stdout)["is_engine_running"]) == (0, False)
    assert list(quiet.iterdir()) == []
