"""`textDocument/completion`: the completion as one menu item, for clients that show no ghost text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types as t
from pygls.capabilities import get_capability

from lsp_server.answer import Ask, Trigger
from lsp_server.documents import DocumentSnapshot
from lsp_server.handlers.inline_completion import ACCEPTED
from lsp_server.typed_through import Offer

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

TRIGGER_CHARACTERS = (".", "(", "[", "{", ",", "=", ":")
LAST = "~~~~"
"""Sorts behind what other servers offer."""
MAX_LABEL_CHARS = 60
_WORD_END = re.compile(r"\w*\Z")
_BACKTICKS = re.compile(r"`+")


def register_if_wanted(server: GhostfillServer) -> None:
    """Register this file's handler, unless the client shows ghost text and did not ask for the menu too.

    To be called while `initialize` is handled: what is registered by then, pygls advertises.
    """
    session = server.session
    if session.client_wants("completion") or not session.can("text_document.inline_completion"):
        register(server)


def register(server: GhostfillServer) -> None:
    """Register this file's handler."""
    asked_at: dict[str, int | None] = {}  # the version of each document that was last asked for
    options = t.CompletionOptions(trigger_characters=TRIGGER_CHARACTERS)

    @server.feature(t.TEXT_DOCUMENT_COMPLETION, options)
    async def completion(params: t.CompletionParams) -> t.CompletionList:
        uri = params.text_document.uri
        # Before any await: a didChange in the same write must not slip under the request.
        snapshot = server.snapshot(uri)
        session = server.session
        if snapshot is None or session.why_off(snapshot):
            return _list()
        session.note_focus(uri, params.position)
        offset = snapshot.offset_at(params.position.line, params.position.character)
        was_asked = asked_at.get(uri, -1) == snapshot.version
        asked_at[uri] = snapshot.version
        trigger = _trigger(params.context, snapshot.text[offset - 1 : offset], was_asked=was_asked)
        answer = await session.answering.answer(Ask(snapshot, offset, trigger))
        formats = get_capability(
            server.client_capabilities, "text_document.completion.completion_item.documentation_format", ()
        )
        is_markdown = t.MarkupKind.Markdown in (formats or ())
        items = (_item(snapshot, offset, offer, is_markdown=is_markdown) for offer in answer.offers[:1])
        return _list(*items)


def _trigger(context: t.CompletionContext | None, char: str, *, was_asked: bool) -> Trigger:
    """Who asked: LSP calls it an invocation too when a menu opens because of a letter just typed.

    So behind a letter it is one only if the same text was asked about before.
    """
    if context is not None and context.trigger_kind is not t.CompletionTriggerKind.Invoked:
        return Trigger.AUTOMATIC
    is_behind_word = char.isalnum() or char == "_"
    return Trigger.AUTOMATIC if is_behind_word and not was_asked else Trigger.INVOKED


def _list(*items: t.CompletionItem) -> t.CompletionList:
    """Incomplete: the next key is asked about again."""
    return t.CompletionList(is_incomplete=True, items=items)


def _item(snapshot: DocumentSnapshot, at: int, offer: Offer, *, is_markdown: bool) -> t.CompletionItem:
    """It replaces the word before the cursor by itself, for menus that keep what begins with that word."""
    word = _WORD_END.findall(offer.hole.line_prefix)[0]
    text = word + offer.text
    place = t.Range(start=snapshot.position_at(at - len(word)), end=snapshot.position_at(at + offer.replaces))
    return t.CompletionItem(
        label=_label(text),
        kind=t.CompletionItemKind.Text,
        detail="ghostfill",
        documentation=_documentation(text, snapshot.language_id, is_markdown=is_markdown),
        sort_text=LAST,
        filter_text=text.partition("\n")[0] or _label(text),
        text_edit=t.TextEdit(range=place, new_text=text.replace("\n", snapshot.line_end)),
        insert_text_format=t.InsertTextFormat.PlainText,
        insert_text_mode=t.InsertTextMode.AsIs,
        command=t.Command(title="Completion accepted", command=ACCEPTED, arguments=[{"id": offer.id}]),
    )


def _label(text: str) -> str:
    """The first line that says something, short; an ellipsis stands for the rest."""
    line, newline, _ = text.strip().partition("\n")
    line = line.rstrip()
    if len(line) > MAX_LABEL_CHARS:
        return line[: MAX_LABEL_CHARS - 1] + "…"
    return line + "…" if newline else line


def _documentation(text: str, language_id: str, *, is_markdown: bool) -> t.MarkupContent:
    """The whole text."""
    if not is_markdown:
        return t.MarkupContent(kind=t.MarkupKind.PlainText, value=text)
    fence = "`" * (max([2, *map(len, _BACKTICKS.findall(text))]) + 1)  # longer than any run inside
    language = "".join(char for char in language_id if char.isalnum() or char in "+#-_")
    return t.MarkupContent(kind=t.MarkupKind.Markdown, value=f"{fence}{language}\n{text}\n{fence}")
