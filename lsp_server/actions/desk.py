"""Where the handlers hand in actions: which there are for a range, and what comes of one. Knows the session.

What is offered is found without the engine; what is asked for is computed then, and can be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from context.syntax import SyntaxTrees
from context.syntax.declarations import Declaration
from lsp_server.actions.change import Change
from lsp_server.actions.document import can_document, document
from lsp_server.actions.errors import ActionError
from lsp_server.actions.explain import Explanation, explain
from lsp_server.actions.faults import FaultGroup, groups, whole_line
from lsp_server.actions.fix import fix
from lsp_server.actions.selection import Selection, select

if TYPE_CHECKING:
    from lsp_server.session import Session

Places = tuple[tuple[int, int], tuple[int, int]]
"""A range as lines and characters of the client."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be done with a range."""

    selection: Selection
    fixes: list[FaultGroup]
    undocumented: Declaration | None
    explainable: Declaration | None


class Desk:
    """One for the whole session; lives on the event loop."""

    def __init__(self) -> None:
        self._syntax = SyntaxTrees()

    def offered(
        self, session: Session, uri: str, places: Places, diagnostics: Sequence[Any]
    ) -> Offered | None:
        """At once; None where nothing can be done."""
        try:
            selection = select(session, self._syntax, uri, places)
        except ActionError:
            return None
        found = selection.declarations()
        return Offered(
            selection,
            groups(selection, diagnostics),
            can_document(selection),
            found[0] if len(found) == 1 else None,
        )

    async def fix(self, session: Session, uri: str, places: Places, diagnostics: Sequence[Any]) -> Change:
        """Write anew what is wrong first in the range; raises ActionError."""
        selection = select(session, self._syntax, uri, places)
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
        """Explain the function or class of the range; raises ActionError."""
        return await explain(session, select(session, self._syntax, uri, places), diagnostics, on_text)
