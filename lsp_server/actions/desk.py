"""Where the handlers hand in actions: which there are for a range, and what comes of one. Knows the session.

What is offered is found without the engine; what is asked for is computed then, and can be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from context.syntax import SyntaxTrees
from context.syntax.declarations import Declaration
from lsp_server.actions.change import Change
from lsp_server.actions.document import can_document, document
from lsp_server.actions.errors import ActionError
from lsp_server.actions.explain import Explanation, explain
from lsp_server.actions.faults import FaultGroup, groups, whole_line
from lsp_server.actions.fix import fix
from lsp_server.actions.rewrite.note import no_grammar, rewrite_as_asked
from lsp_server.actions.selection import Places, offsets, opened, select
from lsp_server.actions.subject import lines_of, readable, selected_lines, subject_of
from lsp_server.documents import DocumentSnapshot

if TYPE_CHECKING:
    from lsp_server.session import Session


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be done with a range."""

    snapshot: DocumentSnapshot
    fixes: list[FaultGroup]
    undocumented: Declaration | None
    explainable: Declaration | None
    can_explain_lines: bool
    """An instruct model can, and what is selected is no function or class alone."""
    can_explain_problems: bool

    def fixes_alone(self) -> Self:
        """Nothing but what puts something right."""
        return replace(
            self,
            undocumented=None,
            explainable=None,
            can_explain_lines=False,
            can_explain_problems=False,
        )


class Desk:
    """One for the whole session; lives on the event loop."""

    def __init__(self) -> None:
        self._syntax = SyntaxTrees()

    def offered(
        self, session: Session, uri: str, places: Places, diagnostics: Sequence[Any]
    ) -> Offered | None:
        """At once; None where nothing can be done."""
        try:
            snapshot = opened(session, uri)
            selection = readable(self._syntax, snapshot, places)
        except ActionError:
            return None
        has_chat = session.chat.is_set
        lines = selected_lines(snapshot, *offsets(snapshot, places)) if has_chat else None
        can_explain_problems = has_chat and bool(diagnostics)
        if selection is None:
            return Offered(snapshot, [], None, None, lines is not None, can_explain_problems)
        found = selection.declarations()
        return Offered(
            snapshot,
            groups(selection, diagnostics),
            can_document(selection),
            found[0] if len(found) == 1 else None,
            lines is not None and lines_of(selection, lines).declaration is None,
            can_explain_problems,
        )

    async def fix(
        self, session: Session, uri: str, places: Places, diagnostics: Sequence[Any], note: str = ""
    ) -> Change:
        """Write anew what is wrong first in the range, or with a note all of it; raises ActionError."""
        selection = readable(self._syntax, opened(session, uri), places)
        if selection is None:
            raise ActionError(no_grammar(opened(session, uri)))
        if note:
            return await rewrite_as_asked(session, selection, diagnostics, note)
        found = groups(selection, diagnostics)
        if not found:
            line = selection.snapshot.line_index.line_at(selection.start)
            told = session.diagnostics.at(selection.snapshot, line)
            here = [each for each in told if each.startswith(f"line {line + 1}: ")]
            found = [whole_line(selection, here)] if here else []
        if not found:
            raise ActionError(
                "Nothing here is known to be wrong: no diagnostic was sent along, and the lines parse."
            )
        return await fix(session, selection, found[0])

    async def document(self, session: Session, uri: str, places: Places) -> Change:
        """Describe the function or class of the range; raises ActionError."""
        return await document(session, select(session, self._syntax, uri, places))

    async def explain(
        self,
        session: Session,
        uri: str,
        places: Places,
        diagnostics: Sequence[Any],
        on_text: Callable[[str], None],
    ) -> Explanation:
        """Explain what the range means; raises ActionError."""
        return await explain(session, subject_of(session, self._syntax, uri, places, diagnostics), on_text)
