"""Why an automatic request gets nothing: where ghost text would only be in the way. Pure.

Knows a place by its text and, where a grammar is there, its syntax; no engine, no LSP. Requests by hand do
not come here: they always get an answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from lsp_server.hole import Hole
from lsp_server.settings import InlineSettings

if TYPE_CHECKING:
    from context.syntax import Place

MAX_WORD_CHARS = 8
"""Without syntax: a line that says more than this behind the cursor is taken for finished."""
_OPENERS = ("(", "[", "{", ",")
_CLOSERS = (")", "]", "}")
_COMMENT_LEADERS = ("//", "/*", "# ", "-- ")


class Silence(StrEnum):
    """The reasons, as they stand in the log and the statistics."""

    EMPTY_FILE = "empty file without a name"
    INSIDE_WORD = "inside a word"
    COMMENT = "inside a comment"
    STRING = "inside a string"
    STATEMENT_END = "after the end of a statement"
    FINISHED_LINE = "inside a finished line"


def silence(hole: Hole, place: Place | None, settings: InlineSettings, *, is_named: bool = True) -> str:
    """Why an automatic request at `hole` gets nothing; empty: go on. `place` is None without a grammar."""
    if not is_named and not hole.text.strip():
        return Silence.EMPTY_FILE
    if hole.is_inside_word():
        return Silence.INSIDE_WORD
    if not settings.in_comments and (prose := _prose(hole, place)):
        return prose
    if _is_after_statement(hole, place):
        return Silence.STATEMENT_END
    if _is_in_finished_line(hole, place):
        return Silence.FINISHED_LINE
    return ""


def _prose(hole: Hole, place: Place | None) -> str:
    """Which kind of text for people, or of data, the cursor is in."""
    if place is None:
        return Silence.COMMENT if hole.line_prefix.lstrip().startswith(_COMMENT_LEADERS) else ""
    if place.in_comment:
        return Silence.COMMENT
    return Silence.STRING if place.in_string else ""


def _is_after_statement(hole: Hole, place: Place | None) -> bool:
    """Right behind what closes a statement. A space behind a bracket says that the user goes on."""
    line = hole.line_prefix
    if line.rstrip().endswith(";"):
        return place is None or place.ends_statement
    if place is not None:
        return place.ends_statement and line.endswith(_CLOSERS)
    # A brace that this line opened too belongs to an expression or a template: `${HOME}`.
    return line.endswith("}") and line.count("}") > line.count("{")


def _is_in_finished_line(hole: Hole, place: Place | None) -> bool:
    """Something is said behind the cursor, and nothing is missing before it."""
    num_word_chars = sum(char.isalnum() or char == "_" for char in hole.line_suffix)
    if place is None:
        return num_word_chars > MAX_WORD_CHARS
    return place.is_line_whole and num_word_chars > 0 and not _is_gap(hole)


def _is_gap(hole: Hole) -> bool:
    """Brackets wait for something at the cursor: `f(|)`, `[a, |]`."""
    before, after = hole.line_prefix.rstrip(), hole.line_suffix.lstrip()
    return before.endswith(_OPENERS) and after.startswith(_CLOSERS)
