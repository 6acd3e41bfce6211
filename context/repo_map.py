"""Signatures of a file: which definitions a caller may want, and how a choice of them is written. Pure."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Collection, Iterable, Mapping

from context.candidate import Unit
from context.symbols import Definition, FileFacts, Kind

_USEFUL_DUNDERS = frozenset(
    ["__init__", "__new__", "__post_init__", "__call__", "__enter__", "__aenter__", "__iter__", "__getitem__"]
)
_MAKERS = ("__init__", "__new__", "constructor")
_PRIVATE = re.compile(r"^[ \t]*private[ \t]+[\w#]", re.MULTILINE)
MAX_FIELDS = 20
"""Of an enum or interface with more, only those that a file names are wanted."""


def is_public(definition: Definition) -> bool:
    """Whether its name says that others may use it. A setter says nothing that its property has not said."""
    is_private = definition.name.startswith(("_", "#")) and definition.name not in _USEFUL_DUNDERS
    return not is_private and not _is_setter(definition) and not _PRIVATE.search(definition.signature)


def map_units(facts: FileFacts, words: Collection[str]) -> tuple[Unit, ...]:
    """The repo map of a file: all that is public or whose name is among `words`, in source order."""
    chosen: set[int] = set()
    known = _known_outside(facts)
    for index, definition in enumerate(facts.definitions):
        is_visible = definition.owner < 0 or definition.owner in chosen
        is_wanted = is_public(definition) and not _is_far_down(facts, index)
        is_wanted = is_wanted and (known is None or definition.owner >= 0 or definition.name in known)
        if is_visible and (is_wanted or definition.name in words):
            chosen.add(index)
    return tuple(Unit(index) for index in sorted(chosen))


def core_units(facts: FileFacts, index: int, words: Collection[str]) -> tuple[Unit, ...]:
    """The pieces of a used definition that are wanted in any case, most wanted first.

    A class is its header, constructor, fields and the members named in `words`; a short function is whole.
    """
    if index not in facts.members:
        return (Unit(index, is_whole=bool(facts.definitions[index].body)),)
    members = [(member, facts.definitions[member]) for member in facts.members[index]]
    fields = [member for member, row in members if row.kind is Kind.VARIABLE and is_public(row)]
    near = [member for member in fields if not _is_far_down(facts, member)]
    makers = [member for member, row in members if row.name in _MAKERS]
    used = [member for member, row in members if row.name in words and not _is_setter(row)]
    return tuple(Unit(member) for member in dict.fromkeys([index, *makers, *near, *used]))


def other_units(facts: FileFacts, index: int, words: Collection[str]) -> tuple[Unit, ...]:
    """The public members of a class that are not core."""
    core = {unit.index for unit in core_units(facts, index, words)}
    members = [member for member in facts.members.get(index, ()) if member not in core]
    wanted = (member for member in members if not _is_far_down(facts, member))
    return tuple(Unit(member) for member in wanted if is_public(facts.definitions[member]))


def render(facts: FileFacts, chosen: Mapping[int, bool]) -> str:
    """Source text of the chosen definitions (index -> whole); an ellipsis ends a class that shows not all."""
    return _render_members(facts, -1, facts.members.get(-1, ()), chosen, "")


def unit_text(facts: FileFacts, unit: Unit) -> str:
    """The text that one unit adds."""
    definition = facts.definitions[unit.index]
    return definition.body if unit.is_whole and definition.body else definition.signature


def _render_members(
    facts: FileFacts, owner: int, members: Iterable[int], chosen: Mapping[int, bool], pad: str
) -> str:
    parts: list[str] = []
    is_gap = False
    previous: Definition | None = None
    for index in members:
        definition = facts.definitions[index]
        if index not in chosen:
            is_gap = True
            continue
        if previous is not None and _is_one_text(previous, definition):
            continue
        if owner < 0 and previous is not None and not (_is_variable(previous) and _is_variable(definition)):
            parts.append("\n")
        previous = definition
        text = unit_text(facts, Unit(index, chosen[index]))
        if definition.closing or index in facts.members or definition.kind is Kind.CLASS:
            rest = _class_rest(facts, index, chosen, pad)
            # a class of which nothing is known stands on one line
            text = text.rstrip() + rest.lstrip() if rest == definition.closing != "" else text + rest
        parts.append(text)
    if owner >= 0 and is_gap:
        parts.append(f"{pad}{facts.ellipsis}\n")
    return "".join(parts)


def _class_rest(facts: FileFacts, index: int, chosen: Mapping[int, bool], pad: str) -> str:
    """Members, what closes them, and members that stand after that."""
    members = facts.members.get(index, ())
    inside = [member for member in members if not facts.definitions[member].is_outside]
    outside = [member for member in members if facts.definitions[member].is_outside]
    definition = facts.definitions[index]
    body = _render_members(facts, index, inside, chosen, pad + facts.indent)
    has_docstring = definition.signature.endswith('"""\n')
    if not body and not has_docstring and not outside and not definition.closing:
        body = f"{pad}{facts.indent}{facts.ellipsis}\n"
    return f"{body}{definition.closing}{_render_members(facts, index, outside, chosen, pad)}"


def _known_outside(facts: FileFacts) -> set[str] | None:
    """Exported names, and types that they may speak of; None where everything can be used by other files."""
    if not facts.is_sealed:
        return None
    exported = {*(facts.exports or ()), *(local for _, local in facts.aliases)}
    types = {row.name for row in facts.definitions if row.kind is Kind.TYPE}
    return exported | types


def _is_far_down(facts: FileFacts, index: int) -> bool:
    """Whether it is one of the later rows of a long table."""
    owner = facts.definitions[index].owner
    if owner < 0 or facts.definitions[owner].kind is not Kind.TYPE:
        return False
    return bisect(facts.members[owner], index) > MAX_FIELDS


def _is_one_text(a: Definition, b: Definition) -> bool:
    """Whether two definitions are one statement, as in `a, b = f()`."""
    return a.first_line == b.first_line and a.signature == b.signature


def _is_setter(definition: Definition) -> bool:
    marks = (f"@{definition.name}.setter", f"@{definition.name}.deleter", f"set {definition.name}(")
    return definition.signature.lstrip().startswith(marks)


def _is_variable(definition: Definition) -> bool:
    return definition.kind is Kind.VARIABLE
