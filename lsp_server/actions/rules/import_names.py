"""One more name in a list of names that an import statement has, where it would stand if it had always been
there: in order, one to a line or several, as the others. Pure; reads both Python's and JavaScript's lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from lsp_server.actions.edit import Edit

_ITEM = re.compile(r"(?:type\s+)?(?P<name>[^\W\d][\w$]*)(?:\s+as\s+[\w$]+)?")
_COMMENT = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
Key = Callable[[str], tuple[object, ...]]


class _Item(NamedTuple):
    start: int
    end: int
    name: str


def by_type(name: str) -> tuple[object, ...]:
    """Constants, classes, the rest: as isort and ruff have it."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, name.casefold(), name


ORDERS: tuple[Key, ...] = (by_type, lambda name: (name.casefold(),), lambda name: (name,))
"""Those in use, the most usual first."""


def with_name(text: str, start: int, end: int, name: str, written: str) -> Edit | None:
    """`written`, which imports `name`, put among the names between two offsets; None if it is there."""
    listed = _COMMENT.sub(lambda match: " " * len(match[0]), text[start:end])
    items = [_Item(start + m.start(), start + m.end(), m["name"]) for m in _ITEM.finditer(listed)]
    if not items or any(text[item.start : item.end] == written for item in items):
        return None
    following = place_in_order([item.name for item in items], name)
    if following < len(items):
        at = items[following].start
        return Edit(at, at, f"{written},{_gap(text, at) or ' '}")
    at = items[-1].end
    return Edit(at, at, f",{_gap(text, items[-1].start) or ' '}{written}")


def place_in_order(names: Sequence[str], name: str, orders: Sequence[Key] = ORDERS) -> int:
    """Before which of some names another one goes; behind them all where they have no order."""
    for order in orders:
        keys = [order(each) for each in names]
        if all(one <= other for one, other in pairwise(keys)):
            return next((at for at, key in enumerate(keys) if key > order(name)), len(names))
    return len(names)


def _gap(text: str, at: int) -> str:
    """What is between a name that is the first of its line and the line before it."""
    line_start = text.rfind("\n", 0, at) + 1
    margin = text[line_start:at]
    return f"\n{margin}" if line_start and not margin.strip() else ""
