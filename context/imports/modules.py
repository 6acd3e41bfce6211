"""What every family's resolver answers: import statements -> workspace files. Values and a protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from context.symbols import Import


@dataclass(frozen=True, slots=True)
class Module:
    """What a module's name stands for."""

    file: str | None
    """None for a package without a file of its own."""
    folders: tuple[str, ...] = ()
    """Where its submodules are looked for; empty for a plain module."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One name that an import statement brings into a file."""

    bound: str
    """The local name; `*` for a star import."""
    module: Module
    name: str
    """The name inside `module`, or empty for the module itself."""


class Modules(Protocol):
    """The modules of one set of files, over their paths alone: the disk is never asked. Immutable.

    Made from the files of one family, the workspace's roots, and the manifests' texts by key. A manifest is
    data from an opened workspace: whatever it holds, nothing raises.
    """

    def bindings(self, importer: str, statement: Import) -> Iterable[Binding]:
        """The names that a statement brings, as far as they come from the workspace."""

    def files_of(self, importer: str, statement: Import) -> set[str]:
        """The files that a statement names; a file never depends on itself."""

    def child(self, module: Module, name: str) -> Module | None:
        """A submodule."""
