"""A fix by an instruct model: the smallest statement written anew, or after an outline the function around.

Judged as every fix is; raises nothing that ends the fix, but knows why it was no help. Knows no wire.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from context.symbols import Kind
from context.syntax.declarations import declarations_at
from context.syntax.described import Span
from context.syntax.whole_statements import whole_statements
from lsp_server.actions.candidates import Judge, Ranks, best_first
from lsp_server.actions.edit import Edit
from lsp_server.actions.errors import ActionError, ChatError
from lsp_server.actions.faults import FaultGroup
from lsp_server.actions.proof import Proof
from lsp_server.actions.rewrite.rewriter import Rewriter
from lsp_server.actions.selection import Selection
from lsp_server.hole import Hole
from lsp_server.names_in_sight import known_words

if TYPE_CHECKING:
    from lsp_server.session import Session

MAX_FUNCTION = 1_600
"""Characters: the judge compares every one of them on the event loop."""
NOT_GOOD = "The instruct model's answers were none that mends this alone."


@dataclass(slots=True)
class InstructFix:
    """What an instruct model can do for one fix."""

    rewriter: Rewriter
    group: FaultGroup
    proof: Proof
    reason: str = NOT_GOOD
    """Why it was no help so far; a sentence for the user."""
    is_gone: bool = False
    """It cannot be asked at all."""

    @classmethod
    async def of(cls, session: Session, selection: Selection, group: FaultGroup, proof: Proof) -> Self:
        """With what other files say to it."""
        return cls(await Rewriter.of(session, selection, group.faults, group.diagnostics), group, proof)

    async def statement(self) -> Edit | None:
        """The best rewriting of what is wrong; None where there is none that mends it."""
        return await self._tried(self.proof.span, is_thought_through=False)

    async def function(self) -> Edit | None:
        """The same of the smallest function around, or of the statement alone where that is too long."""
        if self.is_gone:
            return None
        return await self._tried(self._function() or self.proof.span, is_thought_through=True)

    async def _tried(self, span: Span, *, is_thought_through: bool) -> Edit | None:
        try:
            texts = await self.rewriter.rewritten(span, is_thought_through=is_thought_through)
        except ActionError as error:
            said = str(error)
            self.reason, self.is_gone = said[:1].upper() + said[1:], isinstance(error, ChatError)
            return None
        self.reason = NOT_GOOD
        ranks: Ranks = {}
        judge = self._judge(span)
        for each in texts:
            ranks[each] = judge.rank(each)
            await asyncio.sleep(0)  # keystrokes go in between
        return await self.proof.first_accepted([Edit(*span, each) for each in best_first(ranks)])

    def _judge(self, span: Span) -> Judge:
        text, path = self.rewriter.selection.text, self.rewriter.path
        rest = Hole.at(text[: span.start] + text[span.end :], span.start)
        known = known_words(rest, "", self.rewriter.segments, path)
        return Judge(self.proof.tree, span, self.group.faults, path, known)

    def _function(self) -> Span | None:
        """The lines of the function around, if an answer holds them."""
        tree, family = self.proof.tree, self.rewriter.selection.language.family
        found = declarations_at(tree, family, *self.group.span)
        if len(found) != 1 or found[0].kind is not Kind.FUNCTION:
            return None
        lines = whole_statements(tree, family, found[0].start, found[0].end)
        if lines is None or lines.end - lines.start > MAX_FUNCTION:
            return None
        return Span(min(lines.start, self.group.span.start), max(lines.end, self.group.span.end))
