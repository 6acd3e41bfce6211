"""A language server on stdio that answers from a script: the other side of the editors' tests.

    python fake_lsp_server.py SCRIPT RECORD

SCRIPT is a JSON object: `rules` is a list of `{"before": text, "items": [...], "hold": bool}`; a request is
answered by the first rule whose `before` ends the line up to the cursor, with nothing if there is none.
A held answer is given when `fake/release` is asked, even if the request was cancelled. `die` is a status to
exit with instead of answering `initialize`. `commands` holds the `{"result": ...}` or `{"error": ...}` of
commands, which `"hold": true` holds too. `actions` is the answer to `textDocument/codeAction`, `edit` is what
one is resolved with. RECORD gets every message that arrives, one JSON text per line.
Further requests for tests: `fake/emit` sends the notifications in its params before it answers; `fake/die`
exits. Knows no models and checks nothing; standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, TextIO

JSON = dict[str, Any]


def read_message(stream: BinaryIO) -> JSON | None:
    """The next message; None at the end of the stream."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


class FakeServer:
    """Answers by the rules of `script`, writes what it gets to `record`."""

    def __init__(self, script: JSON, record: TextIO, out: BinaryIO) -> None:
        self.script = script
        self.record = record
        self.out = out
        self.texts: dict[str, str] = {}
        self.held: list[JSON] = []

    def serve(self, stream: BinaryIO) -> None:
        """Answers until the stream ends or `exit` comes."""
        while (message := read_message(stream)) is not None:
            self.record.write(json.dumps(message) + "\n")
            self.record.flush()
            if message.get("method") == "exit":
                return
            self.handle(message)

    def handle(self, message: JSON) -> None:
        """One message; a request without a meaning here is answered with null."""
        params = message.get("params") or {}
        match message.get("method"):
            case "initialize":
                self.answer(message, self.initialize_result())
            case "textDocument/didOpen":
                self.texts[params["textDocument"]["uri"]] = params["textDocument"]["text"]
            case "textDocument/didChange":
                self.texts[params["textDocument"]["uri"]] = params["contentChanges"][-1]["text"]
            case "initialized":  # the real one says something at once, too
                ready = {"kind": "Normal", "busy": False, "message": ""}
                self.send({"method": "didChangeStatus", "params": ready})
            case "textDocument/inlineCompletion":
                self.complete(message, params)
            case "workspace/executeCommand" if params["command"] in self.script.get("commands", {}):
                answer = dict(self.script["commands"][params["command"]])
                is_held = answer.pop("hold", False)
                answer["id"] = message["id"]
                self.held.append(answer) if is_held else self.send(answer)
            case "textDocument/codeAction":
                self.answer(message, self.script.get("actions"))
            case "codeAction/resolve":
                made = {"edit": self.script["edit"]} if "edit" in self.script else {}
                self.answer(message, params | made)
            case str(method) if "id" in message:
                self.obey(method, params)
                self.answer(message, None)

    def obey(self, method: str, params: JSON) -> None:
        """The requests that only tests make."""
        if method == "fake/release":
            for answer in self.held:
                self.send(answer)
            self.held.clear()
        elif method == "fake/emit":
            for notification in params["messages"]:
                self.send(notification)
        elif method == "fake/die":
            os._exit(3)

    def initialize_result(self) -> JSON:
        """Full text synchronization keeps this server short."""
        if "die" in self.script:
            os._exit(self.script["die"])
        capabilities = {
            "textDocumentSync": {"openClose": True, "change": 1, "save": True},
            "inlineCompletionProvider": {},
            "executeCommandProvider": {"commands": ["ghostfill.accepted"]},
        }
        if "actions" in self.script:
            capabilities["codeActionProvider"] = {"resolveProvider": True}
        return {"capabilities": capabilities, "serverInfo": {"name": "fake", "version": "1"}}

    def complete(self, message: JSON, params: JSON) -> None:
        """Answers or holds by the first rule that fits."""
        lines = self.texts[params["textDocument"]["uri"]].split("\n")
        position = params["position"]
        units = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]]
        before = units.decode("utf-16-le", "replace")
        rule = next((r for r in self.script["rules"] if before.endswith(r["before"])), {})
        if rule.get("hold"):
            self.held.append({"id": message["id"], "result": {"items": rule["items"]}})
        else:
            self.answer(message, {"items": rule.get("items", [])})

    def answer(self, message: JSON, result: Any) -> None:
        """The result of a request."""
        self.send({"id": message["id"], "result": result})

    def send(self, message: JSON) -> None:
        """Any message, with the version of JSON-RPC added."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.out.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.out.flush()


def main() -> None:
    """Serves on stdio."""
    script, record = Path(sys.argv[1]), Path(sys.argv[2])
    with record.open("a", encoding="utf-8") as log:
        server = FakeServer(json.loads(script.read_text(encoding="utf-8")), log, sys.stdout.buffer)
        server.serve(sys.stdin.buffer)


if __name__ == "__main__":
    main()
