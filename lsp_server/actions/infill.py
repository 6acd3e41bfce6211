"""The text between two others, as the engine's model fills it in; everything a user waits for goes first.

Knows prompts and the engine; knows neither what is asked for nor which answer is good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from context import Plan
from engine.api import Completion, CompletionRequest, FinishReason, Priority, StopRules
from engine.backends.base import EngineInfo
from engine.errors import NoInfillError
from lsp_server.actions.errors import ActionError
from lsp_server.actions.selection import Selection
from lsp_server.diagnostics import Diagnostics
from lsp_server.hole import with_plain_line_ends
from lsp_server.request import budget_for
from lsp_server.settings import Settings
from lsp_server.starter import BUILTIN

if TYPE_CHECKING:
    from lsp_server.session import Session

SECONDS = 60.0
"""For everything that one action asks the engine; it may have to load first."""


@dataclass(frozen=True, slots=True)
class Infill:
    """Asks about one document, with what the repository says to it."""

    session: Session
    settings: Settings
    info: EngineInfo
    plan: Plan | None
    path: str
    """Workspace-relative."""
    leader: str

    async def ask(
        self,
        prefix: str,
        suffix: str,
        *,
        rules: StopRules | None = None,
        stop: tuple[str, ...] = (),
        max_tokens: int = 96,
        num_answers: int = 1,
    ) -> tuple[Completion, ...]:
        """Distinct texts for the hole, the likeliest first; raises ActionError if the engine is gone."""
        segments = self.plan.segments if self.plan else ()
        budget = budget_for(self.settings, self.info)
        try:
            before, after = with_plain_line_ends(prefix), with_plain_line_ends(suffix)
            prompt = self.info.layout.prompt(segments, self.path, before, after, budget, self.leader)
        except NoInfillError as error:
            raise ActionError(f"{error}.") from error
        request = CompletionRequest(
            prompt_ids=prompt.ids,
            max_tokens=max_tokens,
            stop=stop,
            stop_rules=rules,
            num_answers=num_answers,
            priority=Priority.CHAT,
            heal=prompt.heal,
        )
        completion = await self.session.link.complete(request, wait=True)
        if completion is None or completion.finish_reason is FinishReason.CANCELLED:
            raise ActionError("The engine went away while it answered: try again.")
        return (completion, *completion.alternatives)


async def begin(session: Session, selection: Selection, diagnostics: Sequence[Any] = ()) -> Infill:
    """With the engine up and the repository read; raises ActionError where that cannot be."""
    snapshot = selection.snapshot
    info = await session.link.info(wait=True)
    if info is None:
        raise ActionError("No engine is running: the status and `ghostfill doctor` say why.")
    if info.refusal:
        raise ActionError(info.refusal)
    plan = await session.pipeline.plan(snapshot, selection.start, info, None)
    if plan is not None and diagnostics and info.layout.fim.name != BUILTIN:
        known = Diagnostics()
        known.note(snapshot, diagnostics)
        if not any(segment.kind == "diagnostic" for segment in plan.segments):
            leader = selection.language.comment
            plan = known.added_to(plan, snapshot, selection.start, leader, info.tokenizer.count)
    path = session.context.relative(snapshot.file_name)
    return Infill(session, session.settings, info, plan, path, selection.language.comment)


def within_time() -> asyncio.Timeout:
    """Ends what takes too long; its TimeoutError is for `too_late`."""
    return asyncio.timeout(SECONDS)


def too_late() -> ActionError:
    """What the user is told then."""
    return ActionError(f"The model did not answer within {SECONDS:.0f} seconds: try again.")
