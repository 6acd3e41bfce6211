"""Text with the cursor written in it: `def f(|):` becomes a text and an offset."""

from __future__ import annotations

from lsp_server.hole import Hole

CURSOR = "|"


def hole(marked: str) -> Hole:
    """The hole at the one `|` of `marked`."""
    before, found, after = marked.partition(CURSOR)
    assert found, f"no cursor in {marked!r}"
    assert CURSOR not in after, f"two cursors in {marked!r}"
    return Hole.at(before + after, len(before))
