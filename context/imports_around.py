"""The files around one file in the import graph: what it imports, and who imports it, two steps each way.

Pure: names and two functions that give a name's neighbours; knows no files and no project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

MAX_FILES = 40
MAX_STEPS = 2

Neighbours = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class ImportNode:
    """One file."""

    path: str
    distance: int
    """Import steps from the file in the middle: positive for what it imports, negative for its importers."""


@dataclass(frozen=True, slots=True)
class ImportsAround:
    """A file and its neighbours; empty where nothing is known of the file."""

    nodes: tuple[ImportNode, ...] = ()
    """The file itself first, then by steps."""
    edges: tuple[tuple[str, str], ...] = ()
    """Importer and imported, both among `nodes`."""
    left_out: tuple[tuple[int, int], ...] = ()
    """For each distance at which files were left out, how many."""

    def renamed(self, name_of: Callable[[str], str]) -> ImportsAround:
        """The same under other names."""
        return ImportsAround(
            tuple(replace(node, path=name_of(node.path)) for node in self.nodes),
            tuple((name_of(importer), name_of(imported)) for importer, imported in self.edges),
            self.left_out,
        )


def imports_around(
    key: str, imports_of: Neighbours, importers_of: Neighbours, max_files: int = MAX_FILES
) -> ImportsAround:
    """At most `max_files` files, nearest first, at most half of them at one distance. The same for the same
    graph.

    Where files must be left out, those stay that more of the files shown are connected to, then those whose
    path begins like the file's.
    """
    distance = {key: 0}
    left_out = []
    for step in range(1, MAX_STEPS + 1):
        for side, neighbours in ((step, imports_of), (-step, importers_of)):
            inner = 0 if step == 1 else side - side // step
            found = _found([each for each in distance if distance[each] == inner], neighbours)
            new = sorted(found.keys() - distance.keys(), key=lambda other: _rank(key, other, found[other]))
            room = min(max_files // 2, max_files - len(distance))
            distance |= dict.fromkeys(new[:room], side)
            if new[room:]:
                left_out.append((side, len(new[room:])))
    edges = {(a, b) for a in distance for b in imports_of(a) if b in distance and b != a}
    nodes = tuple(ImportNode(path, steps) for path, steps in distance.items())
    return ImportsAround(nodes, tuple(sorted(edges)), tuple(left_out))


def _found(starts: Iterable[str], neighbours: Neighbours) -> dict[str, int]:
    """Every neighbour of the starts, with how many of them it is next to."""
    found: dict[str, int] = {}
    for start in starts:
        for other in set(neighbours(start)):
            found[other] = found.get(other, 0) + 1
    return found


def _rank(key: str, other: str, num_links: int) -> tuple[int, int, str]:
    parts, others = key.split("/")[:-1], other.split("/")[:-1]
    is_shared = [mine == theirs for mine, theirs in zip(parts, others, strict=False)]
    num_shared = is_shared.index(False) if False in is_shared else len(is_shared)
    return (-num_links, -num_shared, other)
