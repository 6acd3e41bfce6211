"""An answer that is a unified diff of one piece, as the lines it leaves. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.rewrite.place import RewritePlace

UNREADABLE = "The instruct model answered with a diff that does not fit the lines it was to rewrite."
_HEADERS = ("--- ", "+++ ", "diff ", "index ", "\\ ")
_HUNK = "@@"


def is_diff(tag: str, lines: Sequence[str]) -> bool:
    """Whether lines are a diff, and not code whose lines begin with signs."""
    if tag in ("diff", "patch") or any(line.startswith(_HUNK) for line in lines):
        return True
    signs = {line[0] for line in lines if line.strip()}
    return {"-", "+"} <= signs <= {"-", "+", " "} and len(lines) > 1


def patched(lines: Sequence[str], place: RewritePlace) -> list[str]:
    """The lines of the range, and those around that the diff names, after it; raises NoAnswerError."""
    hunks = sum(line.startswith(_HUNK) for line in lines)
    rows = [line or " " for line in lines if not line.startswith((_HUNK, *_HEADERS))]
    if hunks > 1 or any(row[0] not in " -+" for row in rows):
        raise NoAnswerError(UNREADABLE)
    before = [row[1:].strip() for row in rows if row[0] != "+"]
    window = [*place.above, *place.old, *place.below]
    bare = [line.strip() for line in window]
    first, end = len(place.above), len(place.above) + len(place.old)
    starts = [
        start
        for start in range(len(bare) - len(before) + 1)
        if before and start < end and start + len(before) > first
        if bare[start : start + len(before)] == before
    ]
    if len(starts) != 1:
        raise NoAnswerError(UNREADABLE)
    start = starts[0]
    new = [row[1:] for row in rows if row[0] != "-"]
    return [*window[first:start], *new, *window[start + len(before) : end]]
