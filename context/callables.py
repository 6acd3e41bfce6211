"""What the workspace's classes and functions have: names of members like a given one, and parameters.

Knows a project; by name alone, so that several may be meant. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from context.lookup import Lookup
from context.name_index import Target
from context.project import Project
from context.symbols import Definition, FileFacts, Kind

MAX_FOUND = 20
"""Members, or functions of one name."""
MAX_BASES = 4
"""Classes above a class, from one to the next."""
MAX_HEADER = 4_000
_OWN_ATTRIBUTE = re.compile(r"(?:self|this)\.([^\W\d]\w*)")
_HEADER = re.compile(r"(?:def|function\*?)?\s*(?P<name>[^\W\d][\w$]*)\s*(?:<[^<>()]*>|\[[^\[\]()]*\])?\(")
_PARAMETER = re.compile(r"\s*(?:\.\.\.|\*{0,2})\s*(?P<name>[^\W\d][\w$]*)")
_IMPLIED = frozenset({"self", "cls", "this", "mcs"})


TextOf = Callable[[str], str]
"""A file's text by its key."""


def members_like(
    project: Project, owner: str, is_like: Callable[[str], bool], text_of: TextOf
) -> tuple[str, ...]:
    """Members that pass a test: those of the class or module `owner`, if it is known, else of any class."""
    found = _members_of(project, owner, text_of) if owner else ()
    own = dict.fromkeys(name for name in found if is_like(name))
    if own:
        return tuple(own)[:MAX_FOUND]
    return tuple(name for name in project.names.members() if is_like(name))[:MAX_FOUND]


def parameters_of(project: Project, name: str, owner: str, text_of: TextOf) -> tuple[tuple[str, ...], ...]:
    """The parameters of each function called `name`, of the class `owner` if one is given; of a class, what
    makes one of it.
    """
    found: dict[tuple[str, ...], None] = {}
    for key, facts in _facts_of(project):
        for index, definition in enumerate(facts.definitions):
            above = facts.definitions[definition.owner].name if definition.owner >= 0 else ""
            if definition.name != name or (owner and above != owner):
                continue
            if definition.kind is Kind.FUNCTION:
                found.setdefault(_parameters(definition, text_of(key)))
            elif definition.kind is Kind.CLASS:
                found.update(dict.fromkeys(_of_class(facts, index, text_of(key))))
        if len(found) >= MAX_FOUND:
            break
    return tuple(row for row in found if row)


def _facts_of(project: Project) -> Iterator[tuple[str, FileFacts]]:
    return ((key, entry.facts) for key, entry in project.entries.items() if entry.facts is not None)


def _members_of(project: Project, owner: str, text_of: TextOf) -> Iterator[str]:
    last = owner.rpartition(".")[2]
    for key, facts in _facts_of(project):
        stem = key.rpartition(".")[0].removesuffix("/__init__")
        if stem.endswith(f"/{last}"):
            yield from facts.top_level
            yield from (name for name in facts.bound if name != "*")
        for index in facts.top_level.get(last, ()):
            yield from _of_class_and_bases(project, key, index, text_of)


def _of_class_and_bases(
    project: Project, key: str, index: int, text_of: TextOf, limit: int = MAX_BASES
) -> Iterator[str]:
    facts = project.facts(key)
    if facts is None:
        return
    definition = facts.definitions[index]
    yield from (facts.definitions[member].name for member in facts.members.get(index, ()))
    yield from _OWN_ATTRIBUTE.findall("\n".join(_lines(definition, text_of(key))))
    lookup = Lookup(project)
    for base in definition.bases if limit else ():
        above = lookup.define(key, base.partition(".")[0])
        for at in above.indices if isinstance(above, Target) else ():
            if isinstance(above, Target) and (above.key, at) != (key, index):
                yield from _of_class_and_bases(project, above.key, at, text_of, limit - 1)


def _of_class(facts: FileFacts, index: int, text: str) -> Iterator[tuple[str, ...]]:
    members = [facts.definitions[member] for member in facts.members.get(index, ())]
    makers = [each for each in members if each.name in ("__init__", "__new__", "constructor")]
    if makers:
        yield from (_parameters(each, text) for each in makers)
    else:  # a dataclass, or what is like one
        yield tuple(each.name for each in members if each.kind is Kind.VARIABLE)


def _parameters(definition: Definition, text: str) -> tuple[str, ...]:
    """Names in order, without `self`; read from the text of a header."""
    source = "\n".join(_lines(definition, text))
    for header in _HEADER.finditer(source):
        if header["name"] == definition.name:
            names = (_PARAMETER.match(part) for part in _split(source, header.end()))
            return tuple(match["name"] for match in names if match and match["name"] not in _IMPLIED)
    return ()


def _lines(definition: Definition, text: str) -> list[str]:
    return text.split("\n")[definition.first_line : definition.last_line + 1]


def _split(text: str, start: int) -> list[str]:
    """What is between commas, up to the bracket that closes the list."""
    parts, depth = [""], 0
    for char in text[start : start + MAX_HEADER]:
        if char in ")]}" and depth == 0:
            break
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
