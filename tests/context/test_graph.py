"""graph: dependencies come first, except inside cycles."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from context.graph import dependency_order, min_in_degree_order, reachable, strongly_connected
from context.naive import naive_components, naive_order

NODES = [f"n{number:02}" for number in range(12)]
Graph = dict[str, set[str]]

graphs = st.dictionaries(st.sampled_from(NODES), st.sets(st.sampled_from(NODES), max_size=4), max_size=12)
acyclic = graphs.map(lambda graph: {node: {to for to in found if to < node} for node, found in graph.items()})


def backward_edges(order: list[str], edges: Graph) -> set[tuple[str, str]]:
    place = {node: number for number, node in enumerate(order)}
    return {(node, to) for node, found in edges.items() for to in found if place[node] < place[to]}


@given(acyclic)
def test_no_edge_of_an_acyclic_graph_points_backwards(edges: Graph) -> None:
    order = dependency_order(NODES, edges)

    assert sorted(order) == NODES
    assert not backward_edges(order, edges)
    assert not backward_edges(naive_order(NODES, edges), edges)


@given(graphs)
def test_only_edges_inside_a_cycle_point_backwards(edges: Graph) -> None:
    component_of = {node: group for group in naive_components(NODES, edges) for node in group}

    order = dependency_order(NODES, edges)

    assert sorted(order) == NODES
    assert all(component_of[node] == component_of[to] for node, to in backward_edges(order, edges))


@given(graphs)
def test_the_heap_gives_the_order_of_the_rule_as_written(edges: Graph) -> None:
    assert min_in_degree_order(NODES, edges) == naive_order(NODES, edges)


@given(graphs)
def test_components_are_the_nodes_that_reach_each_other(edges: Graph) -> None:
    assert {frozenset(found) for found in strongly_connected(NODES, edges)} == naive_components(NODES, edges)


@given(graphs, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_the_graph_was_written(edges: Graph, chance: random.Random) -> None:
    nodes = chance.sample(NODES, len(NODES))
    shuffled = {
        node: chance.sample(sorted(edges[node]), len(edges[node])) for node in sorted(edges, reverse=True)
    }

    assert dependency_order(nodes, shuffled) == dependency_order(NODES, edges)


def test_a_chain_longer_than_the_recursion_limit() -> None:
    nodes = [f"n{number:05}" for number in range(20_000)]
    edges = {nodes[0]: set(), **{node: {before} for before, node in pairwise(nodes)}}

    assert dependency_order(nodes, edges) == nodes
    assert reachable([nodes[-1]], edges.__getitem__, len(nodes))[nodes[0]] == len(nodes) - 1
