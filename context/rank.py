"""Which pieces of which files the file at the cursor may need, most wanted first. Counts no tokens.

For Python: definitions of used names; classes named in their signatures; signatures of imported files by
distance; files of the same folder; open buffers. For other languages: the same folder and open buffers.
"""

from __future__ import annotations

import builtins
import keyword
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from context.candidate import Candidate
from context.imports.python import Module
from context.languages import language_of
from context.paths import folder_of, name_of
from context.project import Entry, Project, Target
from context.repo_map import core_units, map_units, other_units
from context.symbols import FileFacts, Kind
from context.uses import Uses

MAX_DISTANCE = 3
MAX_SIBLINGS = 8
MAX_FILES = 64

_NAME = re.compile(r"[^\W\d]\w{2,}")
_COMMON = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"])


def rank_python(project: Project, key: str, uses: Uses, opened: Sequence[str]) -> list[Candidate]:
    """Candidates for a Python file, of which `project` knows no facts. `opened`: the newest buffer first."""
    return _PythonRanking(project, key, uses, opened).candidates()


def rank_plain(
    project: Project,
    key: str,
    language: str,
    hidden: Collection[str],
    opened: Sequence[str],
    text_of: Callable[[str], str],
) -> list[Candidate]:
    """Candidates for any other language: whole texts, open buffers first, the same extension first."""
    folder, extension = folder_of(key), name_of(key).rpartition(".")[2]
    row = language_of(key)

    def is_kin(other: str) -> bool:
        found = language_of(other)
        return other.endswith(f".{extension}") or (
            found is not None and (found == row or found.id == language)
        )

    siblings = sorted(other for other in project.entries if folder_of(other) == folder and is_kin(other))
    buffers = sorted((other for other in opened if other not in hidden), key=lambda other: not is_kin(other))
    ranked = [(other, "open_file", "open in the editor") for other in buffers]
    ranked += [
        (other, "sibling", "same folder") for other in siblings if other not in hidden and other not in opened
    ]
    found = [
        Candidate(other, kind, reason, text=text_of(other))
        for other, kind, reason in ranked[: MAX_SIBLINGS * 2]
    ]
    return [candidate for candidate in found if candidate.text]


