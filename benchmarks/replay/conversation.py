"""Edits, requests and answers of one editor: what was asked where, what came back, and when.

Every edit cancels what is still unanswered, as VS Code does. `ghostfill/didAnswer`, where the server sends
it, is laid beside the answer that it belongs to. Knows not what is typed, nor whether an answer is right.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.replay.client import Client, Json
from benchmarks.replay.document import Document, utf16
from benchmarks.replay.ghost import Ghost, Portion, Take, is_right, longest_right

AUTOMATIC, INVOKED = 2, 1
CANCELLED = -32800
FREE_SOURCES = frozenset({"typedThrough", "cache", "running", "ahead"})
"""Sources of answers for which no engine request was started."""


@dataclass(slots=True)
class Asked:
    """One automatic request and what became of it."""

    document: Document
    version: int
    origin: int
    """Where in the document `before` begins."""
    before: str
    target: str
    """What comes: `before`, if it is right so far, and more."""
    follows: bool
    """The edit before it was what the ghost text said."""
    sent: float = field(default_factory=time.perf_counter)
    answered: float | None = None
    is_superseded: bool = False
    """Cancelled before it was answered."""
    error: int | None = None
    ghost: Ghost | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    """The parameters of `ghostfill/didAnswer`."""

    @property
    def ms(self) -> float | None:
        """From the key to the answer."""
        return None if self.answered is None else (self.answered - self.sent) * 1000

    @property
    def is_free(self) -> bool:
        """Answered without a new engine request."""
        return self.note.get("source") in FREE_SOURCES

    def answer(self) -> tuple[str, str] | None:
        """What stands before it, and the text, be it shown or hidden by the confidence gate; None without."""
        if self.ghost is not None:
            return self.before[: self.ghost.start], self.ghost.text
        hidden = self.note.get("hidden")
        return (self.before, hidden) if hidden else None

    def is_first_line_right(self) -> bool | None:
        """Of the answer; None without text."""
        answer = self.answer()
        return None if answer is None else is_right(self.target, *answer)

    def is_useful(self) -> bool | None:
        """The first line is right, or a part that is taken with fewer keys than it has characters."""
        answer = self.answer()
        if answer is None:
            return None
        before, text = answer
        part = longest_right(text, lambda some: self.target.startswith(before + some))
        saves = part is not None and len(before) + part.length - len(self.before) > part.num_keys
        return saves or is_right(self.target, before, text)

    def as_json(self) -> Json:
        """For study."""
        return {
            "path": self.document.path.name,
            "version": self.version,
            "line": self.before.rpartition("\n")[2],
            "comes": self.target[len(self.before) :][:80] if self.target.startswith(self.before) else None,
            "text": self.ghost.text if self.ghost else None,
            "is_right": self.is_first_line_right(),
            "ms": None if self.ms is None else round(self.ms, 1),
            "follows": self.follows,
            "is_superseded": self.is_superseded,
            "error": self.error,
            "note": dict(self.note),
        }


class Conversation:
    """Everything that is said about one client's documents."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: dict[int, Asked] = {}
        self._by_version: dict[tuple[str, int], Asked] = {}
        self._newest: Asked | None = None
        self.asked: list[Asked] = []
        self.refusals: list[str] = []
        """Errors that were no cancellations."""

    def open(self, document: Document) -> None:
        """The user has it before them."""
        self._client.notify("textDocument/didOpen", {"textDocument": document.item()})

    def close(self, document: Document) -> None:
        """They have not any more."""
        self.cancel()
        self._client.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})

    def warm_up(self, document: Document) -> None:
        """Ask by hand at the document's start: answered when engine, index and plan are there."""
        params = _place(document, 0) | {"context": {"triggerKind": INVOKED}}
        self._client.ask("textDocument/inlineCompletion", params)

    def change(self, document: Document, changes: Sequence[Json]) -> None:
        """Tell of edits that are made already."""
        self.cancel()
        document.version += 1
        named = {"uri": document.uri, "version": document.version}
        params = {"textDocument": named, "contentChanges": list(changes)}
        self._client.notify("textDocument/didChange", params)

    def cancel(self) -> None:
        """What is unanswered is not wanted any more, and what was answered is out of date."""
        self._newest = None
        for number, asked in self._waiting.items():
            if not asked.is_superseded:
                asked.is_superseded = True
                self._client.notify("$/cancelRequest", {"id": number})

    def ask(self, document: Document, origin: int, before: str, target: str, *, follows: bool) -> None:
        """Ask for ghost text behind `before`, as for any key."""
        asked = Asked(document, document.version, origin, before, target, follows)
        place = _place(document, origin + len(before))
        params = place | {"context": {"triggerKind": AUTOMATIC}}
        self._waiting[self._client.send("textDocument/inlineCompletion", params)] = asked
        self._by_version[document.uri, document.version] = self._newest = asked
        self.asked.append(asked)

    def arrivals(self, until: float) -> Iterator[Asked]:
        """Answers for the text as it is, up to that time; what is shown is told to the server."""
        for seconds, message in self._client.arrivals(until):
            if message.get("method") == "ghostfill/didAnswer":
                self._lay_beside(message["params"])
            elif (asked := self._waiting.pop(message.get("id", 0), None)) is not None:
                self._take_answer(asked, seconds, message)
                if asked is self._newest:
                    if asked.ghost is not None:
                        shown = {"item": asked.ghost.item}
                        self._client.notify("textDocument/didShowCompletion", shown)
                    yield asked

    def drain(self, seconds: float) -> None:
        """Wait until everything is answered, so long at most."""
        until = time.perf_counter() + seconds
        while self._waiting and time.perf_counter() < until:
            for _ in self.arrivals(min(until, time.perf_counter() + 0.05)):
                pass

    def tell_taken(self, take: Take) -> None:
        """As clients do once the text stands there."""
        item = take.ghost.item
        if take.portion is not Portion.WHOLE:
            accepted = {"item": item, "acceptedLength": utf16(take.ghost.text[: take.length])}
            self._client.notify("textDocument/didPartiallyAcceptCompletion", accepted)
        elif (command := item.get("command")) is not None:
            params = {"command": command["command"], "arguments": command.get("arguments", [])}
            self._client.send("workspace/executeCommand", params)

    def _lay_beside(self, note: Mapping[str, Any]) -> None:
        asked = self._by_version.get((note["uri"], note["version"]))
        if asked is not None and note.get("trigger") == "automatic":
            asked.note = note

    def _take_answer(self, asked: Asked, seconds: float, message: Json) -> None:
        asked.answered = seconds
        if "error" in message:
            asked.error = message["error"]["code"]
            if asked.error != CANCELLED:
                self.refusals.append(str(message["error"]))
            return
        items = (message["result"] or {}).get("items", [])
        if items and not asked.is_superseded:
            asked.ghost = _ghost(asked, items[0])


def _place(document: Document, offset: int) -> Json:
    return {"textDocument": {"uri": document.uri}, "position": document.position(offset)}


def _ghost(asked: Asked, item: Json) -> Ghost:
    """In the coordinates of `before`; asked of the newest request alone, whose text still stands."""
    cursor = len(asked.before)
    where = item.get("range")
    if where is None:
        return Ghost(item["insertText"], cursor, 0, item)
    start = asked.document.offset(where["start"]) - asked.origin
    end = asked.document.offset(where["end"]) - asked.origin
    text = item["insertText"]
    if start < 0:  # the range takes in some of the line that the stretch goes on from
        text, start = text[-start:], 0
    return Ghost(text, start, max(0, end - cursor), item)
