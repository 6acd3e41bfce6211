"""What Python's own parser says of a text that is to be changed. Runs nothing of it; knows no other checker.

A long text is judged by what stands around the change: `compile` lets nobody else run while it works.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import NamedTuple, Self

from context.syntax.described import Span
from lsp_server.actions.edit import Edit

MAX_WHOLE = 60_000
"""Characters compiled at once: a few hundredths of a second."""
_TOP = re.compile(r"(?m)^(?![ \t\r\n#)\]}@]|(?:else|elif|except|finally)\b)")
"""Where a statement of a file's own level begins; decorators belong to what follows."""


class PythonError(NamedTuple):
    """The first thing that Python does not understand."""

    line: int
    """From zero."""
    column: int
    """In code points, from zero; -1 if it is not known."""
    message: str


@dataclass(frozen=True, slots=True)
class PythonCheck:
    """What Python says of one document; for any thread."""

    text: str
    span: Span
    """What may be changed."""
    part: Span
    """What is compiled."""
    error: PythonError | None
    """Its first error, by the lines of the document."""

    @classmethod
    def of(cls, text: str, span: Span) -> Self:
        """Compiles the document as it is."""
        part = part_around(text, span)
        error = _error_in(text, part)
        if error is not None and part != (0, len(text)):
            whole = first_error(text)
            if whole is None or whole.line != error.line:  # a string may look like what begins a statement
                return cls(text, span, Span(0, len(text)), whole)
        return cls(text, span, part, error)

    def accepts(self, edit: Edit) -> tuple[bool, bool]:
        """Whether a change brings no error, the one in the span being gone; whether it leaves none at all."""
        if not self.part.start <= edit.start <= edit.end <= self.part.end:
            return type(self).of(self.text, Span(edit.start, edit.end)).accepts(edit)
        size = len(edit.text) - (edit.end - edit.start)
        error = _error_in(edit.applied(self.text), Span(self.part.start, self.part.end + size))
        if error is None or self.error is None:
            return error is None, error is None
        first, last = (self.text.count("\n", 0, at) for at in self.span)
        growth = edit.text.count("\n") - self.text.count("\n", edit.start, edit.end)
        if first <= self.error.line <= last:
            return error.line > last + growth, False
        return error.line in (self.error.line, self.error.line + growth), False


def error_line(text: str) -> int | None:
    """The line of the first syntax error that Python sees, from zero; None without one."""
    error = first_error(text)
    return None if error is None else error.line


def _error_in(text: str, part: Span) -> PythonError | None:
    error = first_error(text[slice(*part)])
    if error is None or not part.start:
        return error
    return error._replace(line=error.line + text.count("\n", 0, part.start))


def first_error(text: str) -> PythonError | None:
    """The first syntax error that Python sees; None without one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<document>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return PythonError(max(0, (error.lineno or 1) - 1), (error.offset or 0) - 1, error.msg)
        except (ValueError, RecursionError, MemoryError, OverflowError) as error:
            return PythonError(0, -1, str(error))
    return None


def part_around(text: str, span: Span) -> Span:
    """The whole of a text, or of a long one whole statements of its own level around a span."""
    if len(text) <= MAX_WHOLE:
        return Span(0, len(text))
    half = MAX_WHOLE // 2
    window = Span(max(0, span.start - half), min(len(text), span.end + half))
    starts = [match.start() for match in _TOP.finditer(text, window.start, window.end)]
    before = [at for at in starts if at <= span.start]
    after = [at for at in starts if at > span.end]
    first = max(before, default=None)
    if first is None:  # inside of something long
        first = max((match.start() for match in _TOP.finditer(text, 0, span.start + 1)), default=0)
    last = min(after, default=None)
    if last is None:
        following = _TOP.search(text, min(span.end + 1, len(text)))
        last = following.start() if following else len(text)
    return Span(_with_decorators(text, first), _with_decorators(text, last))


def _with_decorators(text: str, at: int) -> int:
    """Where the lines of a definition begin, from where its word stands."""
    above = text.rfind("\n", 0, max(0, at - 1)) + 1
    while at and text.startswith("@", above):
        at, above = above, text.rfind("\n", 0, max(0, above - 1)) + 1
    return at
