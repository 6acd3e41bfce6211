"""Which definitions of other files the file at the cursor uses: by import, by attribute, by mention.

Knows what names mean (`Lookup`), no budgets and no order beyond its own.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from context.builtin_members import BUILTIN_MEMBERS
from context.imports import Module
from context.languages import language_of
from context.lookup import Lookup
from context.name_index import Target
from context.paths import folder_of, name_of
from context.repo_map import core_units
from context.symbols import Kind
from context.uses import Path, Uses

MAX_OWNERS = 3
"""A member with more owners says too little about which class is meant."""
MAX_MEMBER_CLASSES = 8
MAX_WAITING = 6
"""A file with more unused imports only passes them on."""

_NAME = re.compile(r"[^\W\d]\w{2,}")
COMMON = frozenset(
    [*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls", "this", "const", "function"]
)
"""Words that every file has."""


class Used(NamedTuple):
    """A definition of another file, and where the file at the cursor uses it."""

    name: str
    target: Target
    lines: tuple[int, ...]
    """One per use; empty for what is only imported."""


class UsedNames:
    """The used definitions of one file."""

    def __init__(self, lookup: Lookup, key: str, uses: Uses) -> None:
        self._lookup = lookup
        self._key = key
        self._uses = uses
        self._found: dict[Target, Used] = {}
        self.words = uses.words - COMMON
        self.modules: dict[str, None] = {}
        """Files that the file's own imports name or lead to, in that order."""
        self._bound: set[Target] = set()
        self._find()

    def by_import(self) -> list[Used]:
        """Level 1: what waits to be used, then by rough number of uses: one more seldom changes it."""
        waiting = self.waiting()
        ranked = sorted(
            (used for used in self._found.values() if used not in waiting),
            key=lambda used: (-len(used.lines).bit_length(), used.name, used.target),
        )
        return [*waiting, *ranked, *self._inherited([*waiting, *ranked])]

    def waiting(self) -> list[Used]:
        """Names that are imported and not used yet, as when the import was written first."""
        found = [used for target, used in self._found.items() if target in self._bound and not used.lines]
        return found if len(found) <= MAX_WAITING else []

    def by_member(self, taken: Collection[Target]) -> list[Used]:
        """The member index: classes that own attributes which few classes have, the rarest first."""
        own = {definition.name for definition in self._uses.facts.definitions}
        names, hidden = self._lookup.project.names, self._lookup.hidden
        row = language_of(self._key)
        builtin = BUILTIN_MEMBERS.get(row.family if row else "", COMMON)
        found: dict[Target, list[tuple[float, str, tuple[int, ...]]]] = {}
        for attribute, lines in self._uses.attributes.items():
            everywhere = names.owners_of(attribute)
            if attribute in own or attribute in builtin or len(everywhere) > MAX_OWNERS + len(hidden):
                continue
            owners = [target for target in everywhere if target.key not in hidden]
            if len(owners) <= MAX_OWNERS:
                for target in owners:
                    found.setdefault(target, []).append((1 / len(owners), attribute, lines))
        ranked = sorted(found, key=lambda target: (-sum(row[0] for row in found[target]), target))
        chosen = [target for target in ranked if target not in taken][:MAX_MEMBER_CLASSES]
        return [
            Used(
                ", ".join(sorted(row[1] for row in found[target])[:3]),
                target,
                tuple(sorted(line for row in found[target] for line in row[2])),
            )
            for target in chosen
        ]

    def by_mention(self, level: Iterable[Used]) -> list[Used]:
        """Level 2: classes named in the signatures of level 1, the most often named first."""
        level = list(level)
        taken = {used.target for used in level}
        mentions: Counter[tuple[str, Target]] = Counter()
        for used in level:
            facts = self._lookup.facts(used.target.key)
            for index in used.target.indices if facts else ():
                units = core_units(facts, index, self.words) if facts else ()
                text = "".join(facts.definitions[unit.index].signature for unit in units) if facts else ""
                for name in set(_NAME.findall(text)) - COMMON:
                    found = self._dotted(used.target.key, name)
                    if found is not None and found not in taken and self._is_class(found):
                        mentions[name, found] += 1
        ranked = sorted(mentions, key=lambda row: (-mentions[row], row))
        return [Used(name, target, ()) for name, target in ranked]

    def _find(self) -> None:
        for statement in self._uses.facts.imports:
            for binding in self._lookup.bindings(self._key, statement):
                self._note_module(binding.module)
                if binding.bound == "*":
                    self._add_star(binding.module)
                elif binding.name:
                    found = self._lookup.resolve(binding.module, binding.name)
                    self._bound |= {found} if isinstance(found, Target) else set()
                    self._add(found, binding.bound, self._uses.names.get(binding.bound, ()))
                else:
                    self._add(binding.module, binding.bound, ())
        self._add_fixtures()

    def _add(self, found: Target | Module | None, name: str, lines: Iterable[int]) -> None:
        """A definition counts as it is; a module counts for the attributes that are used of it."""
        if isinstance(found, Target):
            before = self._found.get(found)
            seen = before.lines if before else ()
            self._found[found] = Used(before.name if before else name, found, (*seen, *lines))
            self.modules.setdefault(found.key)
        elif isinstance(found, Module):
            self._note_module(found)
            paths: dict[Path, list[int]] = {}
            for path, line in self._uses.chains.get(name, ()):
                paths.setdefault(path, []).append(line)
            for path, where in paths.items():
                target, last = self._follow(found, path)
                if target is not None:
                    self._add(target, last, where)

    def _follow(self, module: Module, path: Path) -> tuple[Target | None, str]:
        found: Target | Module | None = module
        last = ""
        for last in path:
            if not isinstance(found, Module):
                break
            found = self._lookup.resolve(found, last)
            if isinstance(found, Module):
                self._note_module(found)
            else:
                break
        return (found, last) if isinstance(found, Target) else (None, last)

    def _add_star(self, module: Module) -> None:
        for name in dict.fromkeys(self._lookup.star_names(module.file) if module.file else ()):
            if name in self._uses.names:
                self._add(self._lookup.resolve(module, name), name, self._uses.names[name])

    def _add_fixtures(self) -> None:
        """pytest hands functions of every conftest.py above a test file to parameters of the same name."""
        if not name_of(self._key).startswith(("test_", "conftest")):
            return
        folder = folder_of(self._key)
        while folder:
            key = f"{folder}/conftest.py"
            facts = self._lookup.facts(key)
            for name in facts.top_level if facts else ():
                if name in self._uses.names:
                    self._add(self._lookup.define(key, name), name, self._uses.names[name])
            folder = folder_of(folder)

    def _inherited(self, level: list[Used]) -> list[Used]:
        """Bases of the bases of the file's own classes: what `self` can do."""
        bases = {base.rpartition(".")[2] for row in self._uses.facts.definitions for base in row.bases}
        queue = [used.target for used in level if self._row_name(used.target) in bases]
        seen = {used.target for used in level}
        found: list[Used] = []
        for target in queue:
            facts = self._lookup.facts(target.key)
            for index in target.indices if facts else ():
                for base in facts.definitions[index].bases if facts else ():
                    above = self._dotted(target.key, base)
                    if above is not None and above not in seen:
                        seen.add(above)
                        queue.append(above)
                        found.append(Used(base, above, ()))
        return found

    def _dotted(self, key: str, name: str) -> Target | None:
        head, *path = name.split(".")
        found = self._lookup.define(key, head)
        if isinstance(found, Module) and path:
            found = self._follow(found, tuple(path))[0]
        return found if isinstance(found, Target) else None

    def _note_module(self, module: Module) -> None:
        if module.file:
            self.modules.setdefault(module.file)

    def _is_class(self, target: Target) -> bool:
        facts = self._lookup.facts(target.key)
        kinds = [facts.definitions[index].kind for index in target.indices] if facts else []
        return Kind.CLASS in kinds or Kind.TYPE in kinds

    def _row_name(self, target: Target) -> str:
        facts = self._lookup.facts(target.key)
        return facts.definitions[target.indices[0]].name if facts else ""
