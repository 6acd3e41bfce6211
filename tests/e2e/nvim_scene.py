"""What the Neovim tests share: a workspace, a scripted server or the real one, an editor on them, and the
fixture `scene`, for which a test module imports `either_fixture`: each test runs in the newer one too."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nvim_driver import Editor
from nvim_newer import BOTH, require_either

REPO = Path(__file__).parents[2]
FAKE = REPO / "tests" / "fake_lsp_server.py"
SERVE = REPO / "tests" / "e2e" / "nvim_serve.py"
COMMAND, CANCEL = "workspace/executeCommand", "$/cancelRequest"
TEXT = "x = 1\ny = z\nprint(y)\n"
IS_FLOAT = "return vim.api.nvim_win_get_config(0).relative ~= ''"
FIND = "vim.diagnostic.set(vim.api.nvim_create_namespace('checker'), 0, ...)"


def accepted(number: int = 1) -> dict[str, Any]:
    """The command of a completion."""
    return {"title": "accepted", "command": "ghostfill.accepted", "arguments": [{"id": f"c{number}"}]}


def rule(before: str, *texts: Any, hold: bool = False, **item: Any) -> dict[str, Any]:
    """Offer `texts` where the line up to the cursor ends with `before`."""
    items = [
        {"insertText": text, "command": accepted(number), **item}
        for number, text in enumerate(texts, start=1)
    ]
    return {"before": before, "items": items, "hold": hold}


def span(first: int, last: int, line: int = 0) -> dict[str, Any]:
    """A range on one line."""
    return {"start": {"line": line, "character": first}, "end": {"line": line, "character": last}}


class Scene:
    """A workspace, a server and an editor on them."""

    def __init__(self, folder: Path, program: str) -> None:
        self.program = program
        self.workspace = folder / "work"
        self.home = folder / "home"
        self.record = folder / "record.jsonl"
        self.script = folder / "script.json"
        (self.workspace / ".git").mkdir(parents=True)
        self.editors: list[Editor] = []

    def command(self) -> list[str]:
        """The scripted server."""
        return [sys.executable, str(FAKE), str(self.script), str(self.record)]

    def open(
        self, rules: list[dict[str, Any]], text: str = "", *, setup: str = "", before: str = "", **script: Any
    ) -> Editor:
        """An editor on main.py and the scripted server; `setup` is more of setup()'s table, `before` Lua that
        runs first.
        """
        self.script.write_text(json.dumps({"rules": rules, **script}), encoding="utf-8")
        return self._set_up(self.command(), text, setup, before)

    def serve(
        self, says: dict[str, list[str]], text: str = "", *, setup: str = "", before: str = ""
    ) -> Editor:
        """An editor on main.py and the real server; `says` is what its engine says behind each line."""
        self.script.write_text(json.dumps(says), encoding="utf-8")
        setup = f"settings = {{ inline = {{ debounceMs = 0, minConfidence = 0 }} }}, {setup}"
        editor = self._set_up([sys.executable, str(SERVE), str(self.script)], text, setup, before)
        editor.until("the engine is there", lambda: "fake" in editor.command("GhostfillStatus"))
        return editor

    def _set_up(self, command: list[str], text: str, setup: str, before: str) -> Editor:
        lua = "{'" + "', '".join(command) + "'}"
        return self.start(f"{before}\nrequire('ghostfill').setup({{ command = {lua}, {setup} }})", text)

    def start(self, init: str, text: str = "") -> Editor:
        main = self.workspace / "main.py"
        main.write_text(text, encoding="utf-8")
        editor = Editor(self.workspace, init, self.program)
        self.editors.append(editor)
        editor.edit(main)
        return editor

    def received(self, method: str) -> list[Any]:
        """The params of the messages of one method that the server got."""
        if not self.record.exists():
            return []
        whole_lines = self.record.read_text(encoding="utf-8").rpartition("\n")[0]
        messages = [json.loads(line) for line in whole_lines.splitlines()]
        return [message.get("params") for message in messages if message.get("method") == method]

    def ask_server(self, editor: Editor, method: str, params: Any = None) -> None:
        """A request that the scripted server answers after everything it sends because of it."""
        code = """
            local client = (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1]
            local request = client.request_sync
            if vim.fn.has('nvim-0.11') == 1 then return request(client, ...) end
            return request(...)
        """
        editor.lua(code, method, params or {"messages": []}, 10_000, 0)

    def until_answered(self, editor: Editor) -> None:
        """Waits until the server owes nothing."""
        owed = "return vim.tbl_count((vim.lsp.get_clients or vim.lsp.get_active_clients)()[1].requests)"
        editor.until("the server has answered", lambda: editor.lua(owed) == 0)


RETURN = rule("def add(a, b):", "\n    return a + b\n\n\nprint(add(1, 2))")


def opened(scene: Scene, text: str = TEXT, **script: Any) -> Editor:
    """An editor on main.py with this text, which the scripted server has."""
    editor = scene.open([], text, **script)
    editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
    return editor


def floating(editor: Editor, first: str) -> list[str]:
    """The lines of the float, once it begins with this."""
    editor.until("the float is there", lambda: editor.lua(IS_FLOAT) and editor.lines()[0] == first)
    return editor.lines()


def closed(editor: Editor) -> None:
    """Waits until no float is there."""
    editor.until("the float is gone", lambda: not editor.lua(IS_FLOAT))


def asked(scene: Scene) -> dict[str, Any]:
    """The one argument of the one command."""
    (params,) = scene.received(COMMAND)
    (argument,) = params["arguments"]
    return argument


def scene_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> Iterator[Scene]:
    """A scene with a home of its own, until the test ends."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    scene = Scene(tmp_path, program)
    yield scene
    for editor in scene.editors:
        editor.quit()
    shutil.rmtree(scene.home / "run", ignore_errors=True)  # an engine without its socket leaves


@pytest.fixture(name="scene", params=BOTH)
def either_fixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    yield from scene_in(tmp_path, monkeypatch, require_either(request.param))
