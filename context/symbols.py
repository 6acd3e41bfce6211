"""What we know of one Python file without running it: imports, definitions, words. Plain values and their
JSON.

The JSON form only travels between this process and its own worker of the same build: it has no version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Self


class Scope(StrEnum):
    """Where an import stands."""

    MODULE = "module"
    """Runs when the file is imported, also inside `try` and `if`."""
    TYPE_CHECKING = "type_checking"
    FUNCTION = "function"


class Kind(StrEnum):
    """What a definition defines."""

    CLASS = "class"
    FUNCTION = "function"
    VARIABLE = "variable"


class Import(NamedTuple):
    """One import statement; `import a, b` gives two."""

    module: str
    """Dotted path as written, without the leading dots."""
    level: int
    """Number of leading dots."""
    names: tuple[tuple[str, str], ...]
    """(name, bound as) of a `from` import; `("*", "*")` for a star; empty for `import a.b`."""
    alias: str
    """`c` of `import a.b as c`, else empty."""
    scope: Scope
    first_line: int
    """Zero-based, like `last_line`, which is included."""
    last_line: int

    @property
    def is_weak(self) -> bool:
        """Whether the import says nothing of the order in which files run."""
        return self.scope is not Scope.MODULE


class Definition(NamedTuple):
    """A class, function or variable of a module's or class's own level."""

    name: str
    kind: Kind
    owner: int
    """Index of the enclosing class among the file's definitions, or -1."""
    first_line: int
    """Zero-based; decorators included."""
    last_line: int
    signature: str
    """Ready to emit: decorators, header, first docstring line, `self.x =` lines, `...` for the body.
    A class's has no `...`, because its members follow. Ends with a newline."""
    body: str
    """The whole text of a short module-level function, else empty."""
    bases: tuple[str, ...]


@dataclass(frozen=True)
class FileFacts:
    """The facts of one file."""

    imports: tuple[Import, ...] = ()
    definitions: tuple[Definition, ...] = ()
    """In source order: an owner stands before its members."""
    exports: tuple[str, ...] | None = None
    """What `__all__` lists, or None if it is absent or computed."""
    docstring: str = ""
    """The module docstring's first line as source text, with newline, or empty."""
    indent: str = "    "
    words: str = ""
    """Every identifier once, sorted, separated by spaces: one string costs less memory than a set."""

    @cached_property
    def top_level(self) -> dict[str, tuple[int, ...]]:
        """Module-level definitions by name."""
        found: dict[str, tuple[int, ...]] = {}
        for index, definition in enumerate(self.definitions):
            if definition.owner < 0:
                found[definition.name] = (*found.get(definition.name, ()), index)
        return found

    @cached_property
    def members(self) -> dict[int, tuple[int, ...]]:
        """Members of each class, by the class's index; -1 for the module."""
        found: dict[int, list[int]] = {}
        for index, definition in enumerate(self.definitions):
            found.setdefault(definition.owner, []).append(index)
        return {owner: tuple(indices) for owner, indices in found.items()}

    @cached_property
    def bound(self) -> dict[str, tuple[Import, ...]]:
        """Imports that bind names of the module, by the bound name; stars under `*`."""
        found: dict[str, tuple[Import, ...]] = {}
        for statement in self.imports:
            if statement.scope is not Scope.FUNCTION:
                whole = statement.alias or statement.module.partition(".")[0]
                for bound in {bound for _, bound in statement.names} or {whole}:
                    found[bound] = (*found.get(bound, ()), statement)
        return found

    def is_exported(self, name: str) -> bool:
        """Whether `from module import *` brings the name."""
        return name in self.exports if self.exports is not None else not name.startswith("_")

    def to_json(self) -> dict[str, Any]:
        """A JSON-safe form."""
        return {
            "imports": self.imports,
            "definitions": self.definitions,
            "exports": self.exports,
            "docstring": self.docstring,
            "indent": self.indent,
            "words": self.words,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            tuple(_import_from_json(row) for row in data["imports"]),
            tuple(_definition_from_json(row) for row in data["definitions"]),
            None if data["exports"] is None else tuple(data["exports"]),
            data["docstring"],
            data["indent"],
            data["words"],
        )


def _import_from_json(row: list[Any]) -> Import:
    module, level, names, alias, scope, first, last = row
    return Import(
        module, level, tuple((name, bound) for name, bound in names), alias, Scope(scope), first, last
    )


def _definition_from_json(row: list[Any]) -> Definition:
    name, kind, *rest, bases = row
    return Definition._make([name, Kind(kind), *rest, tuple(bases)])
