"""The commands `ghostfill.fix`, `ghostfill.document` and `ghostfill.explain`, each with one argument object.

The argument is the client's: what is wrong with it is answered with a sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t

from lsp_server.handlers.execute_command import ArgumentError

if TYPE_CHECKING:
    from lsp_server.actions.change import Change
    from lsp_server.actions.selection import Places
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)
FIX, DOCUMENT, EXPLAIN = "ghostfill.fix", "ghostfill.document", "ghostfill.explain"
DID_EXPLAIN = "ghostfill/didExplain"


@dataclass(frozen=True, slots=True)
class Made:
    """A change, and the edit that makes it in the client."""

    change: Change
    edit: t.WorkspaceEdit


def register(server: GhostfillServer) -> None:
    """Register this file's commands. They take any number of arguments: pygls knows no default values."""

    @server.command(FIX)
    async def fix(*arguments: Any) -> dict[str, Any]:
        return await _changed(server, FIX, _argument(FIX, arguments))

    @server.command(DOCUMENT)
    async def document(*arguments: Any) -> dict[str, Any]:
        return await _changed(server, DOCUMENT, _argument(DOCUMENT, arguments))

    @server.command(EXPLAIN)
    async def explain(*arguments: Any) -> dict[str, Any]:
        return await _explained(server, _argument(EXPLAIN, arguments))


async def change_of(
    server: GhostfillServer, command: str, argument: Mapping[str, Any], *, version: int | None = None
) -> Made:
    """What `ghostfill.fix` or `ghostfill.document` does; raises GhostfillError.

    With a `version` only to that one.
    """
    # Imported when somebody asks: the server starts without it.
    from lsp_server.actions.change import workspace_edit
    from lsp_server.actions.errors import ActionError
    from lsp_server.actions.rewrite.note import checked_note

    session, uri = server.session, argument["uri"]
    snapshot = server.snapshot(uri)
    if version is not None and snapshot is not None and snapshot.version != version:
        raise ActionError("The document changed since this was offered: ask for the actions once more.")
    places = _places(command, argument)
    if command == FIX:
        note = checked_note(argument.get("note"))
        change = await session.desk.fix(session, uri, places, _diagnostics(argument), note)
    else:
        change = await session.desk.document(session, uri, places)
    return Made(change, workspace_edit(session, change))


async def _changed(server: GhostfillServer, command: str, argument: Mapping[str, Any]) -> dict[str, Any]:
    from lsp_server.actions.errors import NoAnswerError

    try:
        made = await change_of(server, command, argument)
    except NoAnswerError as error:
        return {"edit": None, "applied": False, "message": str(error)}
    message, is_applied = made.change.label, False
    if argument.get("apply") is not False:
        if server.session.can("workspace.apply_edit"):
            params = t.ApplyWorkspaceEditParams(edit=made.edit, label=made.change.label)
            result = await server.workspace_apply_edit_async(params)
            is_applied = result is not None and result.applied
            reason = (result.failure_reason if result is not None else "") or "the editor did not apply it"
            message = message if is_applied else f"{message}: {reason}."
        else:
            message = f"{message}: this editor lets no server apply edits."
    return {"edit": json_of(server, made.edit), "applied": is_applied, "message": message}


async def _explained(server: GhostfillServer, argument: Mapping[str, Any]) -> dict[str, Any]:
    session, token = server.session, argument.get("token")
    told = ""

    def tell(text: str) -> None:
        nonlocal told
        told = text
        if isinstance(token, str | int):
            server.protocol.notify(DID_EXPLAIN, {"token": token, "text": text, "done": False})

    try:
        found = await session.desk.explain(
            session, argument["uri"], _places(EXPLAIN, argument), _diagnostics(argument), tell
        )
    finally:
        if isinstance(token, str | int):  # also where it was cancelled, or went wrong
            server.protocol.notify(DID_EXPLAIN, {"token": token, "text": told, "done": True})
    uri = found.page.as_uri()
    if argument.get("show") is not False:
        _show(server, found.title, found.page)
    files = [{"path": session.context.relative(path), "uri": path.as_uri()} for path in found.files]
    return {"title": found.title, "text": found.text, "files": files, "uri": uri}


def json_of(server: GhostfillServer, value: Any) -> Any:
    """A value of lsprotocol as it goes over the wire; anything else as it is."""
    return value if isinstance(value, Mapping | str) else server.protocol._converter.unstructure(value)


def _argument(command: str, arguments: tuple[Any, ...]) -> Mapping[str, Any]:
    match arguments[:1]:
        case [Mapping() as argument] if isinstance(argument.get("uri"), str):
            return argument
    raise ArgumentError(f'{command} takes one object, {{"uri", "range" or "position"}}.')


def _places(command: str, argument: Mapping[str, Any]) -> Places:
    match argument:
        case {"range": {"start": start, "end": end}}:
            found = _place(start), _place(end)
        case {"position": position}:
            found = _place(position), _place(position)
        case _:
            found = None, None
    one, other = found
    if one is None or other is None:
        raise ArgumentError(f"{command} needs a range or a position, as in LSP.")
    return one, other


def _place(value: Any) -> tuple[int, int] | None:
    match value:
        case {"line": int() | float() as line, "character": int() | float() as character}:
            return int(line), int(character)  # Lua and JavaScript may write 3.0
    return None


def _diagnostics(argument: Mapping[str, Any]) -> list[Any]:
    found = argument.get("diagnostics")
    return found if isinstance(found, list) else []


def _show(server: GhostfillServer, title: str, page: Path) -> None:
    """Opens the page; where the client opens nothing for a server, the user is told where it is."""
    if server.session.can("window.show_document.support"):
        # Not awaited: the client may wait for us to answer before it shows anything.
        server.window_show_document(t.ShowDocumentParams(uri=page.as_uri(), external=False), _note_shown)
    else:
        server.window_show_message(t.ShowMessageParams(type=t.MessageType.Info, message=f"{title}: {page}"))


def _note_shown(result: t.ShowDocumentResult) -> None:
    if not result.success:
        log.info("the client did not show the page")
