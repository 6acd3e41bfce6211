"""Which pieces of which files the file at the cursor may need, most wanted first. Counts no tokens.

Two lists. What is chosen for the whole file stays while the cursor moves: definitions of used names, classes
that own used members, classes named in signatures, then signatures of imported files, the folder, files two
imports away, open buffers. What is chosen for the cursor: the used definitions nearest to it, in full.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from context.candidate import Candidate, Unit
from context.lookup import Lookup
from context.paths import folder_of
from context.repo_map import core_units, map_units, other_units
from context.symbols import FileFacts
from context.used_names import Used, UsedNames
from context.uses import Uses

MAX_SIBLINGS = 8
MAX_FILES = 64
MAX_NEAR = 12


class Ranking:
    """Candidates for one file, of which `lookup` knows no facts. `opened`: the newest buffer first."""

    def __init__(self, lookup: Lookup, key: str, uses: Uses, opened: Sequence[str]) -> None:
        self._lookup = lookup
        self._key = key
        self._uses = uses
        self._opened = opened
        self._names = UsedNames(lookup, key, uses)
        self._by_import = self._names.by_import()
        self._by_member = self._names.by_member([used.target for used in self._by_import])

    @property
    def modules(self) -> tuple[str, ...]:
        """The files that the file's own imports lead to."""
        return tuple(self._names.modules)

    def for_file(self) -> Iterator[Candidate]:
        """What the file as a whole needs; looks no further than it is asked."""
        return (candidate for candidate in self._for_file() if candidate.units)

    def _for_file(self) -> Iterator[Candidate]:
        yield from (self._definition(used, "defines") for used in self._by_import)
        yield from (self._definition(used, "has a member") for used in self._by_member)
        mentioned = self._names.by_mention(self._by_import)
        yield from (self._definition(used, "named in signatures:") for used in mentioned)
        yield from (self._rest(used) for used in self._by_import)
        yield from self._files()

    def for_cursor(self) -> list[Candidate]:
        """What is imported and waits to be used, then the used definitions nearest to the cursor.

        Of what is imported everything that is public.
        """
        imported = set(self._by_import)
        used = [row for row in (*self._by_import, *self._by_member) if row.lines]
        nearest = sorted(used, key=lambda row: (self._distance(row.lines), row.name, row.target))
        found = [self._near(row, "imported, not used yet:", is_full=True) for row in self._names.waiting()]
        found += [
            self._near(row, "used near the cursor:", is_full=row in imported) for row in nearest[:MAX_NEAR]
        ]
        return [candidate for candidate in found if candidate.units]

    def _near(self, used: Used, reason: str, *, is_full: bool) -> Candidate:
        units = self._core(used) + (self._others(used) if is_full else ())
        return Candidate(used.target.key, "near", reason, used.name, units)

    @property
    def _words(self) -> frozenset[str]:
        return self._names.words

    def _files(self) -> Iterator[Candidate]:
        """Repo maps: imported files, the folder, files imported by those, open buffers."""
        imported = self._most_similar(self._names.modules, MAX_FILES)
        yield from (self._map(key, "repo_map", "imported here") for key in imported)
        beside = self._lookup.project.in_folder(folder_of(self._key))
        siblings = self._most_similar((key for key in beside if key not in self._names.modules), MAX_SIBLINGS)
        yield from (self._map(key, "sibling", "same folder") for key in siblings)
        seen = {*imported, *siblings}
        for distance, reason in enumerate(("imported by an imported file", "two imports away"), 1):
            at = self._at_distance(distance, seen)
            yield from (self._map(key, "repo_map", reason) for key in at)
            seen |= set(at)
        buffers = [key for key in self._opened if key not in seen and self._lookup.facts(key)]
        yield from (self._map(key, "open_file", "open in the editor") for key in buffers)

    def _at_distance(self, distance: int, seen: Collection[str]) -> list[str]:
        """Files so many imports behind the imported ones that define a name which occurs here."""
        found = self._lookup.project.graph.distances(self._names.modules, distance)
        keys = (key for key, steps in found.items() if steps == distance and key not in seen)
        return self._most_similar((key for key in keys if self._defines_a_word(key)), MAX_FILES)

    def _defines_a_word(self, key: str) -> bool:
        facts = self._lookup.facts(key)
        return facts is not None and not self._words.isdisjoint(facts.top_level)

    def _most_similar(self, keys: Iterable[str], limit: int) -> list[str]:
        rows = [(-self._similarity(facts), key) for key in keys if (facts := self._lookup.facts(key))]
        return [key for _, key in sorted(rows)[:limit]]

    def _definition(self, used: Used, reason: str) -> Candidate:
        is_direct = reason == "defines"
        return Candidate(
            used.target.key,
            "definition",
            reason,
            used.name,
            self._core(used),
            is_capped=True,
            is_direct=is_direct,
        )

    def _rest(self, used: Used) -> Candidate:
        """The members nobody asked for yet, after what is wanted of every other definition."""
        key, units = used.target.key, self._others(used)
        return Candidate(key, "definition", "defines", used.name, units, is_capped=True, is_direct=True)

    def _core(self, used: Used) -> tuple[Unit, ...]:
        facts = self._lookup.facts(used.target.key) or FileFacts()
        return tuple(unit for index in used.target.indices for unit in core_units(facts, index, self._words))

    def _others(self, used: Used) -> tuple[Unit, ...]:
        """Public members, those whose names many files hold first: they are what a class is used for."""
        facts = self._lookup.facts(used.target.key) or FileFacts()
        units = [unit for index in used.target.indices for unit in other_units(facts, index, self._words)]
        names = {unit: facts.definitions[unit.index].name for unit in units}
        rarity = self._lookup.project.words.idfs(names.values(), self._lookup.hidden)
        return tuple(
            sorted(units, key=lambda unit: (round(rarity.get(names[unit], math.inf), 1), unit.index))
        )

    def _map(self, key: str, kind: str, reason: str) -> Candidate:
        facts = self._lookup.facts(key) or FileFacts()
        return Candidate(key, kind, reason, units=map_units(facts, self._words))

    def _similarity(self, facts: FileFacts) -> float:
        """Shared words, against long files."""
        words = set(facts.words.split())
        return round(len(words & self._words) / math.sqrt(len(words) + 16), 6)

    def _distance(self, lines: Iterable[int]) -> int:
        """Lines to the nearest use; one below the cursor counts twice."""
        here = self._uses.line
        return min(here - line if line <= here else 2 * (line - here) for line in lines)
