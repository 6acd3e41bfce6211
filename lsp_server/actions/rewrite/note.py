"""Lines rewritten as a note of the user's asks for, by an instruct model; checked as every fix is.

What is not wrong may change as well: the user wants it. Knows no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from context.syntax.described import Span
from context.syntax.statements import num_faults
from context.syntax.whole_statements import whole_statements
from lsp_server.actions.change import Change
from lsp_server.actions.edit import Edit
from lsp_server.actions.errors import ActionError, NoAnswerError
from lsp_server.actions.faults import MAX_DIAGNOSTICS, fault_of, printable
from lsp_server.actions.python_check import PythonCheck
from lsp_server.actions.rewrite.rewriter import Rewriter
from lsp_server.actions.selection import Selection, language_in
from lsp_server.documents import DocumentSnapshot
from lsp_server.hole import Hole, with_plain_line_ends
from lsp_server.trimming.secret_shapes import drop_secrets

if TYPE_CHECKING:
    from lsp_server.session import Session

MAX_NOTE = 500
MAX_LABEL = 80
NEEDS_MODEL = (
    "To change code as a note says, ghostfill needs an instruct model: chat.model names one, or chat.url a "
    "server that has one."
)
NO_NOTE = f"A note is one line of at most {MAX_NOTE} printable characters."
NOT_BETTER = "The instruct model's answers change nothing, or break something: nothing was changed."


def checked_note(value: Any) -> str:
    """A client's note; empty where there is none. Raises ActionError."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > MAX_NOTE or not value.isprintable() or not value.strip():
        raise ActionError(NO_NOTE)
    return value.strip()


def no_grammar(snapshot: DocumentSnapshot) -> str:
    """Why nothing is fixed in a document."""
    language = language_in(snapshot)
    name = language.id if language is not None else snapshot.language_id or "this language"
    return (
        "What a model writes is checked by a grammar before it is offered; ghostfill has those of Python, "
        f"JavaScript and TypeScript, and cannot read {name}."
    )


def asked_lines(selection: Selection) -> Span:
    """The whole statements that are selected, or that at the cursor; raises ActionError."""
    tree, family = selection.tree, selection.language.family
    span = whole_statements(tree, family, selection.start, selection.end)
    if span is None:
        raise ActionError("There is no code here: put the cursor in a statement, or select some.")
    found = selection.declarations()
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:3])
        raise ActionError(f"The selection reaches over several functions ({names}): select inside of one.")
    return span


async def rewrite_as_asked(
    session: Session, selection: Selection, diagnostics: Sequence[Any], note: str
) -> Change:
    """The change that a note asks for; raises ActionError."""
    if not session.chat.is_set:
        raise ActionError(NEEDS_MODEL)
    span = asked_lines(selection)
    told = (fault_of(selection.snapshot, raw) for raw in diagnostics[:MAX_DIAGNOSTICS])
    faults = [each for each in told if each is not None and each.start <= span.end and span.start <= each.end]
    rewriter = await Rewriter.of(session, selection, faults)
    reason = NOT_BETTER
    for is_second in (False, True):
        try:
            texts = await rewriter.rewritten(span, note, is_thought_through=is_second)
        except NoAnswerError as error:
            reason = f"{error} Nothing was changed."
            continue
        found = await _first_sound(selection, span, texts, rewriter.path)
        if found is not None:
            return Change(selection.snapshot, *span, found, f"Fix as asked: {printable(note, MAX_LABEL)}")
    raise NoAnswerError(reason)


async def _first_sound(selection: Selection, span: Span, texts: Sequence[str], path: str) -> str | None:
    check = None
    if selection.language.family == "python":
        check = await asyncio.to_thread(PythonCheck.of, selection.text, span)
    for each in texts:
        await asyncio.sleep(0)  # keystrokes go in between
        if not _is_sound(selection, span, each, path):
            continue
        if check is None or check.error is not None:
            return each
        if (await asyncio.to_thread(check.accepts, Edit(*span, each)))[1]:
            return each
    return None


def _is_sound(selection: Selection, span: Span, new: str, path: str) -> bool:
    """Whether it changes something, parses at least as well, and brings no credential."""
    text, tree = selection.text, selection.tree
    old = text[slice(*span)]
    if new == with_plain_line_ends(old):
        return False
    hole = Hole.at(text[: span.start] + text[span.end :], span.start)
    if not drop_secrets(new, hole, path) and drop_secrets(old, hole, ""):
        return False
    return num_faults(tree.updated(Edit(*span, new).applied(text))) <= num_faults(tree)
