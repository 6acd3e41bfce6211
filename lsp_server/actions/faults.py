"""What is wrong in a document, and which lines a fix of it rewrites. Reads what a client says of diagnostics;
runs no checker and asks no engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as t

from context.syntax.described import Span
from context.syntax.statements import faults_between, is_broken_between, statement_lines
from lsp_server.actions.selection import Selection
from lsp_server.documents import DocumentSnapshot

MAX_GROUPS = 5
MAX_LINES = 20
"""Of a longer statement only the line is written anew in which something is wrong."""
MAX_DIAGNOSTICS = 100
SYNTAX_ERROR = "syntax error"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a range of the document."""

    start: int
    end: int
    message: str
    """One printable line."""


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """All that is wrong in one statement."""

    span: Span
    """What a fix may rewrite: the statement's lines, without the first one's margin."""
    faults: tuple[Fault, ...]
    diagnostics: tuple[Any, ...] = ()
    """As the client sent them."""


def groups(selection: Selection, diagnostics: Sequence[Any]) -> list[FaultGroup]:
    """What the client says is wrong, by statement; where it says nothing, the syntax errors of the range."""
    told = [
        (fault, raw)
        for raw in diagnostics[:MAX_DIAGNOSTICS]
        if (fault := fault_of(selection.snapshot, raw)) is not None
    ]
    if not told:
        told = [(fault, None) for fault in _syntax_errors(selection)]
    found: dict[Span, list[tuple[Fault, Any]]] = {}
    for fault, raw in told:
        found.setdefault(_rewritable(selection, fault.start, fault.end), []).append((fault, raw))
    return [
        FaultGroup(span, tuple(fault for fault, _ in rows), tuple(raw for _, raw in rows if raw is not None))
        for span, rows in list(found.items())[:MAX_GROUPS]
    ]


def whole_line(selection: Selection, messages: Iterable[str]) -> FaultGroup:
    """For what is known of a line and of no place in it."""
    span = _rewritable(selection, selection.start, selection.end)
    return FaultGroup(span, tuple(Fault(*span, message) for message in messages))


def fault_of(snapshot: DocumentSnapshot, raw: Any) -> Fault | None:
    """A diagnostic, from the wire or as lsprotocol has it; None for anything else."""
    match raw:
        case t.Diagnostic(range=span, message=str(message)):
            places = [(span.start.line, span.start.character), (span.end.line, span.end.character)]
        case {
            "range": {
                "start": {"line": int(line), "character": int(character)},
                "end": {"line": int(end_line), "character": int(end_character)},
            },
            "message": str(message),
        }:
            places = [(line, character), (end_line, end_character)]
        case _:
            return None
    start, end = sorted(snapshot.offset_at(max(line, 0), character) for line, character in places)
    end = start + len(snapshot.text[start:end].rstrip())  # whole lines are given with their line end
    return Fault(start, end, printable(message) or "a problem")


def printable(message: str, limit: int = 200) -> str:
    """A message as one line without what has no shape, cut to size."""
    shaped = "".join(char if char.isprintable() else " " for char in message[: 4 * limit])
    line = " ".join(shaped.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _rewritable(selection: Selection, start: int, end: int) -> Span:
    """The lines of the statement around a fault, without the first one's margin."""
    text = selection.text
    span = statement_lines(selection.tree, selection.language.family, start, end)
    if text.count("\n", *span) < MAX_LINES:
        return span
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)].rstrip("\r")
    return Span(first + len(line) - len(line.lstrip()), first + len(line))


def _syntax_errors(selection: Selection) -> list[Fault]:
    """Those that begin in the lines of the range."""
    text = selection.text
    start = text.rfind("\n", 0, selection.start) + 1
    end = text.find("\n", selection.end)
    end = len(text) if end < 0 else end
    found = faults_between(selection.tree, start, end)
    if not found and is_broken_between(selection.tree, start, end):
        return [Fault(start, end, SYNTAX_ERROR)]
    return [Fault(span.start, min(span.end, end), SYNTAX_ERROR) for span in found]
