"""One client's state, from `initialize` on: settings, repository context, engine line, pipeline.

Handlers read it; it knows no single LSP method.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t
from pygls.capabilities import get_capability

from context import RepoContext
from engine.backends.base import Backend
from engine.errors import GhostfillError
from lsp_server.answering import Answering
from lsp_server.backend_choice import NoBackend, backend_for
from lsp_server.diagnostics import Diagnostics
from lsp_server.dismissals import Dismissals
from lsp_server.documents import DocumentSnapshot, uri_to_path
from lsp_server.engine_link import EngineLink
from lsp_server.feedback import Feedback
from lsp_server.pipeline import Pipeline
from lsp_server.planner import Planner
from lsp_server.progress import WorkDoneProgress
from lsp_server.project_root import project_root
from lsp_server.settings import CLIENT_KEY, Settings, load_settings
from lsp_server.stats import StatsWriter
from lsp_server.status import Status
from lsp_server.switches import Switches

if TYPE_CHECKING:
    from lsp_server.actions.desk import Desk
    from lsp_server.chat_link import ChatLink
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)
OVERLAY_SECONDS = 0.5
"""An open buffer is read into the repository context after so long without a change."""


@dataclass(frozen=True, slots=True)
class Focus:
    """Where the user was last seen."""

    uri: str
    position: t.Position | None
    """None where only the document is known."""


class Session:
    """Everything that lives as long as the client's connection."""

    def __init__(self, server: GhostfillServer, initialization_options: Any, roots: list[Path]) -> None:
        self.server = server
        self.options = initialization_options if isinstance(initialization_options, Mapping) else {}
        self.status = Status(lambda value: server.protocol.notify("didChangeStatus", value))
        self.status.is_wanted = self.client_wants("status")
        self.focus: Focus | None = None
        self._told_problems: set[str] = set()
        self._overlays: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._configuration: Mapping[str, Any] = {}
        self.roots = roots
        self.settings = self._load_settings()
        self._settings_at_start = self.settings
        self.context = RepoContext(roots, exclude=self.settings.privacy.exclude)
        self.planner = Planner(self.context)
        self.link = EngineLink(
            self._choose_backend(),
            self.status,
            self._new_progress,
            self.tell_user,
        )
        self.diagnostics = Diagnostics()
        self.pipeline = Pipeline(self.settings, self.context, self.planner, self.link, self.diagnostics)
        tell = partial(server.protocol.notify, "ghostfill/didAnswer")
        self.feedback = Feedback()
        self.dismissals = Dismissals()
        self.answering = Answering(
            self.pipeline, self.feedback, self.dismissals, tell if self.client_wants("answers") else None
        )
        self.switches = Switches(time.monotonic, lambda: self.settings)
        self.switches.on_change = self._switched
        self.stats = StatsWriter(self.feedback.take, lambda: self.settings.stats.enabled)

    @cached_property
    def desk(self) -> Desk:
        """Where code actions are handed in; the server starts without it."""
        from lsp_server.actions.desk import Desk

        return Desk()

    @cached_property
    def chat(self) -> ChatLink:
        """The instruct model, like the engine that of the settings at the start."""
        from lsp_server.chat_link import ChatLink

        def budget_tokens(default: int) -> int:
            return self.settings.context.total_tokens(default)

        return ChatLink(self._settings_at_start, budget_tokens, self.link, self.status, self._new_progress)

    def start(self) -> None:
        """After `initialized`: index in the background, bring the engine up."""
        self.context.start()
        self.stats.start()
        self._switched()

    async def close(self) -> None:
        """Give everything back; the engine lives on."""
        for timer in self._overlays.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        self.switches.close()
        self.pipeline.close()
        self.planner.close()
        await self.stats.close()
        if "chat" in self.__dict__:
            await self.chat.close()
        await self.link.close()
        await asyncio.to_thread(self.context.close)

    def why_off(self, snapshot: DocumentSnapshot) -> str:
        """Why nothing is to be completed in this document, as a sentence; empty if it is."""
        if reason := self.switches.is_off(snapshot.language_id):
            return reason
        is_private = snapshot.path is not None and self.context.is_private(snapshot.path)
        return "Nothing is completed in this file: it is private." if is_private else ""

    def configure(self, configuration: Any) -> None:
        """The client's configuration section has changed."""
        self._configuration = configuration if isinstance(configuration, Mapping) else {}
        before = self.settings
        self.settings = self.pipeline.settings = self._load_settings()
        self._switched()
        if self.settings.privacy.exclude != before.privacy.exclude:
            self.rebuild_context(self.roots)

    def rebuild_context(self, roots: list[Path]) -> None:
        """The workspace has other folders, or other files are excluded."""
        old_context, old_planner = self.context, self.planner
        self.roots = roots
        self.context = RepoContext(roots, exclude=self.settings.privacy.exclude)
        self.planner = Planner(self.context)
        self.pipeline.use(self.context, self.planner)
        self.context.start()
        for uri in self.server.workspace.text_documents:
            self.read_overlay(uri)
        old_planner.close()
        asyncio.get_running_loop().run_in_executor(None, old_context.close)

    def note_focus(self, uri: str, position: t.Position | None = None) -> None:
        """The user is in this document."""
        was_here = self.focus is not None and self.focus.uri == uri
        if position is None and was_here:
            return
        self.focus = Focus(uri, position)
        if not was_here:
            self._show_state()

    def document_opened(self, uri: str) -> None:
        """Read the buffer into the context at once; without a workspace folder, its project becomes one."""
        self.note_focus(uri)
        path = uri_to_path(uri)
        if path is not None and not self.roots:
            self.rebuild_context([project_root(path)])
        else:
            self.read_overlay(uri)
        snapshot = self.server.snapshot(uri)
        if snapshot is not None and not self.why_off(snapshot):
            self._background(self.pipeline.prepare(snapshot))

    def document_changed(self, uri: str, insertion: str | None) -> None:
        """Read the buffer into the context once it has been quiet for a moment.

        `insertion` is what was inserted, if it was one edit that replaced nothing.
        """
        self.note_focus(uri)
        if (snapshot := self.server.snapshot(uri)) is not None:
            self.answering.changed(snapshot, insertion)
        if (timer := self._overlays.pop(uri, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._overlays[uri] = loop.call_later(OVERLAY_SECONDS, self.read_overlay, uri)

    def document_closed(self, uri: str) -> None:
        """The file on disk counts again."""
        if self.focus is not None and self.focus.uri == uri:
            self.focus = None
        if (timer := self._overlays.pop(uri, None)) is not None:
            timer.cancel()
        self.answering.closed(uri)
        self.diagnostics.note_closed(uri)
        if (path := uri_to_path(uri)) is not None:
            self.context.set_closed(path)

    def read_overlay(self, uri: str) -> None:
        """Give the open buffer's text to the context."""
        self._overlays.pop(uri, None)
        snapshot = self.server.snapshot(uri)
        if snapshot is not None and snapshot.path is not None:
            self.context.set_open(snapshot.path, snapshot.text)

    def tell_user(self, message: str) -> None:
        """Show a sentence in the editor."""
        params = t.ShowMessageParams(type=t.MessageType.Warning, message=f"ghostfill: {message}")
        self.server.window_show_message(params)

    def can(self, capability: str) -> bool:
        """The client has a capability, named by its dotted path."""
        return bool(get_capability(self.server.client_capabilities, capability, False))

    def _switched(self) -> None:
        """Something was turned on or off."""
        self._show_state()
        if self.link.info_now is None and not self.switches.is_off(None):
            self.link.start()

    def _show_state(self) -> None:
        """The status of the document that the user is in."""
        snapshot = self.server.snapshot(self.focus.uri) if self.focus is not None else None
        reason = self.why_off(snapshot) if snapshot is not None else self.switches.is_off(None)
        if reason:
            self.status.pause(reason)
        else:
            self.status.resume()

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    def client_wants(self, what: str) -> bool:
        """The client asks for this in its initializationOptions."""
        wants = self.options.get(CLIENT_KEY)
        return isinstance(wants, Mapping) and bool(wants.get(what))

    def _load_settings(self) -> Settings:
        settings, problems = load_settings(self.options, self._configuration, self.roots)
        for problem in map(str, problems):
            log.warning("settings: %s", problem)
            if problem not in self._told_problems:
                self._told_problems.add(problem)
                self.tell_user(problem)
        return settings

    def _new_progress(self) -> WorkDoneProgress:
        return WorkDoneProgress(self.server, "ghostfill")

    def _choose_backend(self) -> Backend:
        try:
            return backend_for(self.settings)
        except GhostfillError as error:
            self.tell_user(str(error))
            return NoBackend(str(error))
