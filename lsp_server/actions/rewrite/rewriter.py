"""Lines written anew by an instruct model: it is asked about one place, and its answer is read.

Knows the question and what of an answer can stand in the place; which text is good is for others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from context.syntax.described import Span
from engine.api import Segment
from lsp_server.actions.errors import ActionError, ChatError
from lsp_server.actions.faults import Fault
from lsp_server.actions.infill import begin, within_time
from lsp_server.actions.rewrite.answer import read_answer
from lsp_server.actions.rewrite.prompt import rewrite_prompt, with_secrets
from lsp_server.actions.selection import Selection

if TYPE_CHECKING:
    from lsp_server.session import Session

SECONDS = 300.0
"""For one answer; the model may have to load first."""
MAX_TOKENS = 1024
"""Of one answer."""
MAX_CHARS = 2_400
"""Of the lines, so that they fit into an answer."""
_BESIDES_TOKENS, _OUTLINE_TOKENS = 128, 384
"""What an answer says besides its code."""


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Asks about places of one document."""

    session: Session
    selection: Selection
    faults: Sequence[Fault]
    """What the model is told of."""
    segments: Sequence[Segment] = ()
    """What other files say to it."""

    @classmethod
    async def of(
        cls, session: Session, selection: Selection, faults: Sequence[Fault], diagnostics: Sequence[Any] = ()
    ) -> Self:
        """With what other files say, if the engine that completes is there to count it."""
        try:
            async with within_time():
                plan = (await begin(session, selection, diagnostics)).plan
        except (ActionError, TimeoutError):
            plan = None
        return cls(session, selection, faults, plan.segments if plan else ())

    @property
    def path(self) -> str:
        """The document's, workspace-relative."""
        return self.session.context.relative(self.selection.snapshot.file_name)

    async def rewritten(self, span: Span, note: str = "", *, is_thought_through: bool = False) -> list[str]:
        """New texts for whole lines, by the margins that they may have, the most certain first; they are what
        a note asks for, or correct. Raises ActionError.
        """
        size = span.end - span.start
        if size > MAX_CHARS:
            raise ActionError(
                f"These are more lines than an instruct model rewrites at once ({size:,} characters, "
                f"{MAX_CHARS:,} at most): select fewer."
            )
        chat = self.session.chat
        try:
            async with asyncio.timeout(SECONDS):
                await chat.ready()
                prompt = rewrite_prompt(
                    self.selection,
                    span,
                    self.path,
                    faults=self.faults,
                    note=note,
                    segments=self.segments,
                    limit_chars=chat.prompt_chars,
                    is_thought_through=is_thought_through,
                )
                max_tokens = _max_tokens(size, note, is_thought_through=is_thought_through)
                answer = await chat.ask(prompt.messages, max_tokens=max_tokens)
        except TimeoutError:
            raise ChatError(
                f"The instruct model did not answer within {SECONDS / 60:.0f} minutes: try again, or set a "
                "smaller one."
            ) from None
        text = self.selection.text
        texts = await asyncio.to_thread(read_answer, answer, text, span, prompt.marks)
        return [with_secrets(each, text, span) for each in texts]


def _max_tokens(size: int, note: str, *, is_thought_through: bool) -> int:
    """Twice the tokens of the lines as they are, and some for what is said besides."""
    besides = _OUTLINE_TOKENS if is_thought_through else _BESIDES_TOKENS
    return min(MAX_TOKENS, besides * (2 if note else 1) + size * 2 // 3)
