"""Which files are shown around one: nearest first, both ways, bounded, the same for the same graph."""

from __future__ import annotations

import random

from context.graph import reachable
from context.imports_around import MAX_STEPS, ImportNode, ImportsAround, imports_around

Graph = dict[str, set[str]]


def reversed_edges(graph: Graph) -> Graph:
    turned: Graph = {}
    for node, found in graph.items():
        for other in found:
            turned.setdefault(other, set()).add(node)
    return turned


def around(graph: Graph, key: str, max_files: int = 40) -> ImportsAround:
    importers = reversed_edges(graph)
    return imports_around(key, lambda a: graph.get(a, set()), lambda a: importers.get(a, set()), max_files)


def distances(found: ImportsAround) -> dict[str, int]:
    return {node.path: node.distance for node in found.nodes}


def test_imports_lie_on_one_side_and_importers_on_the_other() -> None:
    graph = {"app": {"me"}, "main": {"app"}, "me": {"models"}, "models": {"base"}, "base": {"far"}}

    found = around(graph, "me")

    assert distances(found) == {"me": 0, "models": 1, "app": -1, "base": 2, "main": -2}
    assert found.nodes[0] == ImportNode("me", 0)
    assert found.edges == (("app", "me"), ("main", "app"), ("me", "models"), ("models", "base"))
    assert found.left_out == ()


def test_a_file_without_imports_stands_alone() -> None:
    assert around({}, "me") == ImportsAround((ImportNode("me", 0),), (), ())


def test_a_cycle_is_shown_once_on_the_side_of_the_imports() -> None:
    found = around({"me": {"other", "me"}, "other": {"me"}}, "me")

    assert distances(found) == {"me": 0, "other": 1}
    assert found.edges == (("me", "other"), ("other", "me"))


def test_what_is_nearest_in_the_tree_stays_when_files_must_be_left_out() -> None:
    """And it is said how many are missing."""
    importers = {f"tests/test_{number:03}.py": {"pkg/sub/me.py"} for number in range(300)}
    near = {f"pkg/sub/near_{number}.py": {"pkg/sub/me.py"} for number in range(3)}

    found = around(importers | near | {"pkg/sub/me.py": {"pkg/a.py"}}, "pkg/sub/me.py")

    shown = [node.path for node in found.nodes if node.distance == -1]
    assert len(found.nodes) <= 40
    assert set(near) < set(shown)
    assert found.left_out == ((-1, 303 - len(shown)),)


def test_a_file_that_more_of_the_shown_ones_import_comes_first() -> None:
    graph = {"me": {"a", "b", "c"}, "a": {"a1", "a2", "hub"}, "b": {"hub"}, "c": {"hub"}}

    found = around(graph, "me", max_files=4)

    assert [node.path for node in found.nodes if node.distance == 2] == ["hub"]
    assert found.left_out == ((1, 1), (2, 2))


def test_every_choice_agrees_with_plain_breadth_first_search() -> None:
    """On random graphs: true distances, all edges among the shown, nothing left out in silence."""
    for seed in range(60):
        chance = random.Random(seed)
        names = [f"{chance.choice('ab')}/{number}" for number in range(chance.randrange(1, 25))]
        graph = {name: set(chance.sample(names, chance.randrange(min(5, len(names))))) for name in names}
        limit = chance.choice([3, 8, 100])

        found = around(graph, names[0], limit)

        shown = distances(found)
        assert len(found.nodes) == len(shown) <= limit
        turned = reversed_edges(graph)
        down = reachable([names[0]], lambda name: graph.get(name, ()), len(names))  # noqa: B023
        up = reachable([names[0]], lambda name: turned.get(name, ()), len(names))  # noqa: B023
        for path, distance in shown.items():
            assert (down if distance >= 0 else up)[path] <= abs(distance) <= MAX_STEPS
        assert set(found.edges) == {(a, b) for a in shown for b in graph[a] if b in shown and b != a}
        if limit == 100:
            near = {name for way in (down, up) for name, steps in way.items() if steps <= MAX_STEPS}
            assert shown.keys() >= {name for name in near if min(down.get(name, 9), up.get(name, 9)) <= 1}
            assert found.left_out == ()
        assert around(graph, names[0], limit) == found


def test_renaming_renames_nodes_and_edges() -> None:
    found = around({"/r/me": {"/r/a"}}, "/r/me").renamed(lambda key: key.removeprefix("/r/"))

    assert found == ImportsAround((ImportNode("me", 0), ImportNode("a", 1)), (("me", "a"),), ())
