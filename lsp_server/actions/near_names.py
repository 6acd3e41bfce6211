"""Names that a wrong one may stand for: those in sight that are nearly the same. Pure; asks no model."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from context.syntax.described import Span
from lsp_server.actions.faults import Fault

MAX_NAMES = 3
LIKENESS = 0.75
_NAME = re.compile(r"[^\W\d]\w*")
_UNKNOWN = re.compile(
    r"(?i)undefined|not defined|cannot find|can't find|could not find|no attribute|no member|unresolved|"
    r"unknown|not exist|not a known|unexpected keyword|did you mean|no name|has no|is not accessed on"
)


def wrong_name(text: str, fault: Fault) -> Span | None:
    """The one name that a fault is about, if it says that nothing is called so."""
    if not _UNKNOWN.search(fault.message):
        return None
    said = set(_NAME.findall(fault.message))
    names = [*_NAME.finditer(text[fault.start : fault.end])]
    found = [match for match in names if match[0] in said] or names
    if not found:
        return None
    last = found[-1]  # of `module.atribute` the attribute
    return Span(fault.start + last.start(), fault.start + last.end())


def near_names(name: str, known: Collection[str]) -> list[str]:
    """The names most like it, the most alike first."""
    others = sorted(word for word in known if word != name and word.startswith("_") == name.startswith("_"))
    return [each for each in difflib.get_close_matches(name, others, MAX_NAMES, LIKENESS) if each != name]


def common_beginning(name: str, known: Collection[str]) -> int:
    """How many of its first characters some other name in sight begins with; the end of them is doubtful."""
    for size in range(len(name) - 1, 1, -1):
        if any(word != name and word.startswith(name[:size]) for word in known):
            return size
    return 0
