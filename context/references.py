"""Where a definition is used, and what the names that it uses mean. Knows a project, no budget, no prompt.

What a name means is found through imports; an attribute of something unknown only by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from context.builtin_members import BUILTIN_MEMBERS
from context.graph import reachable
from context.imports import Module
from context.languages import language_of
from context.lookup import Lookup
from context.name_index import Target
from context.project import Project
from context.symbols import Definition, FileFacts, Kind
from context.uses import MIN_WORD

MAX_FILES = 60
"""Read to find uses."""
MAX_STEPS = 3
"""A use is in a file that imports the definition's, perhaps through two others."""
MAX_USES = 200
MAX_OWNERS = 3
"""A member that more classes have is not looked for by its name alone."""

Chain = tuple[str, ...]
"""`a.b.c` as it is written; empty strings stand for what is no name."""
_SELF = frozenset({"self", "cls", "this", "super"})
_COMMENTS = ("#", "//", "*", "/*", ">>>", "...")


@dataclass(frozen=True, slots=True)
class Mention:
    """A line of a file."""

    key: str
    """The absolute path."""
    path: str
    """Workspace-relative."""
    line: int
    """From zero."""
    name: str
    """The definition on that line, or around it, with its class; empty at the top of a file."""
    is_guess: bool = False
    """Found by a member's name alone."""


@dataclass(frozen=True, slots=True)
class References:
    """What is known around one definition."""

    meanings: Mapping[Chain, Mention]
    """Where the names that it uses are defined, as far as that is in the workspace."""
    users: tuple[Mention, ...]
    """Lines that call or make it, those of its own file first."""
    importers: tuple[Mention, ...]
    """Files that import its file."""
    is_by_name: bool
    """Whether `users` are of a member, and so whatever has its name."""
    left_out: int = 0
    """Files that were not read."""


def references(
    project: Project,
    key: str,
    name: str,
    owner: str,
    lines: tuple[int, int],
    chains: Iterable[Chain],
    text_of: Callable[[str], str],
    path_of: Callable[[str], str],
) -> References:
    """What is known around the definition `name`, of the class `owner` or of none, in the lines of a file.

    An empty name has no users: these are some lines, of a method of `owner` or of none.
    """
    return _Finder(project, key, text_of, path_of).find(name, owner, lines, chains)


