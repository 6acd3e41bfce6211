"""What the VS Code tests share: a VS Code with our extension, and windows on a small workspace with the real
server behind a recorder. A test module imports the fixture `code`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import story
from cli_home import Home
from vscode_driver import VSCode, vscode
from vscode_package import built_vsix
from vscode_window import Window

RECORDER = Path(__file__).parent / "record_lsp.py"
EAGER = {"ghostfill.inline.minConfidence": 0, "ghostfill.inline.debounceMs": 0}
"""So that the built-in model says what it thinks, wherever it is asked."""
INLINE = "textDocument/inlineCompletion"
AUTOMATIC = 2
"""A `CodeActionTriggerKind`."""


class Scene:
    """A workspace, and what its editor and the server have said to each other."""

    def __init__(self, code: VSCode, home: Home, name: str = "shop") -> None:
        self.code = code
        self.home = home
        self.workspace = home.folder / name
        self.main = story.write_workspace(self.workspace, story.LINE.text)
        self.record = home.folder / f"{name}.jsonl"

    def command(self) -> list[str]:
        """The real server behind the recorder."""
        return self.recorded(self.home.command("serve"))

    def recorded(self, command: list[str]) -> list[str]:
        """Any server behind the recorder."""
        return [sys.executable, str(RECORDER), str(self.record), *command]

    def open(self, settings: Mapping[str, Any] | None = None, **size: int) -> Window:
        """A window on main.py; without `settings` the user has those of the real server."""
        self.record.unlink(missing_ok=True)
        chosen = {"ghostfill.command": self.command(), **EAGER} if settings is None else settings
        return self.code.open(self.main, chosen, **size)

    def received(self, method: str) -> list[dict[str, Any]]:
        """The messages of one method that the server got, in their order."""
        return [each for each in self._messages("client") if each.get("method") == method]

    def sent(self, method: str) -> list[dict[str, Any]]:
        """Those of one method that it sent."""
        return [each for each in self._messages("server") if each.get("method") == method]

    def answers(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the server answered to a request: one message, if all is well."""
        return [e for e in self._messages("server") if e.get("id") == request["id"] and "method" not in e]

    def newest_request(self, before: str, since: int) -> dict[str, Any] | None:
        """The last request for ghost text, if it is none of the first `since` and is behind such a text."""
        asked = self.received(INLINE)[since:]
        return asked[-1] if asked and asked[-1]["params"]["position"]["character"] == len(before) else None

    def light_bulb(self, window: Window) -> list[str]:
        """What the light bulb's menu offers, once VS Code has looked for actions at the cursor by itself:
        if it does so while the menu is open, what is chosen may be gone ("Actual command not found").
        """
        window.until("VS Code has looked for actions", lambda: self._has_looked(window.cursor_line()))
        return window.code_actions()

    def _has_looked(self, line: int) -> bool:
        methods = ("textDocument/codeAction", "textDocument/didChange")
        messages = [each for each in self._messages("client") if each.get("method") in methods]
        if not messages or messages[-1]["method"] != methods[0]:
            return False
        params = messages[-1]["params"]
        is_here = params["range"]["start"]["line"] == line and params["context"]["triggerKind"] == AUTOMATIC
        return is_here and bool(self.answers(messages[-1]))

    def cancelled(self) -> list[Any]:
        """The ids of the requests that the editor has cancelled."""
        return [message["params"]["id"] for message in self.received("$/cancelRequest")]

    def commands(self, name: str) -> list[Any]:
        """The arguments of each time a command was run by the server."""
        params = [message["params"] for message in self.received("workspace/executeCommand")]
        return [each["arguments"] for each in params if each["command"] == name]

    def configurations(self) -> list[Any]:
        """What the editor answered when the server asked for its settings."""
        asked = {message["id"] for message in self.sent("workspace/configuration")}
        answers = [e for e in self._messages("client") if e.get("id") in asked and "method" not in e]
        return [answer["result"] for answer in answers]

    def _messages(self, side: str) -> Iterator[dict[str, Any]]:
        if self.record.exists():
            whole_lines = self.record.read_text(encoding="utf-8").rpartition("\n")[0]
            for entry in map(json.loads, whole_lines.splitlines()):
                if entry["from"] == side:
                    yield entry["message"]


@pytest.fixture(name="code", scope="module")
def code_fixture(home: Home) -> Iterator[VSCode]:
    with vscode(home.folder, home.environment(), built_vsix) as code:
        yield code
