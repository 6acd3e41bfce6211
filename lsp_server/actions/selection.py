"""What an action is about: a range of an open document, parsed, and what stands there. Asks no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from context.languages import Language, language_named, language_of
from context.syntax import SyntaxTrees
from context.syntax.declarations import Declaration, declarations_at
from context.syntax.tree import SyntaxTree
from lsp_server.actions.errors import ActionError
from lsp_server.documents import DocumentSnapshot

if TYPE_CHECKING:
    from lsp_server.session import Session

Places = tuple[tuple[int, int], tuple[int, int]]
"""A range as lines and characters of the client."""
TOO_LARGE = "This file is too large, or looks generated: ghostfill leaves it alone."


@dataclass(frozen=True, slots=True)
class Selection:
    """A range of a document, in code points."""

    snapshot: DocumentSnapshot
    language: Language
    tree: SyntaxTree
    """Of the document's text."""
    start: int
    end: int

    @property
    def text(self) -> str:
        """The document's."""
        return self.snapshot.text

    def declarations(self) -> tuple[Declaration, ...]:
        """What the range means; several where it touches several functions and is inside of none."""
        return declarations_at(self.tree, self.language.family, self.start, self.end)

    def declaration(self) -> Declaration:
        """The one function or class that the range means; raises ActionError."""
        found = self.declarations()
        if not found:
            raise ActionError("There is no function or class here: put the cursor in one, or select one.")
        if len(found) > 1:
            names = ", ".join(each.name for each in found[:3])
            raise ActionError(
                f"The selection reaches over several definitions ({names}): select one of them."
            )
        return found[0]


def select(session: Session, syntax: SyntaxTrees, uri: str, places: Places) -> Selection:
    """The range of an open document, parsed; raises ActionError."""
    return parsed(syntax, opened(session, uri), places)


def opened(session: Session, uri: str) -> DocumentSnapshot:
    """An open document that may be looked at; raises ActionError."""
    snapshot = session.server.snapshot(uri)
    if snapshot is None:
        raise ActionError(f"{uri} is not open here: open it and try again.")
    if reason := session.why_off(snapshot):
        raise ActionError(reason)
    return snapshot


def parsed(syntax: SyntaxTrees, snapshot: DocumentSnapshot, places: Places) -> Selection:
    """A range of a document in a language that can be read; raises ActionError."""
    language = language_in(snapshot)
    if language is None or language.grammar is None:
        raise ActionError(
            f"ghostfill explains, fixes and documents Python, JavaScript and TypeScript; it cannot read "
            f"{language.id if language else snapshot.language_id or 'this language'}."
        )
    tree = syntax.tree(snapshot.uri, language, snapshot.text)
    if tree is None:
        raise ActionError(TOO_LARGE)
    return Selection(snapshot, language, tree, *offsets(snapshot, places))


def language_in(snapshot: DocumentSnapshot) -> Language | None:
    """What a document is written in, as its name says, or else its client."""
    named = language_of(snapshot.path) if snapshot.path is not None else None
    return named or language_named(snapshot.language_id)


def offsets(snapshot: DocumentSnapshot, places: Places) -> tuple[int, int]:
    """A range in code points, its start first."""
    start, end = sorted(snapshot.offset_at(max(line, 0), character) for line, character in places)
    return start, end
