"""`ghostfill engine` used wrongly: told on the terminal, status 1, and nothing listens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.launch import EXPECTED_BUILD


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(["--host", "0.0.0.0"], "open to the network: give --api-key-file too", id="open"),
        pytest.param(["--host", "::"], "open to the network: give --api-key-file too", id="open, IPv6"),
        pytest.param(["--host", "example.org"], "open to the network", id="a name"),
        pytest.param(
            ["--host", "127.0.0.1", "--port", "70000"], "cannot listen at 127.0.0.1:70000", id="port"
        ),
        pytest.param(
            ["--host", "127.0.0.1", "--port", "0", "--api-key-file", "none"],
            "cannot be read",
            id="no key file",
        ),
        pytest.param(
            ["--host", "127.0.0.1", "--port", "0", "--api-key-file", "empty"],
            "is empty: put a key",
            id="no key",
        ),
        pytest.param(["--socket", "file.txt"], "file.txt is not a socket: move it away", id="a user's file"),
        pytest.param(["--socket", "s" * 120], "too long for a socket: choose a shorter path", id="long path"),
        pytest.param(["--socket", "no/folder/e.sock"], "cannot lock", id="no such folder"),
    ],
)
def test_a_place_that_cannot_be_listened_at_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("precious")
    (tmp_path / "empty").write_text("\n")

    assert main(flags) == 1

    assert message in capsys.readouterr().err
    assert (tmp_path / "file.txt").read_text() == "precious"


def test_a_runtime_folder_too_long_for_a_socket_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / ("r" * 100)))

    assert main([]) == 1
    assert "too long for a socket; set GHOSTFILL_RUNTIME_DIR to a shorter folder" in capsys.readouterr().err


def test_an_engine_never_asks_the_hub_whatever_its_environment_says() -> None:
    """The hub's client reads the variable when it is first imported: by then it must be set."""
    program = (
        "import sys; from engine.__main__ import main\n"
        "assert 'huggingface_hub' not in sys.modules\n"
        "status = main(['--host', '0.0.0.0'])\n"
        "from huggingface_hub import constants; print(status, constants.is_offline_mode())"
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "0"}

    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)

    assert done.stdout == "1 True\n", done.stderr


def test_an_engine_whose_front_is_of_an_older_build_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(EXPECTED_BUILD, "0.0.1+0")

    assert main([]) == 1
    assert "was updated while it ran: restart the editor's language server" in capsys.readouterr().err


def test_an_engine_without_its_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.launch.LOCAL_EXTRA", ("no_such_package",))

    assert main([]) == 1
    assert 'pip install "ghostfill[local]"' in capsys.readouterr().err
