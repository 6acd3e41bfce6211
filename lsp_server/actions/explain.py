"""`ghostfill.explain`: what is known of a piece of code without any model, and below that a model's words.

An instruct model's, where there is one; else one line by the model that completes. Knows no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from context.symbols import Kind
from context.syntax.calls import Call, calls_in
from context.syntax.declarations import declarations_at, declarations_of
from lsp_server.actions.chat_words import chat_words
from lsp_server.actions.describe import descriptions
from lsp_server.actions.errors import ActionError
from lsp_server.actions.facts import Facts, facts_page
from lsp_server.actions.infill import begin, too_late, within_time
from lsp_server.actions.safe_markdown import code, prose
from lsp_server.actions.selection import Selection
from lsp_server.actions.subject import Subject
from lsp_server.page_store import keep_page
from lsp_server.planner import INDEX_SECONDS
from lsp_server.settings import USER_FILE

if TYPE_CHECKING:
    from lsp_server.session import Session

OnText = Callable[[str], None]
"""Told the page so far."""
LINE = "---\n\n"
"""What was read from files stands above, what a model says below."""
EXAMPLE_MODEL = "deepseek-ai/deepseek-coder-6.7b-instruct"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A page, and the files that it is about."""

    title: str
    text: str
    """Markdown."""
    files: tuple[Path, ...]
    page: Path
    """Where it is kept."""


async def explain(session: Session, subject: Subject, on_text: OnText) -> Explanation:
    """Explain a piece of code; raises ActionError. `on_text` is told facts first."""
    facts = await _facts(session, subject)
    page = facts_page(facts)
    on_text(page)
    known, files = f"{page}\n{LINE}", facts.files
    if session.chat.is_set:
        words = await chat_words(session, facts, lambda said: on_text(f"{known}{said}\n"))
        text = f"{known}{words.text}\n"
        files = tuple(dict.fromkeys([*files, *words.files]))
        if not words.is_answer and subject.declaration is not None:
            on_text(text)
            text = f"{text}\n{await _said(session, subject)}\n"
    else:
        text = f"{known}{await _said(session, subject)}\n\n{_more()}\n"
    on_text(text)
    snapshot = subject.snapshot
    kept = await asyncio.to_thread(keep_page, text, snapshot.uri, snapshot.file_name.name, ".md")
    return Explanation(facts.title, text, files, kept)


def _more() -> str:
    """How to have more said."""
    setting = code(f'model = "{EXAMPLE_MODEL}"')
    return (
        "*Everything above the line was read from your files; an instruct model would explain it: put for "
        f"example {setting} below {code('[chat]')} into {code(USER_FILE)} ({code('ghostfill doctor')} says "
        "where that is) and restart the editor.*"
    )


async def _said(session: Session, subject: Subject) -> str:
    """One line by the model that completes, or why there is none."""
    try:
        line = await _one_line(session, subject)
    except ActionError as error:
        return f"*The model was asked for one line, in vain: {prose(str(error))}*"
    return f"**In the model's words** (a guess, not checked): {prose(line)}"


async def _one_line(session: Session, subject: Subject) -> str:
    """The first line that the model would write as its description."""
    declaration, selection = subject.declaration, subject.selection
    if declaration is None or selection is None or declaration.slot is None:
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


async def _facts(session: Session, subject: Subject) -> Facts:
    snapshot, selection = subject.snapshot, subject.selection
    path = session.context.relative(snapshot.file_name)
    if selection is None:
        return Facts(subject, path)
    calls = _calls(subject, selection)
    if snapshot.path is None:
        return Facts(subject, path, calls)
    for uri in session.server.workspace.text_documents:
        session.read_overlay(uri)  # what was typed last counts
    chains = [call.chain for call in calls]
    name = subject.declaration.name.rpartition(".")[2] if subject.declaration is not None else ""
    owner = subject.declaration.owner if subject.declaration is not None else _owner(subject, selection)
    context = session.context
    is_complete = await asyncio.to_thread(context.wait_ready, INDEX_SECONDS)
    known = await asyncio.to_thread(context.references, snapshot.path, name, owner, subject.lines, chains)
    return Facts(subject, path, calls, known, is_complete)


def _calls(subject: Subject, selection: Selection) -> list[Call]:
    """What it calls, without what it defines itself."""
    span = subject.span
    inner = {
        each.name
        for each in declarations_of(selection.tree, selection.language.family)
        if span.start < each.start and each.end <= span.end and not each.owner
    }
    return [call for call in calls_in(selection.tree, span) if call.chain[0] not in inner]


def _owner(subject: Subject, selection: Selection) -> str:
    """The class that some lines are in; empty if they are in none, or are several functions."""
    around = declarations_at(selection.tree, selection.language.family, *subject.span)
    if len(around) != 1:
        return ""
    return around[0].owner if around[0].kind is Kind.FUNCTION else around[0].name
