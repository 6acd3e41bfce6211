"""Where names are defined: top-level names of files, members of classes. Knows no imports; not thread-safe.

Putting or dropping a file costs time in proportion to its own definitions.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeVar

from context.symbols import FileFacts

_Item = TypeVar("_Item")


class Target(NamedTuple):
    """Where a name is defined."""

    key: str
    indices: tuple[int, ...]
    """Definitions of the file; several for overloads and for alternatives under `if`."""


class NameIndex:
    """The definitions of every indexed file, by name."""

    def __init__(self) -> None:
        self._definers: dict[str, set[str]] = {}
        self._owners: dict[str, set[Target]] = {}
        self._facts: dict[str, FileFacts] = {}

    def put(self, key: str, facts: FileFacts) -> None:
        """What a file defines now, instead of what was known of it."""
        self.drop(key)
        self._facts[key] = facts
        for definition in facts.definitions:
            if definition.owner < 0:
                self._definers.setdefault(definition.name, set()).add(key)
            else:
                self._owners.setdefault(definition.name, set()).add(Target(key, (definition.owner,)))

    def drop(self, key: str) -> None:
        """Forgets a file."""
        facts = self._facts.pop(key, None)
        for definition in facts.definitions if facts else ():
            if definition.owner < 0:
                _discard(self._definers, definition.name, key)
            else:
                _discard(self._owners, definition.name, Target(key, (definition.owner,)))

    def definers_of(self, name: str) -> Collection[str]:
        """The files that define a name at their top level."""
        return self._definers.get(name, ())

    def owners_of(self, member: str) -> Collection[Target]:
        """The classes in whose own text a member is defined."""
        return self._owners.get(member, ())


def _discard(index: dict[str, set[_Item]], name: str, item: _Item) -> None:
    found = index.get(name)
    if found is not None:
        found.discard(item)
        if not found:
            del index[name]
