"""`workspace/executeCommand`: what the client runs when a completion is accepted, and what the user runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import GhostfillError
from lsp_server.documents import DocumentSnapshot
from lsp_server.handlers.inline_completion import ACCEPTED
from lsp_server.switches import MAX_SNOOZE_MINUTES, SNOOZED

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

SNOOZE_MINUTES = 5


class ArgumentError(GhostfillError):
    """A command was called with something that it does not understand."""


def register(server: GhostfillServer) -> None:
    """Register this file's commands. They take any number of arguments: pygls knows no default values."""

    @server.command(ACCEPTED)
    def accepted(*arguments: Any) -> None:
        match arguments:  # our own item's; anything else is passed over
            case [{"id": str(completion_id)}, *_]:
                server.session.feedback.accepted(completion_id)

    @server.command("ghostfill.dismissed")
    def dismissed(*arguments: Any) -> None:
        said = _text_argument("ghostfill.dismissed", "id", arguments)
        server.session.answering.dismissed(said, _place_argument(server, arguments))

    @server.command("ghostfill.toggle")
    def toggle(*arguments: Any) -> dict[str, Any]:
        language = _text_argument("ghostfill.toggle", "language", arguments)
        switches = server.session.switches
        switches.toggle(language)
        return _state(switches.is_off(language), language)

    @server.command("ghostfill.snooze")
    def snooze(*arguments: Any) -> dict[str, Any]:
        minutes = _minutes_argument(arguments)
        switches = server.session.switches
        switches.snooze(minutes)
        reason = switches.is_off(None)
        if reason == SNOOZED:
            reason = f"Inline completion is snoozed for {minutes:g} minute{'' if minutes == 1 else 's'}."
        return _state(reason)

    @server.command("ghostfill.showContext")
    async def show_context(*arguments: Any) -> dict[str, Any]:
        # Imported when somebody asks: the server starts without it.
        from lsp_server import shown_context

        return await shown_context.show_context(server.session, arguments[0] if arguments else None)

    @server.command("ghostfill.restartEngine")
    def restart_engine() -> None:
        server.session.link.restart()
        server.session.chat.forget()


def _state(reason: str, language: str | None = None) -> dict[str, Any]:
    where = f" for {language}" if language else ""
    return {"enabled": not reason, "message": reason or f"Inline completion is on{where}."}


def _argument(key: str, arguments: tuple[Any, ...]) -> Any:
    """The one argument, as it is or under its name; None if it is left out."""
    argument = arguments[0] if arguments else None
    return argument.get(key) if isinstance(argument, Mapping) else argument


def _text_argument(command: str, key: str, arguments: tuple[Any, ...]) -> str | None:
    value = _argument(key, arguments)
    if value is None or (isinstance(value, str) and value):
        return value
    raise ArgumentError(f'{command} takes nothing, a string, or {{"{key}": a string}}.')


def _place_argument(
    server: GhostfillServer, arguments: tuple[Any, ...]
) -> tuple[DocumentSnapshot, int] | None:
    """Where the client says that it is; None where it does not say, or nowhere that is known."""
    match arguments[:1]:
        case [{"uri": str(uri), "position": {"line": int(line), "character": int(character)}}]:
            snapshot = server.snapshot(uri)
            return (snapshot, snapshot.offset_at(max(line, 0), character)) if snapshot is not None else None
    return None


def _minutes_argument(arguments: tuple[Any, ...]) -> float:
    value = _argument("minutes", arguments)
    if value is None:
        return SNOOZE_MINUTES
    # Not a number compares as false with everything.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SNOOZE_MINUTES:
        return value
    raise ArgumentError(
        f'ghostfill.snooze takes nothing, minutes from 0 to {MAX_SNOOZE_MINUTES}, or {{"minutes": a number}}.'
    )
