"""What names mean: from a use through re-exports to the definition, across files. Knows no budgets.

One lookup serves one plan: it has never seen the files that are hidden from it, and remembers its answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from context.imports import Binding, Module
from context.name_index import Target
from context.project import Project
from context.symbols import FileFacts, Import, Kind, Scope

MAX_CHASE = 6
"""How many re-exports are followed from an import to its definition."""


class Lookup:
    """A project without some of its files' contents."""

    def __init__(self, project: Project, hidden: Collection[str] = ()) -> None:
        self.project = project
        self.hidden = frozenset(hidden)
        self._defined: dict[tuple[str, str, int], Target | Module | None] = {}

    def facts(self, key: str) -> FileFacts | None:
        """What a file holds; nothing of a hidden one."""
        return None if key in self.hidden else self.project.facts(key)

    def bindings(self, key: str, statement: Import) -> list[Binding]:
        """The names that an import statement of a file brings from the workspace."""
        modules = self.project.graph.resolver_of(key)
        return list(modules.bindings(key, statement)) if modules else []

    def define(self, key: str, name: str, limit: int = MAX_CHASE) -> Target | Module | None:
        """What a name at the top level of a file means: definitions, a module, or nothing we know."""
        question = (key, name, limit)
        if question not in self._defined:
            self._defined[question] = self._define(key, name, limit)
        return self._defined[question]

    def resolve(self, module: Module, name: str, limit: int = MAX_CHASE) -> Target | Module | None:
        """What `module.name` means: its submodule before its definition."""
        modules = self.project.graph.resolver_of(module.file) if module.file else None
        submodule = modules.child(module, name) if modules else self._folder_child(module, name)
        if submodule is not None and submodule.file:
            return submodule
        found = self.define(module.file, name, limit) if module.file else None
        return found or submodule

    def star_names(self, key: str, limit: int = MAX_CHASE) -> Iterator[str]:
        """The names that a star import brings from a file."""
        facts = self.facts(key)
        if facts is None or limit == 0:
            return
        if facts.exports is not None:
            yield from facts.exports
        else:
            yield from (name for name in facts.top_level if not name.startswith("_"))
        for statement in facts.imports:
            if statement.scope is Scope.FUNCTION:
                continue
            for binding in self.bindings(key, statement):
                if binding.bound == "*":
                    if binding.module.file and (facts.exports is None or statement.is_reexport):
                        yield from self.star_names(binding.module.file, limit - 1)
                elif facts.exports is None and not binding.bound.startswith("_"):
                    yield binding.bound

    def _folder_child(self, module: Module, name: str) -> Module | None:
        """A submodule of a package that has no file: only Python has those."""
        modules = self.project.graph.resolver_of("package.py")
        return modules.child(module, name) if modules and module.folders else None

    def _define(self, key: str, name: str, limit: int) -> Target | Module | None:
        facts = self.facts(key)
        if facts is None or limit == 0:
            return None
        indices = facts.top_level.get(name, ())
        solid = tuple(index for index in indices if facts.definitions[index].kind is not Kind.VARIABLE)
        if solid:
            return Target(key, solid)
        local = facts.local_names.get(name)
        if local is not None and not indices:
            return self.define(key, local, limit - 1)
        if not indices and name != "default" and _is_member_of_default(facts, name):
            return self.define(key, "default", limit - 1)
        # `X = None` under `except ImportError` must not hide the import above it
        return self._imported(key, facts, name, limit - 1) or (Target(key, indices) if indices else None)

    def _imported(self, key: str, facts: FileFacts, name: str, limit: int) -> Target | Module | None:
        for statement in (*facts.bound.get(name, ()), *facts.bound.get("*", ())):
            for binding in self.bindings(key, statement):
                found = self._through(binding, name, limit)
                if found is not None:
                    return found
        return None

    def _through(self, binding: Binding, wanted: str, limit: int) -> Target | Module | None:
        module = binding.module
        if binding.bound == "*":
            facts = self.facts(module.file) if module.file else None
            if facts is None:
                return None
            is_passed = any(statement.is_reexport for statement in facts.bound.get("*", ()))
            is_brought = is_passed or facts.is_exported(wanted)
            return self.resolve(module, wanted, limit) if is_brought else None
        if binding.bound != wanted:
            return None
        return self.resolve(module, binding.name, limit) if binding.name else module


def _is_member_of_default(facts: FileFacts, name: str) -> bool:
    """`module.exports = {name() {}}`: who asks for the name is shown the object, with that member."""
    return any(
        facts.definitions[member].name == name
        for index in facts.top_level.get("default", ())
        for member in facts.members.get(index, ())
    )
