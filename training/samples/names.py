"""Which names of a repository's files other files of it define, and where. `context` resolves; nothing runs.

One repository in memory. A language that `context` has no grammar for has no such names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from context.extract import extract
from context.languages import language_of
from context.lookup import Lookup
from context.name_index import Target
from context.project import Entry, Project
from context.repo_map import render
from context.symbols import Definition
from context.used_names import Used, UsedNames
from context.uses import MAX_PARSED, uses_of
from training.corpus.repository import Repository

_ROOT = "/repository"
SETTLED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A definition in one file."""

    path: str
    first_line: int
    """From 0, decorators included."""
    last_line: int
    signature: str
    """As a prompt's repository map shows it, its class's line included."""


@dataclass(frozen=True, slots=True)
class Use:
    """A name that stands in a file and is defined in others."""

    name: str
    offset: int
    places: tuple[Place, ...]


class RepositoryNames:
    """The names of one repository."""

    def __init__(self, repository: Repository) -> None:
        self._texts = {file.path: file.text for file in repository.files}
        self._project = Project((_ROOT,))
        for path, text in self._texts.items():
            if (language := language_of(path)) is not None:
                self._project.put(_key(path), Entry(path, None, extract(text, language)))
        while not self._project.graph.settle(SETTLED_AT_ONCE):
            pass

    def uses(self, path: str) -> list[Use]:
        """In the order of the file; a name is listed once for each time it stands there, imports left out."""
        language, text = language_of(path), self._texts[path]
        if language is None or language.grammar is None or len(text) >= MAX_PARSED:
            return []
        key, whole = _key(path), text + "\n"
        lookup = Lookup(self._project, self._project.same_file(key, None))
        # The cursor stands on a line of its own behind the text: nothing is left out.
        names = UsedNames(lookup, key, uses_of(whole, len(whole), language))
        found: dict[int, Use] = {}
        starts = _line_starts(text)
        for used in _all_used(names):
            for name in used.name.split(", "):
                if places := self._places(used.target, name):
                    for offset in _offsets(text, starts, name, used.lines):
                        found.setdefault(offset, Use(name, offset, places))
        return [found[offset] for offset in sorted(found)]

    def _places(self, target: Target, name: str) -> tuple[Place, ...]:
        """What defines a name: of a member the class's own line and the member, else the definitions."""
        facts = self._project.facts(target.key)
        if facts is None:
            return ()
        members = [
            member
            for index in target.indices
            for member in facts.members.get(index, ())
            if facts.definitions[member].name == name
        ]
        chosen = members or list(target.indices)
        owners = [facts.definitions[member].owner for member in members]
        path = self._project.entries[target.key].path
        signature = render(facts, dict.fromkeys([*owners, *chosen], True))
        rows: Sequence[Definition] = [facts.definitions[index] for index in chosen]
        return tuple(Place(path, row.first_line, row.last_line, signature) for row in rows)


def _all_used(names: UsedNames) -> Iterator[Used]:
    """By import first; then the members of any class, also of those that the file imports."""
    yield from names.by_import()
    taken: set[Target] = set()
    while by_member := names.by_member(taken):
        yield from by_member
        taken |= {used.target for used in by_member}


def _offsets(text: str, starts: Sequence[int], name: str, lines: Sequence[int]) -> Iterator[int]:
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for line in sorted({*lines}):
        if line < len(starts):
            end = starts[line + 1] if line + 1 < len(starts) else len(text)
            yield from (match.start() for match in word.finditer(text, starts[line], end))


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _key(path: str) -> str:
    return f"{_ROOT}/{path}"
