"""Where a Python function binds its names and uses them, as far as a wrong one may be the other's fault.

Pure; parses the part of a file that is asked about and runs nothing of it.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from context.syntax.described import Span
from lsp_server.actions.python_check import part_around

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Binding(NamedTuple):
    """A name that is set, and where."""

    name: str
    place: Span


def unused_bindings(text: str, offset: int) -> list[Binding]:
    """Names that the function around an offset sets and never uses; none where the text does not parse."""
    part = part_around(text, Span(offset, offset))
    source = text[slice(*part)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return []
    line = source.count("\n", 0, offset - part.start) + 1
    function = _function_at(tree, line)
    if function is None:
        return []
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    used = {node.id for node in names if not isinstance(node.ctx, ast.Store)}
    starts = _line_starts(source)
    return [
        Binding(node.id, Span(start, start + len(node.id)))
        for node in names
        if isinstance(node.ctx, ast.Store) and node.id not in used and node.id.strip("_")
        for start in [part.start + _offset(source, starts, node)]
    ]


def _function_at(tree: ast.AST, line: int) -> _Function | None:
    """The outermost whose lines hold one: an inner one sees its names."""
    stack: list[ast.AST] = [tree]
    while stack:
        for child in ast.iter_child_nodes(stack.pop()):
            if getattr(child, "lineno", line) <= line <= (getattr(child, "end_lineno", line) or line):
                if isinstance(child, _Function):
                    return child
                stack.append(child)
    return None


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for row in source.split("\n"):
        starts.append(starts[-1] + len(row) + 1)
    return starts


def _offset(source: str, starts: list[int], node: ast.Name) -> int:
    start = starts[node.lineno - 1]
    row = source[start : starts[node.lineno] - 1]
    column = node.col_offset
    return start + (column if row.isascii() else len(row.encode()[:column].decode(errors="ignore")))


def words_of(name: str) -> Iterator[str]:
    """The words that a name is made of, in lower case."""
    return (word for word in name.casefold().split("_") if word)
