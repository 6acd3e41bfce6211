"""What the editor says is wrong in its open documents, and the one line of a prompt that becomes of it.

Told of diagnostics as they come over the wire; what an edit has made doubtful is kept back until it is told
again. Knows no other server, no engine and no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lsprotocol import types as t

from context import Plan
from context.pack import HEADER_TOKENS
from context.similar import has_secret
from engine.api import Segment
from lsp_server.documents import DocumentSnapshot

MAX_CHARS = 200
"""Of one message."""
MAX_SHOWN = 2
"""Messages in a prompt."""
MAX_KEPT = 1_000
"""Of one document."""
_LEAST = t.DiagnosticSeverity.Warning
"""Information and hints say nothing of what is to be written."""


@dataclass(frozen=True, slots=True)
class _Message:
    line: int
    text: str
    line_text: str
    """The line as it was when this was said of it."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The diagnostics of one document."""

    num_lines: int
    """Of the text that they are about."""
    messages: tuple[_Message, ...]


class Diagnostics:
    """The newest diagnostics of each open document. Lives on the event loop."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def note(
        self, snapshot: DocumentSnapshot, diagnostics: Sequence[Any], version: int | None = None
    ) -> None:
        """All diagnostics of a document, as in `textDocument/publishDiagnostics`; they replace the last ones.

        Those of another version than the document has now are about lines that nobody can find again.
        """
        is_current = version is None or version == snapshot.version
        messages = _messages(snapshot, diagnostics) if is_current else ()
        self._known[snapshot.uri] = _Known(snapshot.num_lines, messages)

    def note_closed(self, uri: str) -> None:
        """Forget a document."""
        self._known.pop(uri, None)

    def at(self, snapshot: DocumentSnapshot, line: int) -> tuple[str, ...]:
        """What is wrong in a line and, after that, in the one above: one printable line of text each.

        A message holds as long as its line stands as it stood, here or moved by lines that came or went.
        """
        known = self._known.get(snapshot.uri)
        if known is None or not known.messages:
            return ()
        growth = snapshot.num_lines - known.num_lines
        found: list[str] = []
        for place in (line, line - 1):
            text = snapshot.line_text(place) if place >= 0 else ""
            found += [
                f"line {place + 1}: {row.text}"
                for row in known.messages
                if row.line in (place, place - growth) and row.line_text == text
            ]
        return tuple(dict.fromkeys(found))

    def added_to(
        self,
        plan: Plan,
        snapshot: DocumentSnapshot,
        offset: int,
        leader: str,
        count_tokens: Callable[[str], int],
    ) -> Plan:
        """The plan with one comment more at its end, or the very same plan where nothing is wrong.

        `leader` starts a comment. Room is made by the first segments that were chosen for the cursor; what
        stays from cursor to cursor stays here too.
        """
        messages = self.at(snapshot, snapshot.line_index.line_at(offset))[:MAX_SHOWN]
        if not messages:
            return plan
        text = f"{leader} {'; '.join(messages)}\n"
        segment = Segment(plan.path, text, "diagnostic", "the editor's diagnostics", count_tokens(text))
        segments = [*plan.segments, segment]
        num_tokens = plan.num_tokens + segment.num_tokens + HEADER_TOKENS
        while num_tokens > plan.budget_tokens and len(segments) > plan.num_frozen + 1:
            num_tokens -= segments.pop(plan.num_frozen).num_tokens + HEADER_TOKENS
        if num_tokens > plan.budget_tokens:
            return plan
        return replace(plan, segments=tuple(segments), num_tokens=num_tokens)


def _messages(snapshot: DocumentSnapshot, diagnostics: Sequence[Any]) -> tuple[_Message, ...]:
    rows: list[_Message] = []
    for raw in diagnostics[:MAX_KEPT]:
        line, text = _read(raw)
        if text and 0 <= line < snapshot.num_lines:
            rows.append(_Message(line, text, snapshot.line_text(line)))
    return tuple(dict.fromkeys(rows))


def _read(raw: Any) -> tuple[int, str]:
    """Line and text of a diagnostic, from the wire or as lsprotocol has it; no text: leave it out."""
    severity: Any = None
    source: Any = None
    match raw:
        case {"range": {"start": {"line": int(line)}}, "message": str(message)}:
            severity, source = raw.get("severity"), raw.get("source")
        case t.Diagnostic(range=t.Range(start=t.Position(line=int(line))), message=str(message)):
            severity, source = raw.severity, raw.source
        case _:
            return 0, ""
    if (isinstance(severity, int) and severity > _LEAST) or not message.strip():
        return line, ""
    text = _one_line(f"{message} ({source})" if isinstance(source, str) and source else message)
    return line, "" if has_secret(text) else text


def _one_line(text: str) -> str:
    """A text without line ends, control characters and what else has no shape, cut to size."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * MAX_CHARS])
    line = " ".join(printable.split())
    return line if len(line) <= MAX_CHARS else line[: MAX_CHARS - 3] + "..."
