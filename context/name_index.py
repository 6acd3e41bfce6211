"""Which classes define which members. Knows no imports; not thread-safe.

Putting or dropping a file costs time in proportion to its own definitions.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from context.symbols import FileFacts


class Target(NamedTuple):
    """Where a name is defined."""

    key: str
    indices: tuple[int, ...]
    """Definitions of the file; several for overloads and for alternatives under `if`."""


class NameIndex:
    """The members of every indexed file's classes, by name."""

    def __init__(self) -> None:
        self._owners: dict[str, set[Target]] = {}
        self._facts: dict[str, FileFacts] = {}

    def put(self, key: str, facts: FileFacts) -> None:
        """What a file defines now, instead of what was known of it."""
        self.drop(key)
        self._facts[key] = facts
        for definition in facts.definitions:
            if definition.owner >= 0:
                self._owners.setdefault(definition.name, set()).add(Target(key, (definition.owner,)))

    def drop(self, key: str) -> None:
        """Forgets a file."""
        facts = self._facts.pop(key, None)
        for definition in facts.definitions if facts else ():
            owners = self._owners.get(definition.name)
            if definition.owner >= 0 and owners is not None:
                owners.discard(Target(key, (definition.owner,)))
                if not owners:
                    del self._owners[definition.name]

    def owners_of(self, member: str) -> Collection[Target]:
        """The classes in whose own text a member is defined."""
        return self._owners.get(member, ())

    def members(self) -> Collection[str]:
        """The names of all members of all classes."""
        return self._owners.keys()
