"""`ghostfill.explain`: what is known of a function or class without any model, and one line by the model.

Knows no wire. An instruct model's explanation will go where the one line goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from context.syntax.calls import calls_in
from context.syntax.declarations import Declaration, declarations_of
from context.syntax.described import Span
from lsp_server.actions.describe import descriptions
from lsp_server.actions.errors import ActionError
from lsp_server.actions.facts import Facts, facts_page
from lsp_server.actions.faults import fault_of
from lsp_server.actions.infill import begin, too_late, within_time
from lsp_server.actions.safe_markdown import prose
from lsp_server.actions.selection import Selection
from lsp_server.page_store import keep_page
from lsp_server.planner import INDEX_SECONDS

if TYPE_CHECKING:
    from lsp_server.session import Session

OnText = Callable[[str], None]
"""Told the page so far."""
MORE = (
    "*Everything above the line was read from your files; no instruct model is used yet, "
    "it would explain more (`chat.model`).*"
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A page, and the files that it is about."""

    title: str
    text: str
    """Markdown."""
    files: tuple[Path, ...]
    page: Path
    """Where it is kept."""


async def explain(
    session: Session, selection: Selection, diagnostics: Sequence[Any], on_text: OnText
) -> Explanation:
    """Explain the function or class of the range; raises ActionError. `on_text` is told facts first."""
    declaration = selection.declaration()
    facts = await _facts(session, selection, declaration, diagnostics)
    known = facts_page(facts)
    on_text(known)

    try:
        said = _said(await _one_line(session, selection, declaration))
    except ActionError as error:
        said = f"---\n\n*The model was asked for one line, in vain: {prose(str(error))}*"
    text = f"{known}\n{said}\n\n{MORE}\n"
    on_text(text)
    name = selection.snapshot.file_name.name
    page = await asyncio.to_thread(keep_page, text, selection.snapshot.uri, name, ".md")
    return Explanation(facts.title, text, facts.files, page)


def _said(line: str) -> str:
    return f"---\n\n**In the model's words** (a guess, not checked): {prose(line)}"


async def _one_line(session: Session, selection: Selection, declaration: Declaration) -> str:
    """The first line that the model would write as its description."""
    if declaration.slot is None:
        raise ActionError("there is no place for a description in this code.")
    try:
        async with within_time():
            infill = await begin(session, selection)
            found = await descriptions(infill, selection, declaration)
    except TimeoutError:
        raise too_late() from None
    if not found:
        raise ActionError("it had nothing usable to say.")
    return found[0].partition("\n")[0]


async def _facts(
    session: Session, selection: Selection, declaration: Declaration, diagnostics: Sequence[Any]
) -> Facts:
    snapshot, tree = selection.snapshot, selection.tree
    span = Span(declaration.start, declaration.end)
    inner = {
        each.name
        for each in declarations_of(tree, selection.language.family)
        if span.start < each.start and each.end <= span.end and not each.owner
    }
    calls = [call for call in calls_in(tree, span) if call.chain[0] not in inner]
    lines = snapshot.line_index
    first, last = lines.line_at(declaration.start), lines.line_at(declaration.end)
    known, is_complete = None, True
    if snapshot.path is not None:
        for uri in session.server.workspace.text_documents:
            session.read_overlay(uri)  # what was typed last counts
        chains = [call.chain for call in calls]
        name, owner = declaration.name.rpartition(".")[2], declaration.owner
        context = session.context
        is_complete = await asyncio.to_thread(context.wait_ready, INDEX_SECONDS)
        known = await asyncio.to_thread(context.references, snapshot.path, name, owner, (first, last), chains)
    faults = [fault for raw in diagnostics if (fault := fault_of(selection, raw)) is not None]
    path = session.context.relative(snapshot.file_name)
    return Facts(
        declaration,
        snapshot,
        path,
        selection.language.id,
        (first, last),
        calls,
        known,
        tuple(faults),
        is_complete,
    )
