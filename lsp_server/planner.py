"""Repository segments for each open document: made once, then renewed behind the typist's back.

Segments that change while the user types would cost the engine its KV cache; so a plan stands until the user
pauses. Knows `RepoContext` and time; knows neither LSP nor models.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from context import Plan, RepoContext

log = logging.getLogger(__name__)
IDLE_SECONDS = 1.5
"""A stale plan is renewed when no request came for so long."""
INDEX_SECONDS = 10.0
"""Who asks by hand waits so long for the index; the plan says if it was made without."""
JUMP_LINES = 32
"""So far away the current file's part of the prompt is another one anyway: a new plan costs little more."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is made from."""

    uri: str
    path: Path
    text: str
    offset: int
    language_id: str
    budget_tokens: int
    count_tokens: Callable[[str], int]
    is_guess: bool = False
    """The document was opened, and where its cursor will be is not known yet."""

    @property
    def num_lines(self) -> int:
        """Changes when the user leaves a line, adds or removes one."""
        return self.text.count("\n")

    @property
    def line(self) -> int:
        """The cursor's."""
        return self.text.count("\n", 0, self.offset)


@dataclass(slots=True)
class _Kept:
    plan: Plan
    num_lines: int
    line: int
    is_guess: bool
    num_edits: int
    """In other files, when it was asked for."""
    is_outdated: bool = False


class Planner:
    """Keeps one plan per document; every method runs on the event loop."""

    def __init__(self, context: RepoContext) -> None:
        self._context = context
        self._kept: dict[str, _Kept] = {}
        self._making: dict[str, asyncio.Task[Plan]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.on_renewed: Callable[[str], None] = lambda uri: None
        """Told of a document whose plan says something new that no request has been given yet."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plan")

    async def plan(self, request: PlanRequest, deadline_s: float | None) -> Plan | None:
        """The document's plan; None if there is none within the deadline: the next key will find it.

        Without a deadline it waits for the index, and for a plan that knows where the cursor is. Who comes
        back from changing another file is given a new one, like after a jump.
        """
        if deadline_s is None and not request.is_guess:
            await self._until_all_is_there(request)
        kept = self._kept.get(request.uri)
        if kept is None or kept.plan.budget_tokens != request.budget_tokens:
            return await self._within(request, deadline_s)
        is_poor = kept.is_guess or (not kept.plan.is_complete and self._context.wait_ready(0))
        is_return = kept.num_edits != self._context.num_edits_elsewhere(request.path)
        is_jump = abs(kept.line - request.line) > JUMP_LINES
        if (is_poor and not request.is_guess) or is_return or is_jump:
            return await self._within(request, deadline_s) or kept.plan
        self._renew_if_old(request)
        return kept.plan

    def current(self, uri: str) -> Plan | None:
        """The plan that stands now, however old."""
        kept = self._kept.get(uri)
        return kept.plan if kept is not None else None

    async def _until_all_is_there(self, request: PlanRequest) -> None:
        if not self._context.wait_ready(0):
            await asyncio.to_thread(self._context.wait_ready, INDEX_SECONDS)
        if (making := self._making.get(request.uri)) is not None:
            await asyncio.wait({making})

    async def _within(self, request: PlanRequest, deadline_s: float | None) -> Plan | None:
        before, task = self.current(request.uri), self._make(request)
        try:
            # The task outlives a deadline or a cancelled request: the next one finds its plan.
            plan = await asyncio.wait_for(asyncio.shield(task), deadline_s)
            self._renew_if_old(request)  # it may have been in the making for an earlier key
            return plan
        except TimeoutError:
            self._tell_of(task, request.uri, before)
            return None

    def note_saved(self) -> None:
        """A document was saved: what others take from it may have changed."""
        for kept in self._kept.values():
            kept.is_outdated = True

    def note_closed(self, uri: str) -> None:
        """Forget a document."""
        self._kept.pop(uri, None)
        if (timer := self._timers.pop(uri, None)) is not None:
            timer.cancel()

    def close(self) -> None:
        """Stop renewing; does not wait for a plan in the making."""
        for timer in self._timers.values():
            timer.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _renew_if_old(self, request: PlanRequest) -> None:
        """Once the user pauses."""
        kept = self._kept.get(request.uri)
        place = request.num_lines, request.line
        if kept is None or (not kept.is_outdated and (kept.num_lines, kept.line) == place):
            return
        if (timer := self._timers.pop(request.uri, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[request.uri] = loop.call_later(IDLE_SECONDS, self._renew, request)

    def _renew(self, request: PlanRequest) -> None:
        before = self.current(request.uri)
        self._tell_of(self._make(request), request.uri, before)

    def _tell_of(self, making: asyncio.Task[Plan], uri: str, before: Plan | None) -> None:
        def tell(task: asyncio.Task[Plan]) -> None:
            is_done = not task.cancelled() and task.exception() is None
            if is_done and (before is None or task.result().segments != before.segments):
                self.on_renewed(uri)

        making.add_done_callback(tell)

    def _make(self, request: PlanRequest) -> asyncio.Task[Plan]:
        running = self._making.get(request.uri)
        if running is not None:
            return running
        task = asyncio.ensure_future(self._make_in_thread(request))
        self._making[request.uri] = task
        task.add_done_callback(lambda _: self._making.pop(request.uri, None))
        return task

    async def _make_in_thread(self, request: PlanRequest) -> Plan:
        loop = asyncio.get_running_loop()
        kept = self._kept.get(request.uri)
        previous = kept.plan if kept is not None else None
        num_edits = self._context.num_edits_elsewhere(request.path)
        plan = await loop.run_in_executor(self._executor, self._plan_now, request, previous)
        self._kept[request.uri] = _Kept(plan, request.num_lines, request.line, request.is_guess, num_edits)
        return plan

    def _plan_now(self, request: PlanRequest, previous: Plan | None) -> Plan:
        return self._context.plan(
            request.path,
            request.text,
            request.offset,
            budget_tokens=request.budget_tokens,
            count_tokens=request.count_tokens,
            language=request.language_id,
            previous=previous,
        )
