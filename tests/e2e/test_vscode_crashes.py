"""A server that ends by itself in a real VS Code: started again, given up at last, started when asked."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cli_home import Home
from story import LINE
from vscode_driver import VSCode
from vscode_scene import EAGER, Scene, code_fixture  # noqa: F401  (the fixture)

SHOWN = LINE.offered[:-1]
GIVEN_UP = "times in a row and is not started again"


@pytest.fixture(scope="module")
def scene(code: VSCode, home: Home) -> Scene:
    return Scene(code, home)


def pids(file: Path) -> list[int]:
    """The processes that have been started, the newest last."""
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_a_server_that_is_killed_is_started_again_and_completes(scene: Scene) -> None:
    started = scene.home.folder / "started"
    noted = ["/bin/sh", "-c", f'echo $$ >> {started}; exec "$@"', "sh", *scene.command()]
    window = scene.open({"ghostfill.command": noted, **EAGER})
    window.until_status("sparkle", "builtin")
    (first,) = pids(started)
    os.kill(first, signal.SIGKILL)
    window.until("another one is started", lambda: len(pids(started)) == 2)
    window.until("it is greeted", lambda: len(scene.received("initialize")) == 2)
    window.until_status("sparkle", "builtin")
    assert "ghostfill: starting again" in [item.label for item in window.statuses()]
    window.rewrite(LINE.text)
    window.type(LINE.typed)
    window.until_ghost_text(SHOWN)
    assert window.toasts() == []


def test_one_that_always_ends_is_given_up_and_started_when_the_user_asks(scene: Scene) -> None:
    attempts, repaired = scene.home.folder / "attempts", scene.home.folder / "repaired"
    script = f'echo $$ >> {attempts}; test -e {repaired} || exit 3; exec "$@"'
    window = scene.open({"ghostfill.command": ["/bin/sh", "-c", script, "sh", *scene.command()], **EAGER})
    window.until_toast(GIVEN_UP)
    assert GIVEN_UP in window.until_status("error").label
    assert window.toasts() == [window.status().label]
    num_attempts = len(pids(attempts))
    assert num_attempts > 2
    repaired.touch()
    window.press_button("Try Again")
    window.until_status("sparkle", "builtin")
    assert len(pids(attempts)) == num_attempts + 1
