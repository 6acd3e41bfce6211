"""Whether a change is a fix, as far as parsers and checkers tell: tree-sitter, Python itself, ruff.

Knows the document as it is, and neither who proposes a change nor which of two good ones is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from context.syntax.described import Span
from context.syntax.statements import faults_between, is_broken_between, num_faults
from context.syntax.tree import SyntaxTree
from lsp_server.actions.edit import Edit
from lsp_server.actions.faults import FaultGroup
from lsp_server.actions.python_check import PythonCheck
from lsp_server.actions.ruff_check import RuffCheck, Verdict
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.actions.selection import Selection

MAX_PROVEN = 8
"""Changes that Python and ruff are asked about: each costs a process."""
MAX_PARSED = 160
"""Changes of a language that only tree-sitter reads."""
UNKNOWN = Verdict(0, 0, 0)


class Proven(NamedTuple):
    """A change that mends something and breaks nothing that is known; the smaller, the better."""

    verdict: Verdict
    doubt: float
    edit: Edit


@dataclass(frozen=True, slots=True)
class Proof:
    """Judges changes of one document."""

    tree: SyntaxTree
    span: Span
    """What a fix may rewrite."""
    python: PythonCheck | None
    ruff: RuffCheck | None
    is_broken: bool
    """Whether the document does not parse."""

    @classmethod
    async def of(cls, selection: Selection, group: FaultGroup) -> Self:
        """Looks at the document as it is."""
        tree, text = selection.tree, selection.text
        if selection.language.family != "python":
            return cls(tree, group.span, None, None, num_faults(tree) > 0)
        python = await asyncio.to_thread(PythonCheck.of, text, group.span)
        span = group.span if python.error is None else _with_margin(text, group.span)
        first = text.count("\n", 0, min(fault.start for fault in group.faults))
        last = text.count("\n", 0, max(fault.end for fault in group.faults))
        messages = [fault.message for fault in group.faults]
        name = selection.snapshot.file_name.name
        ruff = await asyncio.to_thread(RuffCheck.of, text, name, (first, last), messages)
        python = PythonCheck(text, span, python.part, python.error)
        return cls(tree, span, python, ruff, python.error is not None)

    async def proven(self, proposals: Sequence[Proposal]) -> list[Proven]:
        """The best of the proposals that hold, the best first."""
        if self.python is None:
            parsed = [each for each in proposals[:MAX_PARSED] if await self._parses(each.edit)]
            return sorted(Proven(UNKNOWN, *each) for each in parsed[:MAX_PROVEN])
        compiled = await asyncio.to_thread(self._compiled, proposals)
        edits = [each.edit for each in compiled]
        verdicts = await self._verdicts(edits)
        rows = zip(compiled, verdicts, strict=True)
        return sorted(
            Proven(verdict, *each)
            for each, verdict in rows
            if self.ruff is None or self.ruff.is_cured(verdict)
        )

    async def first_accepted(self, edits: Sequence[Edit]) -> Edit | None:
        """The first of some ranked changes that leaves no error, else the first that brings none."""
        if self.python is None:
            parsed = [each for each in edits[:MAX_PROVEN] if await self._parses(each)]
            return parsed[0] if parsed else None
        accepted = await asyncio.to_thread(self._accepted, edits[:MAX_PROVEN])
        verdicts = await self._verdicts(accepted)
        rows = zip(verdicts, range(len(accepted)), accepted, strict=True)
        good = [row for row in rows if self.ruff is None or self.ruff.is_cured(row[0])]
        return min(good)[2] if good else None

    async def _parses(self, edit: Edit) -> bool:
        """Whether a script has fewer errors than before, and where it was wrong none.

        On the tree's thread, letting keystrokes through in between.
        """
        await asyncio.sleep(0)
        tree = self.tree.updated(edit.applied(self.tree.text))
        if not self.is_broken:
            return num_faults(tree) == 0
        end = max(self.span.end + len(edit.text) - (edit.end - edit.start), edit.start + len(edit.text))
        start = min(self.span.start, edit.start)
        is_clean = not faults_between(tree, start, end) and not is_broken_between(tree, start, end)
        return is_clean and num_faults(tree) < num_faults(self.tree)

    def _compiled(self, proposals: Iterable[Proposal]) -> list[Proposal]:
        assert self.python is not None
        found = []
        for each in proposals:
            if self.python.accepts(each.edit)[0]:
                found.append(each)
            if len(found) == MAX_PROVEN:
                break
        return found

    def _accepted(self, edits: Iterable[Edit]) -> list[Edit]:
        """Those that leave no error before those that leave one elsewhere."""
        assert self.python is not None
        rows = [(self.python.accepts(each), each) for each in edits]
        return [
            *(each for (_, is_whole), each in rows if is_whole),
            *(each for (is_better, is_whole), each in rows if is_better and not is_whole),
        ]

    async def _verdicts(self, edits: Sequence[Edit]) -> list[Verdict]:
        if self.ruff is None or self.python is None:
            return [UNKNOWN] * len(edits)
        texts = [each.applied(self.python.text) for each in edits]
        asked = (asyncio.to_thread(self.ruff.verdict, text) for text in texts)
        return [verdict or UNKNOWN for verdict in await asyncio.gather(*asked)]


def _with_margin(text: str, span: Span) -> Span:
    """Python's errors may be about the margin."""
    return Span(text.rfind("\n", 0, span.start) + 1, span.end)
