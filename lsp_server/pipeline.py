"""The life of a keystroke: typed-through, debounce, context, engine, trim. Knows no LSP types.

Every step may be cancelled; an automatic request is answered within its deadline or empty.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from context import Plan, RepoContext
from engine.backends.base import EngineInfo
from engine.errors import NoInfillError
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_link import EngineLink
from lsp_server.hole import Hole
from lsp_server.planner import Planner, PlanRequest
from lsp_server.request import EngineRequest, budget_for, build_request
from lsp_server.settings import Settings
from lsp_server.trim import trim
from lsp_server.typed_through import Offer

log = logging.getLogger(__name__)

AUTOMATIC_SECONDS = 2.0
INVOKED_SECONDS = 30.0
DEBOUNCE_MS = 40
"""For `inline.debounceMs` `auto`."""
ANSWER_MS = 100
"""Kept back from a deadline for the way from the engine to the editor."""


class Trigger(StrEnum):
    """Who asked."""

    AUTOMATIC = "automatic"
    INVOKED = "invoked"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a completion."""

    snapshot: DocumentSnapshot
    offset: int
    trigger: Trigger


class Pipeline:
    """Answers asks; one for the whole session."""

    def __init__(self, settings: Settings, context: RepoContext, planner: Planner, link: EngineLink) -> None:
        self.settings = settings
        self._context = context
        self._planner = planner
        self._link = link
        self._last_offers: dict[str, Offer] = {}
        # Two windows on one file are two documents to the engine they share.
        self._client_id = uuid.uuid4().hex

    async def offer(self, ask: Ask) -> Offer | None:
        """What to show, or None."""
        hole = Hole(ask.snapshot.text, ask.offset)
        if (rest := self._typed_through(ask.snapshot.uri, hole)) is not None:
            return rest
        invoked = ask.trigger is Trigger.INVOKED
        if not invoked and hole.is_inside_word():
            return None
        try:
            async with asyncio.timeout(INVOKED_SECONDS if invoked else AUTOMATIC_SECONDS) as limit:
                if not invoked:
                    await asyncio.sleep(self._debounce_ms() / 1000)
                return await self._computed(ask, hole, limit.when())
        except TimeoutError:
            log.info("no completion within the deadline")
            return None

    async def prepare(self, snapshot: DocumentSnapshot) -> None:
        """Have the document's plan ready for its first request."""
        if (info := await self._link.info(wait=True)) is not None:
            await self.plan(snapshot, 0, info, None, is_guess=True)

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
        return await self._planner.plan(request, deadline_s)

    def use(self, context: RepoContext, planner: Planner) -> None:
        """The workspace has changed."""
        self._context, self._planner = context, planner

    def forget(self, uri: str) -> None:
        """The document is closed."""
        self._last_offers.pop(uri, None)
        self._planner.note_closed(uri)

    def _typed_through(self, uri: str, hole: Hole) -> Offer | None:
        last = self._last_offers.get(uri)
        rest = last.rest_at(hole) if last is not None else None
        if last is None or rest is None:
            return None
        return Offer(hole, rest, last.id)

    def _debounce_ms(self) -> float:
        fixed = self.settings.inline.debounce_ms
        return DEBOUNCE_MS if fixed == "auto" else float(fixed)

    async def _computed(self, ask: Ask, hole: Hole, deadline: float | None) -> Offer | None:
        invoked = ask.trigger is Trigger.INVOKED
        info = await self._link.info(wait=invoked)
        if info is None:
            return None
        plan_deadline = None if invoked else self.settings.context.deadline_ms / 1000
        plan = await self.plan(ask.snapshot, ask.offset, info, plan_deadline)
        try:
            asked = self._request(ask, hole, info, plan, deadline)
        except NoInfillError as error:
            log.info("%s", error)  # the status says so since the engine is ready
            return None
        completion = await self._link.complete(asked.request, wait=invoked)
        if completion is None:
            return None
        log.debug("%s %s", completion.finish_reason, completion.timings)
        text = trim(completion.text, hole, completion.finish_reason)
        if not text:
            return None
        offer = Offer(hole, text, uuid.uuid4().hex)
        self._last_offers[ask.snapshot.uri] = offer
        return offer

    def _request(
        self, ask: Ask, hole: Hole, info: EngineInfo, plan: Plan | None, deadline: float | None
    ) -> EngineRequest:
        path = ask.snapshot.path or Path(ask.snapshot.uri.rpartition("/")[2] or "untitled")
        max_ms = None
        if deadline is not None:
            max_ms = max(1, int((deadline - asyncio.get_running_loop().time()) * 1000) - ANSWER_MS)
        return build_request(
            self.settings,
            info,
            hole,
            self._context.relative(path),
            plan,
            document=f"{self._client_id} {ask.snapshot.uri}",
            max_ms=max_ms,
        )