class _Finder:
    def __init__(
        self, project: Project, key: str, text_of: Callable[[str], str], path_of: Callable[[str], str]
    ) -> None:
        self._lookup = Lookup(project)
        self._project = project
        self._key = key
        self._text_of = text_of
        self._path_of = path_of

    def find(self, name: str, owner: str, lines: tuple[int, int], chains: Iterable[Chain]) -> References:
        found = {chain: self._meaning(chain, owner) for chain in dict.fromkeys(chains)}
        files, left_out = self._files_with(name) if name else ([], 0)
        uses = [use for file in files for use in self._uses(file, name, owner, lines)]
        importers = sorted(self._project.graph.importers_of(self._key))
        return References(
            meanings={chain: mention for chain, mention in found.items() if mention is not None},
            users=tuple(uses[:MAX_USES]),
            importers=tuple(Mention(other, self._path_of(other), 0, "") for other in importers),
            is_by_name=bool(owner),
            left_out=left_out,
        )

    def _files_with(self, word: str) -> tuple[list[str], int]:
        """The file and those that import it and have the word, nearest first; how many are left out."""
        distance = reachable([self._key], self._project.graph.importers_of, MAX_STEPS)
        found = []
        for file in sorted(distance, key=lambda file: (distance[file], file)):
            facts = self._project.facts(file)
            is_short = len(word) < MIN_WORD
            if facts is not None and (is_short or f" {word} " in f" {facts.words} "):
                found.append(file)
        return found[:MAX_FILES], max(0, len(found) - MAX_FILES)

    def _uses(self, file: str, name: str, owner: str, lines: tuple[int, int]) -> Iterable[Mention]:
        facts = self._project.facts(file)
        names: set[str] = set() if owner or facts is None else self._bound(file, facts, name)
        patterns = [rf"\.\s*{re.escape(name)}"] if owner or file != self._key else []
        patterns += [rf"(?<![\w$.]){re.escape(each)}" for each in sorted(names)]
        if not patterns or facts is None:
            return
        use = re.compile(
            rf"(?:{'|'.join(patterns)})(?![\w$])\s*(?:<[^<>()]*>)?\(|<{re.escape(name)}(?=[\s/>])"
        )
        for number, line in enumerate(self._text_of(file).split("\n")):
            is_own = file == self._key and lines[0] <= number <= lines[1]
            if is_own or not any(each in line for each in (name, *names)):
                continue
            code = line.strip()
            if use.search(line) and not code.startswith(_COMMENTS) and not _declares(code, name):
                yield Mention(file, self._path_of(file), number, _around(facts, number))

    def _bound(self, file: str, facts: FileFacts, name: str) -> set[str]:
        """What a file calls the definition."""
        if file == self._key:
            return {name}
        target = self._lookup.define(self._key, name)
        found: set[str] = set()
        for statement in facts.imports:
            for binding in self._lookup.bindings(file, statement):
                is_star = binding.bound == "*"
                wanted = name if is_star else binding.name
                if target and wanted and self._lookup.resolve(binding.module, wanted) == target:
                    found.add(name if is_star else binding.bound)
        return found

    def _meaning(self, chain: Chain, owner: str) -> Mention | None:
        head, *path = chain
        if head in _SELF and path:
            own = self._member(self._lookup.define(self._key, owner), path[0]) if owner else None
            return own if len(path) == 1 else self._by_name(path[-1])
        found: Target | Module | None = self._lookup.define(self._key, head) if head else None
        for position, step in enumerate(path):
            if isinstance(found, Module):
                found = self._lookup.resolve(found, step)
            elif isinstance(found, Target):
                return self._member(found, step) if position == len(path) - 1 else self._by_name(path[-1])
            else:
                break
        if isinstance(found, Target):
            return self._mention(found)
        return self._by_name(path[-1]) if path and found is None and not self._is_foreign(head) else None

    def _is_foreign(self, head: str) -> bool:
        """Whether a name is imported from outside of the workspace: its members are not ours."""
        facts = self._project.facts(self._key)
        return facts is not None and head in facts.bound

    def _member(self, owner: Target | Module | None, name: str, limit: int = 5) -> Mention | None:
        """A member of a class or of one of its bases."""
        facts = self._lookup.facts(owner.key) if isinstance(owner, Target) else None
        if facts is None or not isinstance(owner, Target):
            return None
        for index in owner.indices:
            for member in facts.members.get(index, ()):
                if facts.definitions[member].name == name:
                    return self._mention(Target(owner.key, (member,)))
        for base in (base for index in owner.indices for base in facts.definitions[index].bases):
            above = self._lookup.define(owner.key, base.partition(".")[0]) if limit else None
            if (found := self._member(above, name, limit - 1)) is not None:
                return found
        return None

    def _by_name(self, member: str) -> Mention | None:
        """The member of whichever class has it, if few have."""
        row = language_of(self._key)
        builtin = BUILTIN_MEMBERS.get(row.family if row else "", frozenset())
        owners = sorted(self._project.names.owners_of(member)) if member else []
        if not 0 < len(owners) <= MAX_OWNERS or member in builtin:
            return None
        found = self._member(owners[0], member)
        return None if found is None else Mention(found.key, found.path, found.line, found.name, True)

    def _mention(self, target: Target) -> Mention | None:
        facts = self._lookup.facts(target.key)
        if facts is None:
            return None
        definition = facts.definitions[target.indices[-1]]
        line = _name_line(self._text_of(target.key).split("\n"), definition)
        return Mention(target.key, self._path_of(target.key), line, _full_name(facts, definition))


def _around(facts: FileFacts, line: int) -> str:
    """The smallest function or class around a line."""
    inside = [
        each
        for each in facts.definitions
        if each.kind in (Kind.FUNCTION, Kind.CLASS) and each.first_line <= line <= each.last_line
    ]
    return _full_name(facts, min(inside, key=lambda each: each.last_line - each.first_line)) if inside else ""


def _full_name(facts: FileFacts, definition: Definition) -> str:
    owner = facts.definitions[definition.owner].name if definition.owner >= 0 else ""
    return f"{owner}.{definition.name}" if owner else definition.name


def _name_line(lines: Sequence[str], definition: Definition) -> int:
    """The line of its name: decorators stand above it."""
    word = re.compile(rf"(?<![\w$]){re.escape(definition.name)}(?![\w$])")
    for number in range(definition.first_line, min(definition.last_line + 1, len(lines))):
        if word.search(lines[number]) and not lines[number].lstrip().startswith("@"):
            return number
    return definition.first_line


def _declares(code: str, name: str) -> bool:
    return (
        re.match(rf"(?:[\w$]+\s+)*(?:def|class|function\*?)\s+{re.escape(name)}(?![\w$])", code) is not None
    )
