"""One question to the engine, from its prompt to the offers that come of its answer. Knows no keystrokes."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Self

from context import Plan
from context.languages import Language
from context.syntax import Place, SyntaxTrees
from engine.anchor import Anchor
from engine.api import Completion, CompletionRequest, FinishReason, Priority, TokenScore
from engine.backends.base import EngineInfo, OnText
from engine.layout import Prompt
from lsp_server.hole import Hole
from lsp_server.names_in_sight import Doubt, doubts
from lsp_server.request import build_request
from lsp_server.settings import Settings
from lsp_server.trim import trim
from lsp_server.typed_through import Offer

log = logging.getLogger(__name__)
Complete = Callable[[CompletionRequest, OnText | None], Awaitable[Completion | None]]
_FORCED = (FinishReason.CANCELLED, FinishReason.DEADLINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A place, and text behind its cursor that is taken for granted: the engine goes on after that."""

    hole: Hole
    lead: str = ""

    @property
    def beyond(self) -> Hole:
        """The place behind the lead."""
        return Hole(self.hole.prefix + self.lead + self.hole.suffix, self.hole.offset + len(self.lead))


@dataclass(frozen=True, slots=True)
class Site:
    """All that is known of a place when the engine is asked."""

    asked: Asked
    place: Place | None
    plan: Plan | None
    info: EngineInfo
    path: str
    """Workspace-relative."""
    document: str | None
    """What the engine calls it; None where no other question about it can be under way."""
    breaks: Callable[[str, int], bool]
    """Whether a text beyond the lead, replacing so many characters, brings a new syntax error."""

    @classmethod
    def of(
        cls,
        asked: Asked,
        syntax: SyntaxTrees,
        key: str,
        language: Language | None,
        *,
        plan: Plan | None,
        info: EngineInfo,
        path: str,
        document: str | None = None,
        place: Place | None = None,
    ) -> Self:
        """With what syntax says; `key` names the document to `syntax`, `place` is passed where known."""
        hole = asked.beyond

        def breaks(text: str, replaces: int) -> bool:
            return syntax.breaks(key, language, hole.text, hole.offset, hole.offset + replaces, text)

        place = place or syntax.place(key, language, hole.text, hole.offset)
        return cls(asked, place, plan, info, path, document, breaks)


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it."""

    offers: tuple[Offer, ...] = ()
    """For `asked.hole`; one without text where nothing is to be said."""
    completion: Completion | None = None


class EngineWork:
    """Asks once."""

    def __init__(
        self,
        site: Site,
        settings: Settings,
        *,
        max_ms: int | None = None,
        num_answers: int = 1,
        priority: Priority = Priority.VISIBLE,
        anchor: Anchor | None = None,
        drafts: tuple[str, ...] = (),
    ) -> None:
        """Raises NoInfillError where the model cannot fill this place."""
        self.asked = site.asked
        self._site = site
        self._id = uuid.uuid4().hex
        self._is_ahead = priority is Priority.AHEAD
        self._engine_request = build_request(
            settings,
            site.info,
            site.asked.beyond,
            site.path,
            site.plan,
            place=site.place,
            document=site.document,
            max_ms=max_ms,
            num_answers=num_answers,
            priority=priority,
            anchor=anchor,
            drafts=drafts,
        )

    @property
    def prompt(self) -> Prompt:
        """What the model reads."""
        return self._engine_request.prompt

    async def run(self, complete: Complete, on_text: OnText | None = None) -> Finished:
        """The offers; none if the engine is gone or was told to stop."""
        completion = await complete(self._engine_request.request, on_text)
        if completion is None:
            return Finished()
        log.debug("%s %s", completion.finish_reason, completion.timings)
        first, *others = (self._offer_of(each) for each in (completion, *completion.alternatives))
        if not first.text and completion.finish_reason in _FORCED:
            return Finished((), completion)  # it was not heard out: that says nothing of the place
        # Each is a completion of its own to who counts them; what was shown early is the first.
        named = (replace(offer, id=f"{self._id}-{num}") for num, offer in enumerate(others) if offer.text)
        return Finished((first, *named), completion)

    def early(self, text: str, scores: tuple[TokenScore, ...]) -> Offer:
        """An offer of the whole lines that have come so far, the lead left out."""
        return self._offer_of(Completion(text, FinishReason.STOP, scores=scores))

    def _offer_of(self, completion: Completion) -> Offer:
        site, lead = self._site, self.asked.lead
        trimmed = trim(
            completion.text, self.asked.beyond, completion.finish_reason, path=site.path, breaks=site.breaks
        )
        segments = site.plan.segments if site.plan is not None else ()
        if not trimmed.text:
            log.debug("nothing to show: %s", trimmed.reason)
            return Offer(self.asked.hole, "", self._id, segments=segments, is_ahead=self._is_ahead)
        is_prose = site.place is not None and (site.place.in_comment or site.place.in_string)
        found = doubts(trimmed.text, self.asked.beyond, segments, site.path, is_prose=is_prose)
        return Offer(
            hole=self.asked.hole,
            text=lead + trimmed.text,
            id=self._id,
            replaces=trimmed.replaces,
            scores=tuple(TokenScore(s.start + len(lead), s.logprob) for s in completion.scores),
            end_probability=_end_probability(completion, trimmed.text),
            doubts=tuple(Doubt(doubt.end + len(lead), doubt.trust) for doubt in found),
            segments=segments,
            is_ahead=self._is_ahead,
        )


def _end_probability(completion: Completion, shown: str) -> float:
    """Nothing is known of the end of a text that was cut."""
    if completion.end_logprob is None or shown != completion.text.rstrip():
        return 0.0
    return math.exp(completion.end_logprob)
