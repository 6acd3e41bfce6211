"""An immutable view of all indexed files: facts, who imports whom, where a name is defined, the one global
order.

Knows nothing of budgets, disks or threads. A new view takes over from the old one all that a change did not
touch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from context.graph import dependency_order, reachable, reversed_edges
from context.imports.python import Module, PythonModules
from context.paths import Identity, is_twin
from context.symbols import FileFacts, Kind, Scope

MAX_CHASE = 6
"""How many re-exports are followed from an import to its definition."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that may be a source of context."""

    path: str
    """Workspace-relative."""
    identity: Identity | None
    facts: FileFacts | None
    """None if the file is not Python, or has not been parsed yet, or could not be."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a name is defined."""

    key: str
    indices: tuple[int, ...]
    """Definitions of the file; several for overloads and for alternatives under `if`."""


class Project:
    """The files as they were at one moment."""

    def __init__(
        self, entries: Mapping[str, Entry], roots: tuple[str, ...], previous: Project | None = None
    ) -> None:
        self.entries = entries
        is_same_set = previous is not None and previous.entries.keys() == entries.keys()
        self.modules: PythonModules = (
            previous.modules if previous and is_same_set else PythonModules(entries, roots)
        )
        self._edges: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        for key, entry in entries.items():
            if entry.facts is None:
                continue
            old = previous.entries[key].facts if previous and is_same_set else None
            if previous and old is not None and old.imports == entry.facts.imports:
                self._edges[key] = previous._edges[key]
            else:
                self._edges[key] = self._dependencies(key, entry.facts)
        is_same_graph = is_same_set and previous is not None and previous._edges == self._edges
        self.order: Mapping[str, int] = previous.order if previous and is_same_graph else self._ordered()

    def without(self, hidden: Collection[str]) -> Project:
        """The same files with nothing known of what stands in some of them."""
        blind = {key: replace(self.entries[key], facts=None) for key in hidden if key in self.entries}
        return Project({**self.entries, **blind}, (), self)

    def imported_by(self, key: str) -> frozenset[str]:
        """The files that a file's imports name, weak ones too."""
        hard, weak = self._edges.get(key, (frozenset(), frozenset()))
        return hard | weak

    def distances(self, starts: Iterable[str]) -> dict[str, int]:
        """Import steps from the nearest start."""
        return reachable(starts, {key: hard | weak for key, (hard, weak) in self._edges.items()})

    def arrange(self, keys: Iterable[str], last: Iterable[str]) -> list[str]:
        """The global order of some files, those in `last` as late as their dependents among `keys` allow."""
        late = reachable(last, self._dependents)
        nowhere = len(self.order)
        return sorted(keys, key=lambda key: (key in late, self.order.get(key, nowhere), key))

    def same_file(self, key: str, identity: Identity | None) -> frozenset[str]:
        """Every name under which a file is indexed: hard links, other case, backup twins."""
        return frozenset(
            other
            for other, entry in self.entries.items()
            if is_twin(other, key) or (identity is not None and entry.identity == identity)
        ) | {key}

    def define(self, key: str, name: str, limit: int = MAX_CHASE) -> Target | Module | None:
        """What a name at the top level of a file means: definitions, a module, or nothing we know."""
        entry = self.entries.get(key)
        if entry is None or entry.facts is None or limit == 0:
            return None
        facts = entry.facts
        indices = facts.top_level.get(name, ())
        solid = tuple(index for index in indices if facts.definitions[index].kind is not Kind.VARIABLE)
        if solid:
            return Target(key, solid)
        # `X = None` under `except ImportError` must not hide the import above it
        return self._imported(key, facts, name, limit - 1) or (Target(key, indices) if indices else None)

    def resolve(self, module: Module, name: str, limit: int = MAX_CHASE) -> Target | Module | None:
        """What `module.name` means: its submodule before its definition."""
        submodule = self.modules.child(module, name)
        if submodule is not None and submodule.file:
            return submodule
        found = self.define(module.file, name, limit) if module.file else None
        return found or submodule

    def star_names(self, key: str, limit: int = MAX_CHASE) -> Iterator[str]:
        """The names that `from module import *` brings from a file."""
        entry = self.entries.get(key)
        if entry is None or entry.facts is None or limit == 0:
            return
        facts = entry.facts
        if facts.exports is not None:
            yield from facts.exports
            return
        yield from (name for name in facts.top_level if not name.startswith("_"))
        for statement in facts.imports:
            if statement.scope is Scope.FUNCTION:
                continue
            for binding in self.modules.bindings(key, statement):
                if binding.bound != "*":
                    yield from [binding.bound] if not binding.bound.startswith("_") else []
                elif binding.module.file:
                    yield from self.star_names(binding.module.file, limit - 1)

    def _ordered(self) -> dict[str, int]:
        python = [key for key in self.entries if key.endswith((".py", ".pyi"))]
        return {key: rank for rank, key in enumerate(dependency_order(python, self._hard))}

    @cached_property
    def _hard(self) -> dict[str, frozenset[str]]:
        return {key: hard for key, (hard, _) in self._edges.items()}

    @cached_property
    def _dependents(self) -> dict[str, set[str]]:
        return reversed_edges(self._hard)

    def _dependencies(self, key: str, facts: FileFacts) -> tuple[frozenset[str], frozenset[str]]:
        hard: set[str] = set()
        weak: set[str] = set()
        for statement in facts.imports:
            (weak if statement.is_weak else hard).update(self.modules.files_of(key, statement))
        return frozenset(hard), frozenset(weak - hard)

    def _imported(self, key: str, facts: FileFacts, name: str, limit: int) -> Target | Module | None:
        for statement in (*facts.bound.get(name, ()), *facts.bound.get("*", ())):
            for binding in self.modules.bindings(key, statement):
                found = self._through(binding.module, binding.name, binding.bound, name, limit)
                if found is not None:
                    return found
        return None

    def _through(
        self, module: Module, name: str, bound: str, wanted: str, limit: int
    ) -> Target | Module | None:
        if bound == "*":
            entry = self.entries.get(module.file or "")
            if entry is None or entry.facts is None or not entry.facts.is_exported(wanted):
                return None
            return self.resolve(module, wanted, limit)
        if bound != wanted:
            return None
        return self.resolve(module, name, limit) if name else module
