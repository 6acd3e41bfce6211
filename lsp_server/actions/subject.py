"""What is to be explained: a function or class, or lines of a document, and what is reported of them.

What is selected comes first, then the function or class at the cursor, then the statement that the first
diagnostic is about. Lines, and languages that cannot be read, need an instruct model. Asks no engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from context.extract.query import is_generated
from context.syntax import SyntaxTrees
from context.syntax.declarations import Declaration, declarations_at
from context.syntax.described import Span
from context.syntax.statements import statement_lines
from context.syntax.trees import MAX_CHARS
from lsp_server.actions.errors import ActionError
from lsp_server.actions.faults import MAX_DIAGNOSTICS, Fault, fault_of
from lsp_server.actions.selection import TOO_LARGE, Places, Selection, language_in, offsets, opened, parsed
from lsp_server.documents import DocumentSnapshot

if TYPE_CHECKING:
    from lsp_server.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """A part of an open document."""

    snapshot: DocumentSnapshot
    span: Span
    """In code points, without the last line's end."""
    faults: tuple[Fault, ...] = ()
    """What is reported in the client's words, wherever it is."""
    selection: Selection | None = None
    """The document, parsed; None where its language cannot be read."""
    declaration: Declaration | None = None
    """The function or class that it is; None for lines."""

    @property
    def name(self) -> str:
        """For people: a function or class with the class that it is in, or `lines 3 to 5`."""
        if self.declaration is not None:
            owner = self.declaration.owner
            return f"{owner}.{self.declaration.name}" if owner else self.declaration.name
        first, last = self.lines
        return f"line {first + 1}" if first == last else f"lines {first + 1} to {last + 1}"

    @property
    def lines(self) -> tuple[int, int]:
        """The first and the last, from zero."""
        index = self.snapshot.line_index
        return index.line_at(self.span.start), index.line_at(self.span.end)

    @property
    def code(self) -> str:
        """Its lines as they stand, from the first one's beginning on."""
        start = self.snapshot.line_index.start(self.lines[0])
        return self.snapshot.text[start : self.span.end]

    @property
    def language_id(self) -> str:
        """What it is written in; empty if that is not known."""
        language = language_in(self.snapshot)
        return language.id if language is not None else self.snapshot.language_id

    def around(self, max_chars: int) -> tuple[str, str]:
        """The lines before and after it, as many of either side as half the size takes."""
        text = self.snapshot.text
        start = self.snapshot.line_index.start(self.lines[0])
        first = max(0, start - max_chars // 2)
        above = text[first:start]
        if first > 0 and text[first - 1] != "\n":
            above = above.partition("\n")[2]
        end = text.find("\n", self.span.end) + 1 or len(text)
        last = min(len(text), end + max_chars // 2)
        below = text[end:last]
        if last < len(text) and not below.endswith("\n"):
            below = "".join(below.rpartition("\n")[:2])
        return above, below


def subject_of(
    session: Session, syntax: SyntaxTrees, uri: str, places: Places, diagnostics: Sequence[Any]
) -> Subject:
    """What a range of an open document means; raises ActionError."""
    snapshot = opened(session, uri)
    faults = _faults(snapshot, diagnostics)
    if not session.chat.is_set:
        whole = parsed(syntax, snapshot, places)
        return _declared(whole, whole.declaration(), faults)
    if (selection := readable(syntax, snapshot, places)) is None:
        return _in_plain_text(snapshot, places, faults)
    if (span := selected_lines(snapshot, *offsets(snapshot, places))) is not None:
        return lines_of(selection, span, faults)
    found = selection.declarations()
    if found and (not faults or found[0].end - found[0].start <= session.chat.prompt_chars):
        return _declared(selection, found[0], faults)
    if not faults:
        raise ActionError(
            "There is no function or class here, and nothing is reported: put the cursor in one, or select "
            "what is to be explained."
        )
    family = selection.language.family
    span = statement_lines(selection.tree, family, faults[0].start, faults[0].end)
    return Subject(snapshot, span, faults, selection)


def readable(syntax: SyntaxTrees, snapshot: DocumentSnapshot, places: Places) -> Selection | None:
    """A range of a document, parsed; None in a language that cannot be read. Raises ActionError for a file
    that is left alone.
    """
    language = language_in(snapshot)
    if language is not None and language.grammar is not None:
        return parsed(syntax, snapshot, places)
    if len(snapshot.text) > MAX_CHARS or is_generated(snapshot.text):
        raise ActionError(TOO_LARGE)
    return None


def selected_lines(snapshot: DocumentSnapshot, start: int, end: int) -> Span | None:
    """All of the lines that a range touches, blank ones at its ends left out; None where nothing is selected.

    Where a range ends at the beginning of a line, that line is not meant.
    """
    picked = snapshot.text[start:end]
    if not picked.strip():
        return None
    index = snapshot.line_index
    first = index.line_at(start + len(picked) - len(picked.lstrip()))
    return _whole_lines(snapshot, first, index.line_at(start + len(picked.rstrip()) - 1))


def lines_of(selection: Selection, span: Span, faults: tuple[Fault, ...] = ()) -> Subject:
    """Whole lines, or the one function or class that they are."""
    snapshot = selection.snapshot
    subject = Subject(snapshot, span, faults, selection)
    found = declarations_at(selection.tree, selection.language.family, *span)
    if len(found) == 1:
        declared = _declared(selection, found[0], faults)
        if declared.lines == subject.lines:
            return declared
    return subject


def _declared(selection: Selection, declaration: Declaration, faults: tuple[Fault, ...]) -> Subject:
    span = Span(declaration.start, declaration.end)
    return Subject(selection.snapshot, span, faults, selection, declaration)


def _in_plain_text(snapshot: DocumentSnapshot, places: Places, faults: Iterable[Fault]) -> Subject:
    """The lines of the range, else those around it, or around what is reported, up to blank ones."""
    reported = tuple(faults)
    start, end = offsets(snapshot, places)
    span = selected_lines(snapshot, start, end)
    for offset in (start, *(fault.start for fault in reported[:1])):
        span = span or _paragraph(snapshot, offset)
    if span is None:
        raise ActionError("There is nothing at the cursor: select what is to be explained.")
    return Subject(snapshot, span, reported)


def _paragraph(snapshot: DocumentSnapshot, offset: int) -> Span | None:
    """The lines around an offset up to blank ones; None on a blank line."""
    first = last = snapshot.line_index.line_at(offset)
    if not snapshot.line_text(first).strip():
        return None
    while first > 0 and snapshot.line_text(first - 1).strip():
        first -= 1
    while last + 1 < snapshot.num_lines and snapshot.line_text(last + 1).strip():
        last += 1
    return _whole_lines(snapshot, first, last)


def _whole_lines(snapshot: DocumentSnapshot, first: int, last: int) -> Span:
    end = snapshot.line_index.start(last) + len(snapshot.line_text(last).rstrip())
    return Span(snapshot.line_index.start(first), end)


def _faults(snapshot: DocumentSnapshot, diagnostics: Sequence[Any]) -> tuple[Fault, ...]:
    told = (fault_of(snapshot, raw) for raw in diagnostics[:MAX_DIAGNOSTICS])
    return tuple(fault for fault in told if fault is not None)
