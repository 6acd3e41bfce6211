"""The part of a Python file that is broken, parsed alone again and again: a function, or what is around it.

Pure; runs nothing of it. What it says of a change holds for the part only: the whole file is for others.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.python_check import MAX_WHOLE

_OUTER = re.compile(r"(?P<margin>[ \t]*)(?:(?:async\s+def|def|class)\b|@)")
_GOES_ON = re.compile(r"[ \t]*(?:[)\]}]|(?:else|elif|except|finally)\b)")
_WRAPPER = "if 1:\n"
_SAYS_NOTHING = (
    *(ast.Name, ast.Attribute, ast.Compare, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Tuple, ast.Subscript),
    *(ast.List, ast.Dict, ast.Set, ast.Slice, ast.JoinedStr, ast.GeneratorExp, ast.Lambda),
)
"""As statements of their own."""
_NEVER_CALLED = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.Compare, ast.BinOp)


@dataclass(frozen=True, slots=True)
class PythonPart:
    """Whole lines of a text that do not parse."""

    text: str
    span: Span
    is_indented: bool

    @classmethod
    def around(cls, text: str, lines: Span, misplaced: int | None = None) -> Self | None:
        """The smallest that does not parse either and holds some lines; None if no small one does.

        A line that may be `misplaced` tells nothing of what is around it.
        """
        for span in _parts(text, lines, misplaced):
            if span.end - span.start > MAX_WHOLE:
                return None
            part = cls(text, span, text[span.start : span.start + 1] in (" ", "\t"))
            if part._parsed(Edit(span.start, span.start, "")) is None:
                return part
        return None

    def oddity(self, edit: Edit) -> int | None:
        """How much of the part nobody would write so after a change; None if it does not parse then."""
        tree = self._parsed(edit)
        return None if tree is None else sum(_is_odd(node) for node in ast.walk(tree))

    def _parsed(self, edit: Edit) -> ast.Module | None:
        size = len(edit.text) - (edit.end - edit.start)
        source = edit.applied(self.text)[self.span.start : self.span.end + size]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return ast.parse(f"{_WRAPPER}{source}" if self.is_indented else source)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
                return None


def _parts(text: str, span: Span, misplaced: int | None) -> Iterator[Span]:
    """What may be looked at alone: the functions and classes around, the inner ones first; then all of it."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    top, bottom = text.count("\n", 0, span.start), text.count("\n", 0, span.end)
    right = (number for number in range(top, bottom) if number != misplaced and lines[number].strip())
    least = min((_width(lines[number]) for number in right), default=None)
    for number in range(top - 1, -1, -1):
        width = _width(lines[number])
        if not lines[number].strip() or (least is not None and width >= least):
            continue
        least = width
        if not _OUTER.match(lines[number]):
            continue
        end = next((row for row in range(bottom, len(lines)) if _ends(lines[row], width)), len(lines))
        yield Span(starts[number], min(starts[end], len(text)))
        if not width:
            break
    # A string may hold lines that look like code further to the left.
    outer = [number for number, line in enumerate(lines) if _OUTER.match(line) and line[0] not in " \t"]
    above = max((number for number in outer if number < top), default=0)
    below = min((number for number in outer if number > bottom), default=len(lines))
    yield Span(starts[above], min(starts[below], len(text)))
    yield Span(0, len(text))


def _ends(line: str, width: int) -> bool:
    """Whether it stands behind a block whose header is so far to the right."""
    return bool(line.strip()) and _width(line) <= width and not _GOES_ON.match(line)


def _width(line: str) -> int:
    line = line.expandtabs()
    return len(line) - len(line.lstrip())


def _is_odd(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=value):
            is_number = (
                isinstance(value, ast.Constant)
                and not isinstance(value.value, str)
                and value.value is not ...
            )
            return is_number or isinstance(value, _SAYS_NOTHING)
        case ast.Call(func=func):
            return isinstance(func, _NEVER_CALLED)
        case ast.Subscript(value=value):
            return isinstance(value, ast.Constant | ast.Set | ast.Compare | ast.Call) and not (
                isinstance(value, ast.Call) or isinstance(getattr(value, "value", None), str)
            )
        case ast.Attribute(value=ast.Constant(value=value)):
            return not isinstance(value, str | bytes)
        case ast.AnnAssign(value=None, target=ast.Subscript() | ast.Attribute()):
            return True
    return False
