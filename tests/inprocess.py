"""A client and the real server in one event loop, with a backend of the test's choice.

For tests of what a user sees; the same messages over real pipes are in tests/lsp_server/test_stdio*.py.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from engine.backends.base import Backend
from lsp_server.server import GhostfillServer, create_server
from marked import hole

TIMEOUT_SECONDS = 20


class Client:
    """An editor with one workspace; answers the server's own requests with nothing."""

    def __init__(self, server: GhostfillServer) -> None:
        self.server = server
        self.notifications: list[tuple[str, Any]] = []
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._buffers: dict[str, str] = {}
        self._cursors: dict[str, int] = {}
        """How many characters stand behind the cursor."""
        self._versions = itertools.count(1)
        self.configuration: Any = None
        server.protocol.set_writer(self)

    def write(self, data: bytes) -> None:
        """What the server sends, one message a call."""
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            future = self._waiting.pop(message["id"])
            future.get_loop().call_soon_threadsafe(future.set_result, message)
        elif "id" in message:
            result = [self.configuration] if message["method"] == "workspace/configuration" else None
            self._receive({"id": message["id"], "result": result})
        else:
            self.notifications.append((message["method"], message.get("params")))

    @property
    def shown(self) -> list[str]:
        """The messages shown to the user so far."""
        return [params["message"] for method, params in self.notifications if method == "window/showMessage"]

    def notify(self, method: str, params: Any) -> None:
        self._receive({"method": method, "params": params})

    def send(self, method: str, params: Any) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """A request under way: its id and its whole answer to come."""
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        future = self._waiting[number]
        self._receive({"id": number, "method": method, "params": params})
        return number, future

    async def request(self, method: str, params: Any) -> Any:
        """The result of a request; fails on an error."""
        answer = await asyncio.wait_for(self.send(method, params)[1], TIMEOUT_SECONDS)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path, text: str | None = None) -> None:
        """Open a file as the editor would."""
        uri = path.as_uri()
        self._buffers[uri] = path.read_text(encoding="utf-8") if text is None else text
        document = {"uri": uri, "languageId": "python", "version": 0, "text": self._buffers[uri]}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, path: Path, text: str) -> None:
        """Type at the end of the buffer, in one edit."""
        self._change(path.as_uri(), self._buffers[path.as_uri()] + text)

    def put(self, path: Path, marked: str) -> None:
        """Make the buffer this text, in one edit; the cursor is where `|` is written."""
        place = hole(marked)
        self._cursors[path.as_uri()] = len(place.text) - place.offset
        self._change(path.as_uri(), place.text)

    def _change(self, uri: str, text: str) -> None:
        self._buffers[uri] = text
        changes = [{"text": text}]
        document = {"uri": uri, "version": next(self._versions)}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def ask(self, path: Path, trigger: int = 2, **context: Any) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """Ask for an inline completion at the cursor, by default the end of the buffer; trigger 1 is invoked,
        2 automatic.
        """
        text = self._buffers[path.as_uri()]
        lines = text[: len(text) - self._cursors.get(path.as_uri(), 0)].split("\n")
        units = len(lines[-1].encode("utf-16-le")) // 2
        params = {
            "textDocument": {"uri": path.as_uri()},
            "position": {"line": len(lines) - 1, "character": units},
            "context": {"triggerKind": trigger, **context},
        }
        return self.send("textDocument/inlineCompletion", params)

    async def ghost_text(self, path: Path, trigger: int = 2) -> str:
        """The text offered at the end of the buffer; empty if none is."""
        answer = await asyncio.wait_for(self.ask(path, trigger)[1], TIMEOUT_SECONDS)
        items = answer["result"]["items"]
        return str(items[0]["insertText"]) if items else ""

    def _receive(self, message: dict[str, Any]) -> None:
        self.server.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())


@asynccontextmanager
async def connected(
    backend: Backend, workspace: Path, /, options: dict[str, Any] | None = None, **capabilities: Any
) -> AsyncIterator[Client]:
    """A client that has initialized the server, whose engine is up and whose workspace is indexed."""
    with patch("lsp_server.session.backend_for", lambda settings: backend):
        client = Client(create_server())
        await client.request(
            "initialize",
            {
                "processId": None,
                "capabilities": capabilities,
                "workspaceFolders": [{"uri": workspace.as_uri(), "name": workspace.name}],
                "initializationOptions": options or {},
            },
        )
    client.notify("initialized", {})
    session = client.server.session
    await session.link.info(wait=True)
    assert await asyncio.to_thread(session.context.wait_ready, TIMEOUT_SECONDS)
    try:
        yield client
    finally:
        await client.request("shutdown", None)
