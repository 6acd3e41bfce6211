"""Signatures of a file: which definitions a caller may want, and how a choice of them is written. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from context.candidate import Unit
from context.symbols import Definition, FileFacts, Kind

_USEFUL_DUNDERS = frozenset(
    ["__init__", "__new__", "__post_init__", "__call__", "__enter__", "__aenter__", "__iter__", "__getitem__"]
)


def is_public(definition: Definition) -> bool:
    """Whether other files are meant to use it. A setter says nothing that its property has not said."""
    is_private = definition.name.startswith("_") and definition.name not in _USEFUL_DUNDERS
    return not is_private and not _is_setter(definition)


def map_units(facts: FileFacts, words: Collection[str]) -> tuple[Unit, ...]:
    """The repo map of a file: all that is public or whose name is among `words`, in source order."""
    chosen: set[int] = set()
    for index, definition in enumerate(facts.definitions):
        is_visible = definition.owner < 0 or definition.owner in chosen
        if is_visible and (is_public(definition) or definition.name in words):
            chosen.add(index)
    return tuple(Unit(index) for index in sorted(chosen))


def core_units(facts: FileFacts, index: int, words: Collection[str]) -> tuple[Unit, ...]:
    """The pieces of a used definition that are wanted in any case, most wanted first.

    A class is its header, `__init__`, fields and the members named in `words`; a short function is whole.
    """
    if facts.definitions[index].kind is not Kind.CLASS:
        return (Unit(index, is_whole=bool(facts.definitions[index].body)),)
    members = [(member, facts.definitions[member]) for member in facts.members.get(index, ())]
    fields = [member for member, row in members if row.kind is Kind.VARIABLE and is_public(row)]
    makers = [member for member, row in members if row.name in ("__init__", "__new__")]
    used = [member for member, row in members if row.name in words and not _is_setter(row)]
    return tuple(Unit(member) for member in dict.fromkeys([index, *makers, *fields, *used]))


def other_units(facts: FileFacts, index: int, words: Collection[str]) -> tuple[Unit, ...]:
    """The public members of a class that are not core."""
    core = {unit.index for unit in core_units(facts, index, words)}
    members = [member for member in facts.members.get(index, ()) if member not in core]
    return tuple(Unit(member) for member in members if is_public(facts.definitions[member]))


def render(facts: FileFacts, chosen: Mapping[int, bool]) -> str:
    """Source text of the chosen definitions (index -> whole); `...` ends a class that shows not all."""
    return _render_members(facts, -1, chosen, "")


def unit_text(facts: FileFacts, unit: Unit) -> str:
    """The text that one unit adds."""
    definition = facts.definitions[unit.index]
    return definition.body if unit.is_whole and definition.body else definition.signature


def _render_members(facts: FileFacts, owner: int, chosen: Mapping[int, bool], pad: str) -> str:
    parts: list[str] = []
    is_gap = False
    previous: Definition | None = None
    for index in facts.members.get(owner, ()):
        definition = facts.definitions[index]
        if index not in chosen:
            is_gap = True
            continue
        if previous is not None and previous.first_line == definition.first_line:
            continue  # `a, b = f()` is one text
        if owner < 0 and previous is not None and not (_is_variable(previous) and _is_variable(definition)):
            parts.append("\n")
        previous = definition
        parts.append(unit_text(facts, Unit(index, chosen[index])))
        if definition.kind is Kind.CLASS:
            parts.append(_class_body(facts, index, chosen, pad + facts.indent))
    if owner >= 0 and is_gap:
        parts.append(f"{pad}...\n")
    return "".join(parts)


def _class_body(facts: FileFacts, index: int, chosen: Mapping[int, bool], pad: str) -> str:
    body = _render_members(facts, index, chosen, pad)
    has_docstring = facts.definitions[index].signature.endswith('"""\n')
    return body if body or has_docstring else f"{pad}...\n"


def _is_setter(definition: Definition) -> bool:
    marks = (f"@{definition.name}.setter", f"@{definition.name}.deleter")
    return definition.signature.lstrip().startswith(marks)


def _is_variable(definition: Definition) -> bool:
    return definition.kind is Kind.VARIABLE
