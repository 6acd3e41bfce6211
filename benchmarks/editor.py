"""An editor without a screen: speaks LSP to a real server over stdio, types, and asks for ghost text."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self


class Editor:
    """One server process with one open document; one request at a time."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        command = [sys.executable, "-P", "-m", "lsp_server", "serve"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._ids = itertools.count(1)
        self._versions = itertools.count(1)
        self._uri = ""
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *rest: object) -> None:
        if error is None:
            self.request("shutdown", None)
            self.notify("exit", None)
            self.process.wait(10)
        else:
            self.process.kill()

    def initialize(self, workspace: Path, options: Mapping[str, Any]) -> None:
        """The handshake."""
        params = {
            "processId": os.getpid(),
            "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
            "workspaceFolders": [{"uri": workspace.as_uri(), "name": workspace.name}],
            "initializationOptions": options,
        }
        self.request("initialize", params)
        self.notify("initialized", {})

    def open(self, path: Path, text: str) -> None:
        """Open a Python file with the text of the editor's buffer."""
        self._uri, self._text = path.as_uri(), text
        document = {"uri": self._uri, "languageId": "python", "version": 0, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def insert(self, offset: int, text: str) -> None:
        """Type `text` at an offset of code points."""
        at = self._position(offset)
        self._text = self._text[:offset] + text + self._text[offset:]
        changes = [{"range": {"start": at, "end": at}, "text": text}]
        document = {"uri": self._uri, "version": next(self._versions)}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ghost_text(self, offset: int, *, invoked: bool = False) -> str:
        """What is offered at an offset; empty if nothing is."""
        params = {
            "textDocument": {"uri": self._uri},
            "position": self._position(offset),
            "context": {"triggerKind": 1 if invoked else 2},
        }
        items = self.request("textDocument/inlineCompletion", params)["items"]
        return str(items[0]["insertText"]) if items else ""

    def request(self, method: str, params: Any) -> Any:
        """The result of a request; raises RuntimeError on an error."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message.get("result")
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": None})

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _position(self, offset: int) -> dict[str, int]:
        before = self._text[:offset]
        return {"line": before.count("\n"), "character": offset - (before.rfind("\n") + 1)}

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise RuntimeError("the server has ended")
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message
