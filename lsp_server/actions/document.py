"""`ghostfill.document`: a docstring or doc comment, filled in where it belongs. Knows no wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from context.syntax.declarations import Declaration, declarations_at
from context.syntax.statements import num_faults
from lsp_server.actions.change import Change
from lsp_server.actions.describe import descriptions, written
from lsp_server.actions.errors import ActionError, NoAnswerError
from lsp_server.actions.infill import begin, too_late, within_time
from lsp_server.actions.selection import Selection

if TYPE_CHECKING:
    from lsp_server.session import Session


def can_document(selection: Selection) -> Declaration | None:
    """The one function or class of the range, if it has no description and a place for one."""
    found = selection.declarations()
    is_wanted = len(found) == 1 and found[0].doc is None and found[0].slot is not None
    return found[0] if is_wanted else None


async def document(session: Session, selection: Selection) -> Change:
    """The change that describes the function or class of the range; raises ActionError."""
    declaration = selection.declaration()
    if declaration.doc is not None:
        raise ActionError(f"{declaration.name} has a description already.")
    try:
        async with within_time():
            infill = await begin(session, selection)
            found = await descriptions(infill, selection, declaration)
    except TimeoutError:
        raise too_late() from None
    for lines in found:
        if (change := _change(selection, declaration, lines)) is not None:
            return change
    raise NoAnswerError(f"The model had nothing usable to say of {declaration.name}: nothing was changed.")


def _change(selection: Selection, declaration: Declaration, lines: str) -> Change | None:
    """None if the text would not be read as the description, or breaks the parse."""
    slot = declaration.slot
    if slot is None:
        return None
    text = written(slot, lines, selection.snapshot.line_end)
    change = Change(selection.snapshot, slot.start, slot.end, text, f"Document {declaration.name!r}")
    tree = selection.tree.updated(change.result)
    # Its name moves down by what is written above it.
    at = declaration.header_end - 1 + (len(text) if slot.start <= declaration.start else 0)
    now = declarations_at(tree, selection.language.family, at, at)
    is_described = any(each.doc is not None and each.name == declaration.name for each in now)
    return change if is_described and num_faults(tree) <= num_faults(selection.tree) else None
