"""From a hole and a context plan to what the engine is asked, for every command and handler alike.

Knows settings, layout and stop rules; runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from context import Plan
from context.languages import language_of
from context.syntax import Place
from engine.anchor import Anchor
from engine.api import CompletionRequest, Priority
from engine.backends.base import EngineInfo
from engine.layout import Budget, Prompt
from lsp_server.hole import Hole
from lsp_server.settings import Settings


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """A request and the prompt it was made from."""

    request: CompletionRequest
    prompt: Prompt


def budget_for(settings: Settings, info: EngineInfo) -> Budget:
    """The token budget of one request: the settings' or the device's default, within the model's context."""
    total = settings.context.total_tokens(info.default_budget_tokens)
    return Budget.split(min(total, info.context_length), settings.inline.max_tokens, info.layout.fim)


def build_request(
    settings: Settings,
    info: EngineInfo,
    hole: Hole,
    path: str,
    plan: Plan | None,
    *,
    place: Place | None = None,
    document: str | None = None,
    max_ms: int | None = None,
    num_answers: int = 1,
    priority: Priority = Priority.VISIBLE,
    anchor: Anchor | None = None,
    drafts: tuple[str, ...] = (),
    max_tokens: int | None = None,
) -> EngineRequest:
    """The engine's request for `hole` of the file at `path`; raises NoInfillError.

    `anchor` is the one of the document's last prompt; without `max_tokens` the settings say how many.
    """
    segments, language = plan.segments if plan else (), language_of(path)
    leader = language.comment if language else "#"
    budget = budget_for(settings, info)
    prompt = info.layout.prompt(segments, path, hole.prefix, hole.suffix, budget, leader, anchor=anchor)
    rules = hole.stop_rules(settings.inline.multiline, settings.inline.max_lines, place)
    request = CompletionRequest(
        prompt_ids=prompt.ids,
        max_tokens=settings.inline.max_tokens if max_tokens is None else max_tokens,
        document=document,
        stop_rules=rules,
        max_ms=max_ms,
        num_answers=num_answers,
        priority=priority,
        heal=prompt.heal,
        drafts=drafts,
    )
    return EngineRequest(request, prompt)
