"""All that is known of a workspace's files: entries, names, words, imports. Not thread-safe.

Knows nothing of budgets or disks. A change of one file costs time in proportion to that file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from context.import_graph import ImportGraph
from context.languages import module_of
from context.name_index import NameIndex
from context.paths import Identity, folder_of, is_twin
from context.symbols import FileFacts
from context.word_index import WordIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that may be a source of context."""

    path: str
    """Workspace-relative."""
    identity: Identity | None
    facts: FileFacts | None
    """None if the file has not been parsed yet, or could not be."""


class Project:
    """The files of one workspace as they are now."""

    def __init__(self, roots: Collection[str] = ()) -> None:
        self.entries: dict[str, Entry] = {}
        self.names = NameIndex()
        self.words = WordIndex()
        self.graph = ImportGraph(tuple(roots))
        self._by_folder: dict[str, set[str]] = {}
        self._by_identity: dict[Identity, set[str]] = {}

    def put(self, key: str, entry: Entry) -> None:
        """A file as it is now."""
        old = self.entries.get(key)
        if old == entry:
            return
        self._unfile(key, old)
        self.entries[key] = entry
        self._by_folder.setdefault(folder_of(key).casefold(), set()).add(key)
        if entry.identity is not None:
            self._by_identity.setdefault(entry.identity, set()).add(key)
        if old is None or old.facts != entry.facts:
            self.graph.put(key, entry.facts.imports if entry.facts else ())
            if entry.facts is None:
                self.names.drop(key)
                self.words.drop(key)
            else:
                self.names.put(key, entry.facts)
                self.words.put(key, entry.facts.words.split())

    def drop(self, key: str) -> None:
        """A file that is gone."""
        old = self.entries.pop(key, None)
        if old is not None:
            self._unfile(key, old)
            self.graph.drop(key)
            self.names.drop(key)
            self.words.drop(key)

    def facts(self, key: str) -> FileFacts | None:
        """What a file holds, or None."""
        entry = self.entries.get(key)
        return entry.facts if entry else None

    def in_folder(self, folder: str) -> list[str]:
        """The files of one folder, in order of name."""
        found = self._by_folder.get(folder.casefold(), ())
        return sorted(key for key in found if folder_of(key) == folder)

    def same_file(self, key: str, identity: Identity | None) -> frozenset[str]:
        """Every name under which a file is known: hard links, other case, backup twins, built files."""
        module = module_of(key)
        beside = self._by_folder.get(folder_of(key).casefold(), ())
        linked = self._by_identity.get(identity, ()) if identity is not None else ()
        twins = (other for other in beside if is_twin(other, key) or (module and module_of(other) == module))
        return frozenset([key, *twins, *linked])

    def _unfile(self, key: str, entry: Entry | None) -> None:
        if entry is None:
            return
        self._by_folder[folder_of(key).casefold()].discard(key)
        if entry.identity is not None:
            self._by_identity[entry.identity].discard(key)
