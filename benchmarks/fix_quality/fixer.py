"""Asks a real server for fixes: opens a file with a fault, sends `ghostfill.fix`, applies what comes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fix_quality.faults import Diagnostic, Fault
from benchmarks.replay.client import Client, Json
from benchmarks.replay.document import Document

FIX_S = 120.0
"""After so long the server is broken: it gives up itself long before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server made of a fault."""

    text: str | None = field(repr=False)
    """The whole file as fixed; None where nothing was offered."""
    message: str
    """What it said to the user."""
    seconds: float


class Fixer:
    """One server and its workspace. A file lies in it as it is opened, so that no right one can be read."""

    def __init__(self, client: Client, workspace: Path) -> None:
        self._client = client
        self._workspace = workspace

    def fix(self, fault: Fault) -> Answer:
        """Raises RuntimeError if the server is no more, or edits what it may not."""
        path = self._workspace / fault.path
        path.write_text(fault.planted, encoding="utf-8", newline="")
        document = Document(path, "python", fault.planted)
        self._client.notify("textDocument/didOpen", {"textDocument": document.item()})
        try:
            begun = time.perf_counter()
            reply = self._ask(argument(document, list(fault.told())))
            seconds = time.perf_counter() - begun
        finally:
            self._client.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})
            path.write_text(fault.original, encoding="utf-8", newline="")
        return answer(document, reply, seconds)

    def _ask(self, of: Json) -> Json:
        command = {"command": "ghostfill.fix", "arguments": [of]}
        number = self._client.send("workspace/executeCommand", command)
        for arrival in self._client.arrivals(time.perf_counter() + FIX_S):
            if arrival.message.get("id") == number and "method" not in arrival.message:
                return arrival.message
        raise RuntimeError(f"ghostfill.fix was not answered in {FIX_S:.0f} s")


def argument(document: Document, diagnostics: Sequence[Diagnostic]) -> Json:
    """What an editor sends with the cursor on the first of them."""
    told = [_as_lsp(document, each) for each in diagnostics]
    return {"uri": document.uri, "range": told[0]["range"], "diagnostics": told, "apply": False}


def answer(document: Document, reply: Mapping[str, Any], seconds: float) -> Answer:
    """The document as the server would have it; raises RuntimeError if it edits another one."""
    if "error" in reply:
        return Answer(None, str(reply["error"]["message"]), seconds)
    result = reply["result"]
    if result["edit"] is None:
        return Answer(None, result["message"], seconds)
    return Answer(edited(document, result["edit"]), result["message"], seconds)


def edited(document: Document, edit: Mapping[str, Any]) -> str:
    """The text with a WorkspaceEdit applied; raises RuntimeError if it touches another document."""
    changes = dict(edit.get("changes") or {})
    for each in edit.get("documentChanges") or ():
        changes.setdefault(each["textDocument"]["uri"], []).extend(each["edits"])
    if {*changes} - {document.uri}:
        raise RuntimeError(f"a fix of {document.path.name} edits {sorted({*changes} - {document.uri})}")
    places = [
        (document.offset(each["range"]["start"]), document.offset(each["range"]["end"]), each["newText"])
        for each in changes.get(document.uri, ())
    ]
    text = document.text
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _as_lsp(document: Document, diagnostic: Diagnostic) -> Json:
    lines = document.text.split("\n")

    def position(line: int, column: int) -> Json:
        start = sum(len(each) + 1 for each in lines[:line])
        return document.position(min(start + column, len(document.text)))

    return {
        "range": {
            "start": position(diagnostic.line, diagnostic.column),
            "end": position(diagnostic.end_line, diagnostic.end_column),
        },
        "severity": 1,
        "code": diagnostic.code,
        "source": diagnostic.source,
        "message": diagnostic.message,
    }
