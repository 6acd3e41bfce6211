"""What we know of one source file without running it: imports, definitions, words. Plain values.

The same words for every language; what a language has no form for stays empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple


class Scope(StrEnum):
    """Where an import stands."""

    MODULE = "module"
    """Runs when the file is imported, also inside `try` and `if`."""
    TYPE_CHECKING = "type_checking"
    """Only for type checkers: below `if TYPE_CHECKING:`, or `import type`."""
    FUNCTION = "function"


class Kind(StrEnum):
    """What a definition defines."""

    CLASS = "class"
    FUNCTION = "function"
    VARIABLE = "variable"
    TYPE = "type"
    """An interface, enum or alias; may have members, like a class."""


class Import(NamedTuple):
    """One import statement; Python's `import a, b` gives two.

    JavaScript's forms in the same fields: `import d, {a as b} from "m"` has the names `("default", "d")` and
    `("a", "b")`; `import * as n` and `const n = require("m")` have the alias `n`; `export {a as b} from "m"`
    binds `b` like an import; `export * from "m"` is a star; `import "m"` has neither names nor alias.
    """

    module: str
    """The module as written; in Python without the leading dots."""
    level: int
    """Python's number of leading dots, else 0."""
    names: tuple[tuple[str, str], ...]
    """(name, bound as) of a `from` import; `("*", "*")` for a star; empty for the module itself."""
    alias: str
    """What the module itself is bound to: `c` of `import a.b as c`, else empty."""
    scope: Scope
    first_line: int
    """Zero-based, like `last_line`, which is included."""
    last_line: int
    is_reexport: bool = False
    """Whether what it binds belongs to the file's exports: `export * from`."""

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
    """Ready to emit: decorators, header, first docstring line, `self.x =` lines, the elided body.
    A class's has no body, because its members follow. Ends with a newline."""
    body: str
    """The whole text of a short module-level function, else empty."""
    bases: tuple[str, ...]
    closing: str = ""
    """What ends a class or type after its members, with indent and newline: `}` in most languages."""
    is_outside: bool = False
    """Whether it stands after its owner's closing, as a statement: `Owner.prototype.name = ...`."""


@dataclass(frozen=True)
class FileFacts:
    """The facts of one file."""

    imports: tuple[Import, ...] = ()
    definitions: tuple[Definition, ...] = ()
    """In source order: an owner stands before its members."""
    exports: tuple[str, ...] | None = None
    """The names that a star import brings; None for every name without a leading underscore."""
    aliases: tuple[tuple[str, str], ...] = ()
    """(exported name, local name) where they differ: `default` and `export {a as b}` in JavaScript."""
    is_sealed: bool = False
    """Whether other files see only what is exported."""
    docstring: str = ""
    """The module docstring's first line as source text, with newline, or empty."""
    indent: str = "    "
    ellipsis: str = "..."
    """A line that stands for members left out."""
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
                for bound in {bound for _, bound in statement.names} or ({whole} - {""}):
                    found[bound] = (*found.get(bound, ()), statement)
        return found

    @cached_property
    def local_names(self) -> dict[str, str]:
        """The aliases by their exported name."""
        return dict(self.aliases)

    def is_exported(self, name: str) -> bool:
        """Whether a star import of the file brings the name, unless a re-exported star does."""
        return name in self.exports if self.exports is not None else not name.startswith("_")
