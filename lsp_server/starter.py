"""From a place to the engine's work on it: syntax, repository text, prompt. Knows no keystrokes and no timing
but the deadlines it is given.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from functools import partial

from context import Plan, RepoContext
from context.languages import Language, language_named, language_of
from context.syntax import Place, SyntaxTrees
from engine.anchor import Anchor
from engine.api import FinishReason, Priority, Segment
from engine.backends.base import EngineInfo, OnText
from engine.errors import NoInfillError
from lsp_server.answer import Ask, Stages
from lsp_server.diagnostics import Diagnostics
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_link import EngineLink
from lsp_server.engine_work import Asked, EngineWork, Finished, Site
from lsp_server.hole import Hole
from lsp_server.in_flight import Run
from lsp_server.planner import Planner, PlanRequest
from lsp_server.request import budget_for, build_request
from lsp_server.settings import Settings

log = logging.getLogger(__name__)
ANSWER_MS = 100
"""Kept back from a deadline for the way from the engine to the editor."""
AHEAD_SECONDS = 0.05
"""A request ahead waits so long: whoever types on at once has made it useless."""

BUILTIN = "builtin"
"""The built-in model's FIM format."""

OnFinished = Callable[[Finished], None]


class Starter:
    """Starts runs; one for the whole session."""

    def __init__(
        self,
        settings: Settings,
        context: RepoContext,
        planner: Planner,
        link: EngineLink,
        diagnostics: Diagnostics,
    ) -> None:
        self.settings = settings
        self.syntax = SyntaxTrees()
        self._context = context
        self._planner = planner
        self._link = link
        self._diagnostics = diagnostics
        # Two windows on one file are two documents to the engine they share.
        self._client_id = uuid.uuid4().hex
        self._anchors: dict[str, Anchor | None] = {}

    def use(self, context: RepoContext, planner: Planner) -> None:
        """The workspace has changed."""
        self._context, self._planner = context, planner

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self.syntax.forget(uri)
        self._anchors.pop(uri, None)
        self._planner.note_closed(uri)

    def place(self, snapshot: DocumentSnapshot, hole: Hole) -> Place | None:
        """What syntax says of a place."""
        return self.syntax.place(snapshot.uri, _language(snapshot), hole.text, hole.offset)

    def segments_now(self, uri: str) -> tuple[Segment, ...] | None:
        """The document's repository text as it stands; None where none was made yet."""
        plan = self._planner.current(uri)
        return plan.segments if plan is not None else None

    def anchor(self, uri: str) -> Anchor | None:
        """Where the frozen part of the document's last prompt ended."""
        return self._anchors.get(uri)

    async def info(self) -> EngineInfo | None:
        """The engine, once it is up; None if it cannot be."""
        return await self._link.info(wait=True)

    async def plan(
        self,
        snapshot: DocumentSnapshot,
        offset: int,
        info: EngineInfo,
        deadline_s: float | None,
        *,
        is_guess: bool = False,
    ) -> Plan | None:
        """What the repository says to a place, as the next key there would be answered with."""
        if not self.settings.context.enabled or snapshot.path is None:
            return None
        request = PlanRequest(
            uri=snapshot.uri,
            path=snapshot.path,
            text=snapshot.text,
            offset=offset,
            language_id=snapshot.language_id,
            budget_tokens=budget_for(self.settings, info).context,
            count_tokens=info.tokenizer.count,
            is_guess=is_guess,
        )
        plan = await self._planner.plan(request, deadline_s)
        return plan if is_guess else self._with_diagnostics(plan, snapshot, offset, info)

    def _with_diagnostics(
        self, plan: Plan | None, snapshot: DocumentSnapshot, offset: int, info: EngineInfo
    ) -> Plan | None:
        # The built-in model changes up to half of its answers for such a line, and none for the better.
        if plan is None or info.layout.fim.name == BUILTIN:
            return plan
        leader = language.comment if (language := _language(snapshot)) else "#"
        return self._diagnostics.added_to(plan, snapshot, offset, leader, info.tokenizer.count)

    async def start(
        self,
        ask: Ask,
        place: Place | None,
        stages: Stages,
        on_finished: OnFinished,
        *,
        deadline: float | None,
        num_answers: int,
        drafts: tuple[str, ...] = (),
    ) -> Run | None:
        """A run for what was asked; None without an engine, or with one that cannot fill this place.

        `drafts` are texts that its answer may repeat.
        """
        info = await self.info()
        if info is None:
            return None
        loop = asyncio.get_running_loop()
        begun = loop.time()
        patience = None if ask.is_invoked else self.settings.context.deadline_ms / 1000
        plan = await self.plan(ask.snapshot, ask.offset, info, patience)
        stages.plan_ms += (loop.time() - begun) * 1000
        max_ms = None if deadline is None else max(1, int((deadline - loop.time()) * 1000) - ANSWER_MS)
        site = self._site(ask.snapshot, Asked(ask.hole()), plan, info, place)
        uri, edits = ask.snapshot.uri, _edits(plan)
        try:
            work = EngineWork(
                site,
                self.settings,
                max_ms=max_ms,
                num_answers=num_answers,
                anchor=self._anchors.get(uri),
                drafts=(*drafts, *edits),
            )
        except NoInfillError as error:
            log.info("%s", error)  # the status says so since the engine is ready
            return None
        self._anchors[uri] = work.prompt.anchor
        return Run(work, partial(work.run, partial(self._link.complete, wait=ask.is_invoked)), on_finished)

    def start_ahead(self, ask: Ask, asked: Asked, on_finished: OnFinished) -> Run | None:
        """A run for a place where nobody is yet; None where that cannot be, or is not worth waiting for."""
        info = self._link.info_now
        if info is None:
            return None
        plan = self._planner.current(ask.snapshot.uri)
        site = self._site(ask.snapshot, asked, plan, info)
        try:
            anchor = self._anchors.get(ask.snapshot.uri)
            work = EngineWork(site, self.settings, priority=Priority.AHEAD, anchor=anchor)
        except NoInfillError:
            return None

        async def start(on_text: OnText) -> Finished:
            await asyncio.sleep(AHEAD_SECONDS)
            return await work.run(partial(self._link.complete, wait=False), on_text)

        return Run(work, start, on_finished)

    async def read(self, ask: Ask) -> None:
        """Have the engine read a place's prompt, for nobody yet; the document's anchor moves there."""
        snapshot, info = ask.snapshot, self._link.info_now
        if info is None:
            return
        uri, hole = snapshot.uri, ask.hole()
        path = self._context.relative(snapshot.file_name)
        plan = self._with_diagnostics(self._planner.current(uri), snapshot, ask.offset, info)
        try:
            asked = build_request(
                self.settings,
                info,
                hole,
                path,
                plan,
                document=self._document(uri),
                priority=Priority.AHEAD,
                max_tokens=0,
            )
        except NoInfillError:
            return
        completion = await self._link.complete(asked.request, wait=False)
        if completion is not None and completion.finish_reason is not FinishReason.CANCELLED:
            self._anchors[uri] = asked.prompt.anchor

    def _document(self, uri: str) -> str:
        return f"{self._client_id} {uri}"

    def _site(
        self,
        snapshot: DocumentSnapshot,
        asked: Asked,
        plan: Plan | None,
        info: EngineInfo,
        place: Place | None = None,
    ) -> Site:
        return Site.of(
            asked,
            self.syntax,
            snapshot.uri,
            _language(snapshot),
            plan=plan,
            info=info,
            path=self._context.relative(snapshot.file_name),
            document=self._document(snapshot.uri),
            place=place,
        )


def _edits(plan: Plan | None) -> tuple[str, ...]:
    """What was changed elsewhere lately is often changed here too."""
    segments = plan.segments if plan is not None else ()
    return tuple(segment.text for segment in segments if segment.kind == "recent_edit")


def _language(snapshot: DocumentSnapshot) -> Language | None:
    named = language_of(snapshot.path) if snapshot.path is not None else None
    return named or language_named(snapshot.language_id)
