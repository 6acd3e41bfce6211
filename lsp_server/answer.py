"""A question for ghost text and its answer, as the pipeline sees them: values, no LSP types, no logic."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.api import Timings
from lsp_server.documents import DocumentSnapshot
from lsp_server.hole import Hole
from lsp_server.typed_through import Offer


class Trigger(StrEnum):
    """Who asked."""

    AUTOMATIC = "automatic"
    INVOKED = "invoked"


class Source(StrEnum):
    """Where an answer came from."""

    TYPED_THROUGH = "typedThrough"
    """The rest of what is shown."""
    CACHE = "cache"
    RUNNING = "running"
    """A request that was under way for an earlier key."""
    AHEAD = "ahead"
    """It was computed before anybody asked."""
    ENGINE = "engine"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Popup:
    """The item that is selected in the editor's completion menu."""

    start: int
    end: int
    """What it replaces, in code points of the document."""
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a completion."""

    snapshot: DocumentSnapshot
    offset: int
    trigger: Trigger
    popup: Popup | None = None

    @property
    def is_invoked(self) -> bool:
        """The user asked by hand, and waits."""
        return self.trigger is Trigger.INVOKED

    def hole(self) -> Hole:
        """Where text is wanted; as if the menu's item had been accepted, which the answer must go on from."""
        text, popup = self.snapshot.text, self.popup
        if popup is None:
            return Hole.at(text, self.offset)
        return Hole.at(text[: popup.start] + popup.text + text[popup.end :], popup.start + len(popup.text))


@dataclass(slots=True)
class Stages:
    """Where the time of one answer went, filled in on the way."""

    total_ms: float = 0.0
    debounce_ms: float = 0.0
    plan_ms: float = 0.0
    engine: Timings | None = None
    """None where the engine was not asked, or had not finished."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to show, or why nothing."""

    offers: tuple[Offer, ...] = ()
    """The best first."""
    source: Source = Source.NONE
    reason: str = ""
    """Why there is none: one of a few fixed phrases."""
    hidden: str = ""
    """A text that is not shown because the model was not sure of it."""
    confidence: float | None = None
    """Of the first offer, or of the hidden text."""
    stages: Stages = field(default_factory=Stages)


def figures(ask: Ask, answer: Answer) -> dict[str, Any]:
    """What `ghostfill/didAnswer` tells of an answer; holds text only where it was not shown."""
    stages, position = answer.stages, ask.snapshot.position_at(ask.offset)
    engine = stages.engine or Timings()
    return {
        "uri": ask.snapshot.uri,
        "version": ask.snapshot.version,
        "position": {"line": position.line, "character": position.character},
        "trigger": ask.trigger.value,
        "source": answer.source.value,
        "items": len(answer.offers),
        "id": answer.offers[0].id if answer.offers else None,
        "reason": answer.reason,
        "confidence": answer.confidence,
        "hidden": answer.hidden,
        "ms": {
            "total": round(stages.total_ms, 2),
            "debounce": round(stages.debounce_ms, 2),
            "plan": round(stages.plan_ms, 2),
            "queue": round(engine.queue_ms, 2),
            "prefill": round(engine.prefill_ms, 2),
            "decode": round(engine.decode_ms, 2),
        },
        "tokens": {
            "prompt": engine.prompt_tokens,
            "reused": engine.reused_tokens,
            "prefilled": engine.prefilled_tokens,
            "decoded": engine.decoded_tokens,
        },
    }
