"""Orders files so that dependencies come first. Knows nothing of files: names and edges only.

`edges[a]` are the nodes that `a` depends on. Cycles are condensed first, because the minimum in-degree rule
alone emits files too early around a cycle; inside a cycle it is DeepSeek-Coder's rule. Ties go by name.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping

Edges = Mapping[str, Collection[str]]


def dependency_order(nodes: Iterable[str], edges: Edges) -> list[str]:
    """Every node once, after all that it depends on, except inside a cycle. The same for the same graph."""
    known = sorted(set(nodes))
    components = strongly_connected(known, edges)
    component_of = {node: min(component) for component in components for node in component}
    members = {min(component): component for component in components}
    condensed: dict[str, set[str]] = {name: set() for name in members}
    for node in known:
        for dependency in edges.get(node, ()):
            if dependency in component_of and component_of[dependency] != component_of[node]:
                condensed[component_of[node]].add(component_of[dependency])
    order = min_in_degree_order(members, condensed)
    return [node for name in order for node in min_in_degree_order(members[name], edges)]


def min_in_degree_order(nodes: Iterable[str], edges: Edges) -> list[str]:
    """Repeatedly the node with the fewest dependencies not yet emitted; edges out of `nodes` do not count."""
    pending = dict.fromkeys(nodes, 0)
    dependents: dict[str, list[str]] = {node: [] for node in pending}
    for node in pending:
        for dependency in set(edges.get(node, ())):
            if dependency in pending and dependency != node:
                pending[node] += 1
                dependents[dependency].append(node)
    heap = [(degree, node) for node, degree in pending.items()]
    heapq.heapify(heap)
    order = []
    while heap:
        degree, node = heapq.heappop(heap)
        if pending.get(node) != degree:
            continue  # an older entry of a node that has moved forward, or is out
        del pending[node]
        order.append(node)
        for dependent in dependents[node]:
            if dependent in pending:
                pending[dependent] -= 1
                heapq.heappush(heap, (pending[dependent], dependent))
    return order


def strongly_connected(nodes: Iterable[str], edges: Edges) -> list[list[str]]:
    """Tarjan's components, with an explicit stack: import chains may be longer than Python recurses."""
    known = set(nodes)
    below = {node: [other for other in sorted(edges.get(node, ())) if other in known] for node in known}
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    components: list[list[str]] = []
    for start in sorted(known):
        if start in number:
            continue
        work = [(start, iter(below[start]))]
        while work:
            node, rest = work[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                path.append(node)
                on_path.add(node)
            for dependency in rest:
                if dependency not in number:
                    work.append((dependency, iter(below[dependency])))
                    break
                if dependency in on_path:
                    low[node] = min(low[node], number[dependency])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    components.append(_pop_until(node, path, on_path))
    return components


def reachable(starts: Iterable[str], edges_of: Callable[[str], Iterable[str]], limit: int) -> dict[str, int]:
    """The distance in edges from the nearest start to every node within `limit` edges; starts are at 0."""
    distance = dict.fromkeys(starts, 0)
    frontier = list(distance)
    for step in range(1, limit + 1):
        reached = sorted({node for current in frontier for node in edges_of(current)} - distance.keys())
        distance |= dict.fromkeys(reached, step)
        frontier = reached
    return distance


def _pop_until(node: str, path: list[str], on_path: set[str]) -> list[str]:
    component = []
    while True:
        member = path.pop()
        on_path.discard(member)
        component.append(member)
        if member == node:
            return component