class _PythonRanking:
    def __init__(self, project: Project, key: str, uses: Uses, opened: Sequence[str]) -> None:
        self._project = project
        self._key = key
        self._uses = uses
        self._opened = opened
        self._words = uses.words - _COMMON
        self._modules: dict[str, None] = {}
        """Files that the file's own imports name or lead to, in that order."""

    def candidates(self) -> list[Candidate]:
        used = self._used_definitions()
        found = [self._definition(target, "defines", name) for name, target in used]
        found += [self._rest(target, "defines", name) for name, target in used]
        found += [
            self._definition(target, "named in signatures:", name) for name, target in self._types(used)
        ]
        found += self._imported_files()
        mapped = {candidate.key for candidate in found if candidate.kind == "repo_map"}
        found += self._neighbours(mapped)
        return [candidate for candidate in found if candidate.units]

    def _used_definitions(self) -> list[tuple[str, Target]]:
        """Level 1: by rough number of uses, so that one more use seldom changes the order; then by name."""
        uses: dict[Target, tuple[int, str]] = {}
        for statement in self._uses.facts.imports:
            for binding in self._project.modules.bindings(self._key, statement):
                self._note_module(binding.module)
                if binding.bound == "*":
                    self._add_star(binding.module, uses)
                elif binding.name:
                    found = self._project.resolve(binding.module, binding.name)
                    self._add(found, binding.bound, self._uses.names.get(binding.bound, 0), uses)
                else:
                    self._add(binding.module, binding.bound, 0, uses)
        self._add_fixtures(uses)
        ranked = sorted(uses, key=lambda target: (-uses[target][0].bit_length(), uses[target][1], target.key))
        level = [(uses[target][1], target) for target in ranked]
        return level + self._inherited([target for _, target in level])

    def _add(
        self, found: Target | Module | None, name: str, count: int, uses: dict[Target, tuple[int, str]]
    ) -> None:
        """A definition counts as it is; a module counts for the attributes that are used of it."""
        if isinstance(found, Target):
            before = uses.get(found, (0, name))
            uses[found] = (before[0] + count, before[1])
            self._modules.setdefault(found.key)
        elif isinstance(found, Module):
            self._note_module(found)
            for path, times in Counter(self._uses.chains.get(name, ())).items():
                target, last = self._follow(found, path)
                if target is not None:
                    self._add(target, last, times, uses)

    def _follow(self, module: Module, path: tuple[str, ...]) -> tuple[Target | None, str]:
        found: Target | Module | None = module
        last = ""
        for last in path:
            if not isinstance(found, Module):
                break
            found = self._project.resolve(found, last)
            if isinstance(found, Module):
                self._note_module(found)
            else:
                break
        return (found, last) if isinstance(found, Target) else (None, last)

    def _add_star(self, module: Module, uses: dict[Target, tuple[int, str]]) -> None:
        for name in dict.fromkeys(self._project.star_names(module.file) if module.file else ()):
            if name in self._uses.names:
                self._add(self._project.resolve(module, name), name, self._uses.names[name], uses)

    def _add_fixtures(self, uses: dict[Target, tuple[int, str]]) -> None:
        """pytest hands functions of every conftest.py above a test file to parameters of the same name."""
        if not name_of(self._key).startswith(("test_", "conftest")):
            return
        folder = folder_of(self._key)
        while folder:
            key = f"{folder}/conftest.py"
            facts = self._facts(key)
            for name in facts.top_level if facts else ():
                if name in self._uses.names:
                    self._add(self._project.define(key, name), name, self._uses.names[name], uses)
            folder = folder_of(folder)

    def _inherited(self, level: list[Target]) -> list[tuple[str, Target]]:
        """Bases of the bases of the file's own classes: what `self` can do."""
        bases = {base.rpartition(".")[2] for row in self._uses.facts.definitions for base in row.bases}
        queue = [target for target in level if self._row_name(target) in bases]
        seen = set(level)
        found: list[tuple[str, Target]] = []
        for target in queue:
            facts = self._facts(target.key)
            for index in target.indices if facts else ():
                for base in facts.definitions[index].bases if facts else ():
                    above = self._dotted(target.key, base)
                    if above is not None and above not in seen:
                        seen.add(above)
                        queue.append(above)
                        found.append((base, above))
        return found

    def _types(self, used: list[tuple[str, Target]]) -> list[tuple[str, Target]]:
        """Level 2: classes named in the signatures of level 1, the most often named first."""
        taken = {target for _, target in used}
        mentions: Counter[tuple[str, Target]] = Counter()
        for _, target in used:
            facts = self._facts(target.key)
            for index in target.indices if facts else ():
                units = core_units(facts, index, self._words) if facts else ()
                text = "".join(facts.definitions[unit.index].signature for unit in units) if facts else ""
                for name in set(_NAME.findall(text)) - _COMMON:
                    found = self._dotted(target.key, name)
                    if found is not None and found not in taken and self._is_class(found):
                        mentions[name, found] += 1
        return sorted(mentions, key=lambda row: (-mentions[row], row[0], row[1].key))

    def _imported_files(self) -> list[Candidate]:
        """Level 3: repo maps. Beyond direct imports only files that define a name which occurs here."""
        distances = self._project.distances([key for key in self._modules if key in self._project.entries])
        ranked = []
        for key, distance in distances.items():
            facts = self._facts(key)
            if facts is None or distance >= MAX_DISTANCE:
                continue
            shared = sum(name in self._words for name in facts.top_level)
            if distance == 0 or shared:
                ranked.append((distance, -self._similarity(facts), key))
        reasons = ("imported here", "imported by an imported file", "two imports away")
        return [
            self._map(key, "repo_map", reasons[distance]) for distance, _, key in sorted(ranked)[:MAX_FILES]
        ]

    def _neighbours(self, taken: Collection[str]) -> list[Candidate]:
        """Level 4: the most similar files of the folder, then open buffers, the newest first."""
        folder = folder_of(self._key)
        rows = []
        for key, entry in self._project.entries.items():
            if folder_of(key) == folder and entry.facts is not None and key not in taken:
                rows.append((-self._similarity(entry.facts), key))
        siblings = [key for _, key in sorted(rows)[:MAX_SIBLINGS]]
        buffers = [key for key in self._opened if key not in {*taken, *siblings} and self._facts(key)]
        return [self._map(key, "sibling", "same folder") for key in siblings] + [
            self._map(key, "open_file", "open in the editor") for key in buffers
        ]

    def _definition(self, target: Target, reason: str, name: str) -> Candidate:
        facts = self._facts(target.key) or FileFacts()
        units = tuple(unit for index in target.indices for unit in core_units(facts, index, self._words))
        is_direct = reason == "defines"
        return Candidate(target.key, "definition", reason, name, units, is_capped=True, is_direct=is_direct)

    def _rest(self, target: Target, reason: str, name: str) -> Candidate:
        """The members nobody asked for yet, after what is wanted of every other definition."""
        facts = self._facts(target.key) or FileFacts()
        units = tuple(unit for index in target.indices for unit in other_units(facts, index, self._words))
        return Candidate(target.key, "definition", reason, name, units, is_capped=True, is_direct=True)

    def _map(self, key: str, kind: str, reason: str) -> Candidate:
        return Candidate(key, kind, reason, units=map_units(self._facts(key) or FileFacts(), self._words))

    def _dotted(self, key: str, name: str) -> Target | None:
        head, *path = name.split(".")
        found = self._project.define(key, head)
        if isinstance(found, Module) and path:
            found = self._follow(found, tuple(path))[0]
        return found if isinstance(found, Target) else None

    def _similarity(self, facts: FileFacts) -> float:
        """Shared words, against long files."""
        words = set(facts.words.split())
        return round(len(words & self._words) / math.sqrt(len(words) + 16), 6)

    def _note_module(self, module: Module) -> None:
        if module.file:
            self._modules.setdefault(module.file)

    def _is_class(self, target: Target) -> bool:
        facts = self._facts(target.key)
        return facts is not None and any(
            facts.definitions[index].kind is Kind.CLASS for index in target.indices
        )

    def _row_name(self, target: Target) -> str:
        facts = self._facts(target.key)
        return facts.definitions[target.indices[0]].name if facts else ""

    def _facts(self, key: str) -> FileFacts | None:
        entry: Entry | None = self._project.entries.get(key)
        return entry.facts if entry else None
