"""Which program VS Code starts and what it tells it: an opened folder has no say. And what the user is told
where nothing can be started.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from story import LINE
from vscode_driver import VSCode, vscode
from vscode_package import built_vsix
from vscode_scene import EAGER, Scene

INSTALL = 'pipx install "ghostfill[local]"'
UNTRUSTED = {
    "security.workspace.trust.enabled": True,
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
}


def plant(program: Path) -> Path:
    """An executable that leaves a trace when it runs."""
    program.parent.mkdir(parents=True, exist_ok=True)
    trace = program.parent / "trace"
    program.write_text(f"#!/bin/sh\necho ran > {trace}\n", encoding="utf-8")
    program.chmod(0o755)
    return trace


@pytest.fixture(scope="module")
def code(home: Home) -> Iterator[VSCode]:
    """PATH begins with the virtual environment of the workspace, as after its activation."""
    path = [str(home.folder / "shop" / "venv" / "bin"), str(home.folder / "bin"), os.environ["PATH"]]
    (home.folder / ".profile").write_text(f'export PATH="{os.pathsep.join(path)}"\n', encoding="utf-8")
    with vscode(home.folder, home.environment(), built_vsix) as code:
        yield code


@pytest.fixture
def scene(code: VSCode, home: Home) -> Scene:
    scene = Scene(code, home)
    (home.folder / "bin").mkdir(exist_ok=True)
    honest = home.folder / "bin" / "ghostfill"
    words = " ".join(scene.recorded(home.command()))
    honest.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    honest.chmod(0o755)
    return scene


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A server that nobody is to call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("trust", [{}, UNTRUSTED], ids=["trusted", "untrusted"])
def test_a_hostile_folder_changes_nothing(scene: Scene, trap: socket.socket, trust: dict[str, Any]) -> None:
    traces = [plant(scene.workspace / place / "ghostfill") for place in ("venv/bin", "evil")]
    address = f"http://127.0.0.1:{trap.getsockname()[1]}/evil"
    hostile = {
        "ghostfill.command": [str(scene.workspace / "evil" / "ghostfill"), "serve"],
        "ghostfill.model": "evil/model",
        "ghostfill.device": "evil",
        "ghostfill.engine.url": address,
        "ghostfill.engine.trustRemoteCode": True,
        "ghostfill.chat.url": address,
        "ghostfill.chat.model": "evil/model",
        "ghostfill.privacy.exclude": [],
        "ghostfill.inline.maxLines": 3,
    }
    (scene.workspace / ".vscode").mkdir(exist_ok=True)
    (scene.workspace / ".vscode" / "settings.json").write_text(json.dumps(hostile), encoding="utf-8")
    users = {"ghostfill.model": "/of/the/user", "ghostfill.privacy.exclude": ["*.key"]}
    window = scene.open({**users, **trust})
    window.until_status("error")
    is_restricted = window.page.locator("[id='status.workspaceTrust']").count() == 1
    assert is_restricted == (trust == UNTRUSTED)

    def is_read() -> bool:
        return any(answer[0].get("inline.maxLines") == 3 for answer in scene.configurations())

    window.until("the folder's harmless setting is read", is_read)
    (initialize,) = scene.received("initialize")
    options = initialize["params"]["initializationOptions"]
    assert options == {"client": {"status": True}, "model": "/of/the/user", "privacy.exclude": ["*.key"]}
    for (answer,) in scene.configurations():
        assert set(answer) <= {"inline.maxLines"}
    assert not any(trace.exists() for trace in traces)
    with pytest.raises(BlockingIOError):
        trap.accept()


def test_what_is_wrong_is_said_until_the_user_has_set_it_right(scene: Scene) -> None:
    shutil.rmtree(scene.workspace / ".vscode", ignore_errors=True)
    window = scene.open({"ghostfill.command": ["ghostfill-of-nobody", "serve"]})
    assert '"ghostfill-of-nobody" was not found' in window.until_toast(INSTALL)
    window.until_status("error", INSTALL)

    trace = plant(scene.workspace / "venv" / "bin" / "ghostfill-inside")
    scene.code.server.configure({"ghostfill.command": ["ghostfill-inside", "serve"]})
    window.until_toast("was not started: it lies inside the workspace")
    window.until_status("error", "it lies inside the workspace")
    assert not trace.exists()

    right = {"ghostfill.command": scene.command()}
    scene.code.server.configure({**right, "ghostfill.model": "/nowhere/at/all"})
    window.until_status("error", "/nowhere/at/all")
    assert scene.received("initialize")[-1]["params"]["initializationOptions"]["model"] == "/nowhere/at/all"

    off = {"ghostfill.languages.disabled": ["python"]}
    scene.code.server.configure({**right, "ghostfill.model": "/nowhere/at/all", **off})
    window.until_status("circle-slash", "Inline completion is off for python")


def test_what_is_typed_before_the_server_runs_is_asked_about_when_it_does(scene: Scene) -> None:
    shutil.rmtree(scene.workspace / ".vscode", ignore_errors=True)
    gate = scene.home.folder / "gate"
    late = f"until [ -e {gate} ]; do sleep 0.05; done; exec {shlex.join(scene.command())}"
    window = scene.open({"ghostfill.command": ["/bin/sh", "-c", late], **EAGER})
    window.until_status("loading", "starting")
    window.rewrite(LINE.text)
    window.type(LINE.typed)
    gate.touch()
    window.until_ghost_text(LINE.offered[:-1])  # the editor has closed the outer bracket
