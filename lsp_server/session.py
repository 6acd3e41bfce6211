"""One client's state, from `initialize` on: settings, repository context, engine line, pipeline.

Handlers read it; it knows no single LSP method.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as t
from pygls.capabilities import get_capability

from context import RepoContext
from engine.api import Completion, CompletionRequest
from engine.backends.base import Backend, EngineInfo, OnProgress
from engine.errors import EngineUnavailableError, GhostfillError
from lsp_server.backend_choice import backend_for
from lsp_server.documents import DocumentSnapshot, uri_to_path
from lsp_server.engine_link import EngineLink
from lsp_server.newest import Newest
from lsp_server.pipeline import Pipeline
from lsp_server.planner import Planner
from lsp_server.progress import WorkDoneProgress
from lsp_server.project_root import project_root
from lsp_server.settings import CLIENT_KEY, Settings, load_settings
from lsp_server.status import Kind, Status

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)
OVERLAY_SECONDS = 0.5
"""An open buffer is read into the repository context after so long without a change."""


@dataclass(slots=True)
class Feedback:
    """What became of completions since the start."""

    shown: int = 0
    accepted: int = 0
    partially_accepted: int = 0


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
        self.status.is_wanted = self._client_wants("status")
        self.feedback = Feedback()
        self.focus: Focus | None = None
        self.newest = Newest()
        self._told_problems: set[str] = set()
        self._overlays: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._configuration: Mapping[str, Any] = {}
        self.roots = roots
        self.settings = self._load_settings()
        self.context = RepoContext(roots, exclude=self.settings.privacy.exclude)
        self.planner = Planner(self.context)
        self.link = EngineLink(
            self._choose_backend(),
            self.status,
            lambda: WorkDoneProgress(server, "ghostfill"),
            self.tell_user,
        )
        self.pipeline = Pipeline(self.settings, self.context, self.planner, self.link)

    def start(self) -> None:
        """After `initialized`: index in the background, bring the engine up."""
        self.context.start()
        if self.settings.inline.enabled:
            self.link.start()
        else:
            self.status.set(Kind.INACTIVE, "inline completion is off")

    async def close(self) -> None:
        """Give everything back; the engine lives on."""
        for timer in self._overlays.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        self.planner.close()
        await self.link.close()
        await asyncio.to_thread(self.context.close)

    def is_off_for(self, snapshot: DocumentSnapshot) -> bool:
        """Nothing is to be completed in this document."""
        settings = self.settings
        if not settings.inline.enabled or snapshot.language_id in settings.languages.disabled:
            return True
        return snapshot.path is not None and self.context.is_private(snapshot.path)

    def configure(self, configuration: Any) -> None:
        """The client's configuration section has changed."""
        self._configuration = configuration if isinstance(configuration, Mapping) else {}
        before = self.settings
        self.settings = self.pipeline.settings = self._load_settings()
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
        if position is None and self.focus is not None and self.focus.uri == uri:
            return
        self.focus = Focus(uri, position)

    def document_opened(self, uri: str) -> None:
        """Read the buffer into the context at once; without a workspace folder, its project becomes one."""
        self.note_focus(uri)
        path = uri_to_path(uri)
        if path is not None and not self.roots:
            self.rebuild_context([project_root(path)])
        else:
            self.read_overlay(uri)
        snapshot = self.server.snapshot(uri)
        if snapshot is not None and not self.is_off_for(snapshot):
            self._background(self.pipeline.prepare(snapshot))

    def document_changed(self, uri: str) -> None:
        """Read the buffer into the context once it has been quiet for a moment."""
        self.note_focus(uri)
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
        self.newest.displace(uri)
        self.pipeline.forget(uri)
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

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    def _client_wants(self, what: str) -> bool:
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

    def _choose_backend(self) -> Backend:
        try:
            return backend_for(self.settings)
        except GhostfillError as error:
            self.tell_user(str(error))
            return NoBackend(str(error))


class NoBackend:
    """Stands in where the settings name a backend that cannot be: every call ends with the reason."""

    def __init__(self, reason: str) -> None:
        self._error = EngineUnavailableError(reason)

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Raises the reason."""
        raise self._error

    async def complete(self, request: CompletionRequest) -> Completion:
        """Raises the reason."""
        raise self._error

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """Nothing is known."""

    def forget(self) -> None:
        """Nothing is known."""

    async def close(self) -> None:
        """Nothing is open."""
