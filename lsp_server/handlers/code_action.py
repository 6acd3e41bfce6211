"""`textDocument/codeAction` and `codeAction/resolve`: the light bulb, which asks no engine, and its edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t
from pygls.capabilities import get_capability

from lsp_server.handlers.actions import DOCUMENT, EXPLAIN, FIX, change_of, json_of

if TYPE_CHECKING:
    from lsp_server.actions.desk import Offered
    from lsp_server.server import GhostfillServer

MAX_TITLE = 80
KINDS = (t.CodeActionKind.QuickFix, t.CodeActionKind.RefactorRewrite)


def register(server: GhostfillServer) -> None:
    """Register this file's handlers."""
    options = t.CodeActionOptions(code_action_kinds=KINDS, resolve_provider=True)

    @server.feature(t.TEXT_DOCUMENT_CODE_ACTION, options)
    def code_action(params: t.CodeActionParams) -> list[t.CodeAction | t.Command]:
        uri, span = params.text_document.uri, params.range
        session = server.session
        places = ((span.start.line, span.start.character), (span.end.line, span.end.character))
        offered = session.desk.offered(session, uri, places, params.context.diagnostics)
        if offered is None:
            return []
        if params.context.trigger_kind == t.CodeActionTriggerKind.Automatic:
            # Asked at every rest of the cursor: a light bulb in every function would say nothing.
            offered = offered.fixes_alone()
        place = {"uri": uri, "range": json_of(server, span)}
        all_actions = [*_edits(server, offered, place), *_explanations(server, offered, params)]
        found = [each for each in all_actions if _is_wanted(each.kind, params.context.only)]
        if get_capability(_capability(server), "code_action_literal_support", None) is None:
            return [action.command for action in found if action.command is not None]
        return [*found]

    @server.feature(t.CODE_ACTION_RESOLVE)
    async def resolve(action: t.CodeAction) -> t.CodeAction:
        match action.data:  # our own; there is nothing to resolve in another
            case {"command": str(command), "version": version, "argument": {"uri": str()} as argument}:
                action.edit = (await change_of(server, command, argument, version=version)).edit
        return action


def _edits(server: GhostfillServer, offered: Offered, place: Mapping[str, Any]) -> Iterator[t.CodeAction]:
    version = offered.snapshot.version
    for group in offered.fixes:
        title = f"Fix with ghostfill: {group.faults[0].message}"
        argument = {**place, "diagnostics": [json_of(server, raw) for raw in group.diagnostics]}
        action = _with_edit(server, title, FIX, argument, version)
        action.kind = t.CodeActionKind.QuickFix
        action.diagnostics = [*group.diagnostics] or None
        yield action
    if offered.undocumented is not None:
        title = f"Document '{offered.undocumented.name}' with ghostfill"
        action = _with_edit(server, title, DOCUMENT, place, version)
        action.kind = t.CodeActionKind.RefactorRewrite
        yield action


def _explanations(
    server: GhostfillServer, offered: Offered, params: t.CodeActionParams
) -> Iterator[t.CodeAction]:
    uri, span, snapshot = params.text_document.uri, params.range, offered.snapshot
    if (name := offered.explainable) is not None:
        # Where lines are selected, a range means those.
        at = snapshot.position_at(max(name.start, name.header_end - 1))
        is_other = offered.can_explain_lines and span.start != span.end
        whole = t.Range(start=at, end=at) if is_other else span
        yield _explanation(server, f"Explain '{name.name}' with ghostfill", {"uri": uri}, whole)
    if offered.can_explain_lines:
        yield _explanation(server, "Explain the selection with ghostfill", {"uri": uri}, span)
    if offered.can_explain_problems:
        diagnostics = params.context.diagnostics
        at = diagnostics[0].range.start
        argument = {"uri": uri, "diagnostics": [json_of(server, each) for each in diagnostics]}
        yield _explanation(server, "Explain this problem with ghostfill", argument, t.Range(start=at, end=at))


def _explanation(
    server: GhostfillServer, title: str, argument: Mapping[str, Any], span: t.Range
) -> t.CodeAction:
    title = _short(title)
    arguments = [{**argument, "range": json_of(server, span)}]
    return t.CodeAction(title=title, command=t.Command(title=title, command=EXPLAIN, arguments=arguments))


def _with_edit(
    server: GhostfillServer, title: str, command: str, argument: Mapping[str, Any], version: int | None
) -> t.CodeAction:
    """Its edit is computed when it is chosen: by `codeAction/resolve`, or else by the command."""
    title = _short(title)
    if _can_resolve(server):
        return t.CodeAction(
            title=title, data={"command": command, "version": version, "argument": {**argument}}
        )
    return t.CodeAction(
        title=title, command=t.Command(title=title, command=command, arguments=[{**argument}])
    )


def _can_resolve(server: GhostfillServer) -> bool:
    capability = _capability(server)
    properties = get_capability(capability, "resolve_support.properties", ()) or ()
    has_literals = get_capability(capability, "code_action_literal_support", None) is not None
    return has_literals and bool(get_capability(capability, "data_support", False)) and "edit" in properties


def _capability(server: GhostfillServer) -> Any:
    found = get_capability(server.client_capabilities, "text_document.code_action", None)
    return found if found is not None else t.CodeActionClientCapabilities()


def _is_wanted(kind: t.CodeActionKind | str | None, only: Sequence[t.CodeActionKind | str] | None) -> bool:
    """A kind stands for all that it is the beginning of."""
    if not only:
        return True
    name = str(getattr(kind, "value", kind) or "")
    asked = [str(getattr(each, "value", each)) for each in only]
    return any(each == "" or name == each or name.startswith(f"{each}.") for each in asked)


def _short(title: str) -> str:
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1] + "…"
