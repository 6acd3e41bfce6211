"""Who imports whom among the indexed files, and the one global order. Knows no definitions; not thread-safe.

A file whose imports change costs its own imports. A file that comes or goes costs the files whose imports
mention its name. The order is made anew where edges of the order changed, when one is handed to `take_order`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from context.graph import reachable
from context.imports import Modules, resolver
from context.languages import language_of
from context.paths import folder_of, name_of
from context.symbols import Import

_WORD = re.compile(r"[\w$-]+")
_ENTRY_STEMS = frozenset({"__init__", "index", "main", "mod", "lib"})
"""Files that are meant when their folder, or the folder above it, is imported."""
_NONE: frozenset[str] = frozenset()


class ImportGraph:
    """Edges between files, both ways."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = tuple(roots)
        self._imports: dict[str, tuple[Import, ...]] = {}
        self._manifests: dict[str, str] = {}
        self._folders: Counter[str] = Counter()
        self._resolvers: dict[str, Modules | None] = {}
        self._hard: dict[str, frozenset[str]] = {}
        """What a file depends on when it runs."""
        self._weak: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[str]] = {}
        self._mentions: dict[str, set[str]] = {}
        """Files by the words of their import statements."""
        self._touched: set[str] = set()
        """Files whose edges must be found again."""
        self._order: dict[str, int] = {}
        self._is_order_stale = False

    @property
    def is_order_stale(self) -> bool:
        """Whether edges changed since the order was made."""
        return self._is_order_stale

    def put(self, key: str, imports: tuple[Import, ...]) -> None:
        """A file and the imports that are known of it now."""
        if key not in self._imports:
            self._note_change_of_set(key)
            self._folders[folder_of(key)] += 1
        elif self._imports[key] == imports:
            return
        self._forget_mentions(key)
        self._imports[key] = imports
        for word in _words_of(imports):
            self._mentions.setdefault(word, set()).add(key)
        self._touched.add(key)

    def drop(self, key: str) -> None:
        """A file is gone."""
        if key not in self._imports:
            return
        self._forget_mentions(key)
        del self._imports[key]
        self._folders[folder_of(key)] -= 1
        self._note_change_of_set(key)
        self._touched |= self._importers.get(key, set())
        self._set_edges(key, _NONE, _NONE)
        self._hard.pop(key, None)
        self._weak.pop(key, None)

    def set_manifest(self, key: str, text: str | None) -> None:
        """A file that says where modules are looked for; None when it is gone."""
        if self._manifests.get(key) == text:
            return
        if text is None:
            self._manifests.pop(key, None)
        else:
            self._manifests[key] = text
        self._resolvers.clear()
        self._touched |= self._imports.keys()

    def resolver_of(self, key: str) -> Modules | None:
        """The modules as files of this name's family see them."""
        row = language_of(key)
        family = row.family if row else ""
        if family and family not in self._resolvers:
            files = [file for file in self._imports if _family(file) == family]
            self._resolvers[family] = resolver(family, files, self._roots, self._manifests)
        return self._resolvers.get(family)

    def settle(self, limit: int | None = None) -> bool:
        """Finds the edges of the files that changed, of at most `limit` of them. Whether that was all."""
        while self._touched and limit != 0:
            key = self._touched.pop()
            if key in self._imports:
                self._find_edges(key)
                limit = None if limit is None else limit - 1
        return not self._touched

    def edges_to_order(self) -> Mapping[str, frozenset[str]]:
        """The edges of the order as they are now: ordering a large repository is nothing to wait for."""
        return dict(self._hard)

    def take_order(self, edges: Mapping[str, frozenset[str]], order: Sequence[str]) -> None:
        """Makes `order`, which was made from `edges`, the global one."""
        self._order = {key: rank for rank, key in enumerate(order)}
        self._is_order_stale = edges != self._hard or self._order.keys() != self._imports.keys()

    def imports_of(self, key: str) -> frozenset[str]:
        """The files that a file's imports name, weak ones too."""
        return self._hard.get(key, _NONE) | self._weak.get(key, _NONE)

    def importers_of(self, key: str) -> Collection[str]:
        """The files whose imports name a file."""
        return self._importers.get(key, _NONE)

    def distances(self, starts: Iterable[str], limit: int) -> dict[str, int]:
        """Import steps from the nearest start, as far as `limit` of them."""
        return reachable(starts, self.imports_of, limit)

    def arrange(self, keys: Iterable[str], last: Collection[str]) -> list[str]:
        """The global order of some files, those in `last` as late as their dependents among `keys` allow."""
        chosen = set(keys)
        late = set(last) & chosen
        frontier = list(late)
        while frontier:
            above = {
                importer
                for key in frontier
                for importer in self._importers.get(key, _NONE)
                if importer in chosen and key in self._hard.get(importer, _NONE)
            }
            frontier = list(above - late)
            late |= above
        nowhere = len(self._order)
        return sorted(chosen, key=lambda key: (key in late, self._order.get(key, nowhere), key))

    def _find_edges(self, key: str) -> None:
        modules = self.resolver_of(key)
        hard: set[str] = set()
        weak: set[str] = set()
        for statement in self._imports[key] if modules else ():
            if modules is not None:
                (weak if statement.is_weak else hard).update(modules.files_of(key, statement))
        self._set_edges(key, frozenset(hard), frozenset(weak - hard))

    def _set_edges(self, key: str, hard: frozenset[str], weak: frozenset[str]) -> None:
        before = self.imports_of(key)
        self._is_order_stale |= key not in self._order or self._hard.get(key, _NONE) != hard
        self._hard[key], self._weak[key] = hard, weak
        after = hard | weak
        for gone in before - after:
            self._importers[gone].discard(key)
        for come in after - before:
            self._importers.setdefault(come, set()).add(key)

    def _note_change_of_set(self, key: str) -> None:
        self._resolvers.pop(_family(key), None)
        folder = folder_of(key)
        stem = name_of(key).partition(".")[0]
        names = {stem}
        is_new_folder = self._folders[folder] <= 0
        if is_new_folder or stem in _ENTRY_STEMS:
            names |= {name_of(folder), name_of(folder_of(folder))}
        for name in names:
            self._touched |= self._mentions.get(name, _NONE)

    def _forget_mentions(self, key: str) -> None:
        for word in _words_of(self._imports.get(key, ())):
            self._mentions.get(word, set()).discard(key)


def _family(key: str) -> str:
    row = language_of(key)
    return row.family if row else ""


def _words_of(imports: Iterable[Import]) -> set[str]:
    """The words by which a new file may answer to an import; a module of dots alone means its own folder."""
    words: set[str] = set()
    for statement in imports:
        words.update(_WORD.findall(statement.module))
        words.update(name for name, _ in statement.names)
    return words
