"""What lies between inputs and outputs: betweenness, disjoint paths, resistance, walks."""

from __future__ import annotations

import itertools
import math

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure import flow, spectra
from smallworld_eqprop.graphs.measure.betweenness import (
    betweenness_metrics,
    input_output_betweenness,
    input_output_edge_betweenness,
)
from smallworld_eqprop.graphs.measure.flow import (
    edge_disjoint_paths,
    input_output_resistance,
    output_potential,
)
from smallworld_eqprop.graphs.measure.layer_structure import input_output_path_length
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.graphs.measure.walks import (
    communicability_to_output,
    input_output_communicability,
    input_output_resolvent,
    resolvent_to_output,
)

close = pytest.approx
EVERY = (
    input_output_betweenness,
    input_output_edge_betweenness,
    edge_disjoint_paths,
    input_output_resistance,
    output_potential,
    input_output_communicability,
    input_output_resolvent,
)


@st.composite
def graphs(draw: st.DrawFn) -> LayeredGraph:
    """Give graphs in layers, often in parts, with weights of both signs, some of them 0."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    pairs = np.array(np.triu_indices(sum(sizes), 1)).T
    edges = pairs[rng.random(len(pairs)) < draw(st.floats(0, 1))]
    # Powers of two, so that equally long paths are equally long in floating point, too.
    weights = rng.choice([-4.0, -2, -1, 0, 1, 2, 4], len(edges))
    return LayeredGraph(sizes, edges, edge_data={"weight": weights})


def ends(g: LayeredGraph) -> tuple[list[int], list[int]]:
    nodes = list(range(g.n_nodes))
    return nodes[g.layer_slice(0)], nodes[g.layer_slice(-1)]


def lengths(g: LayeredGraph) -> nx.Graph:
    """The graph without its edges of weight 0, and with the lengths of the others."""
    graph = nx.Graph(g.to_networkx())
    graph.remove_edges_from([(u, v) for u, v, w in graph.edges(data="weight") if w == 0])
    nx.set_edge_attributes(
        graph, {(u, v): 1 / abs(w) for u, v, w in graph.edges(data="weight")}, "far"
    )
    return graph


@settings(max_examples=30)
@given(graphs(), st.booleans())
def test_betweenness_against_networkx_and_by_counting(g: LayeredGraph, weighted: bool) -> None:
    inputs, outputs = ends(g)
    graph = lengths(g) if weighted else nx.Graph(g.to_networkx())
    pairs = sum(nx.has_path(graph, i, o) for i in inputs for o in outputs)
    nodes = input_output_betweenness(g, weighted=weighted)
    edges = input_output_edge_betweenness(g, weighted=weighted)
    if not pairs:
        assert np.isnan(nodes).all()
        assert np.isnan(edges).all()
        return
    far = "far" if weighted else None
    found = nx.betweenness_centrality_subset(graph, inputs, outputs, weight=far)
    assert nodes == close([2 * found[v] / pairs for v in range(g.n_nodes)])
    # Not against networkx: its function of edges divides a node's share evenly among the nodes
    # before it, however many paths come through each.
    number = {tuple(edge): i for i, edge in enumerate(g.edges.tolist())}
    counts = np.zeros(g.n_edges)
    for i, o in itertools.product(inputs, outputs):
        if nx.has_path(graph, i, o):
            paths = list(nx.all_shortest_paths(graph, i, o, weight=far))
            for path in paths:
                used = [number[min(step), max(step)] for step in itertools.pairwise(path)]
                counts[used] += 1 / len(paths)
    assert edges == close(counts / pairs, abs=1e-12)
    # Each path of k edges has k - 1 nodes inside.
    assert edges.sum() == close(nodes.sum() + 1)
    if not weighted:
        assert edges.sum() == close(input_output_path_length(g))


@settings(max_examples=30)
@given(graphs())
def test_paths_and_resistance_against_igraph_and_networkx(g: LayeredGraph) -> None:
    inputs, outputs = ends(g)
    graph = nx.Graph(g.to_networkx())
    terminals = [(-1, i) for i in inputs] + [(-2, o) for o in outputs]
    graph.add_edges_from(terminals, capacity=10**6)
    numbers = {node: i for i, node in enumerate(graph)}
    other = igraph.Graph(edges=[(numbers[u], numbers[v]) for u, v in graph.edges])
    capacities = [data.get("capacity", 1) for _, _, data in graph.edges(data=True)]
    cut = other.mincut(numbers[-1], numbers[-2], capacity=capacities).value
    assert edge_disjoint_paths(g) == cut
    resistance = input_output_resistance(g)
    if not cut:
        assert math.isnan(resistance)
        return
    # Every path carries at most the current of one edge at full voltage.
    assert resistance >= 1 / cut - 1e-9
    merged = nx.MultiGraph()
    role = dict.fromkeys(inputs, -1) | dict.fromkeys(outputs, -2)
    merged.add_edges_from((role.get(u, u), role.get(v, v)) for u, v in g.edges.tolist())
    merged.remove_edges_from(list(nx.selfloop_edges(merged, keys=True)))
    part = merged.subgraph(nx.node_connected_component(merged, -1))
    assert resistance == close(nx.resistance_distance(part, -1, -2))


@settings(max_examples=30)
@given(graphs())
def test_weighted_resistance_and_potential(g: LayeredGraph) -> None:
    potential = output_potential(g, weighted=True)
    inputs, outputs = ends(g)
    weights = abs(g.adjacency("weight").toarray())
    graph = nx.from_numpy_array(weights)
    for node, value in enumerate(potential):
        reached = nx.node_connected_component(graph, node)
        if node in inputs or node in outputs:
            assert value == float(node in outputs)
        elif reached.isdisjoint(inputs) and reached.isdisjoint(outputs):
            assert math.isnan(value)
        else:
            neighbours = weights[node] > 0
            mean = np.average(potential[neighbours], weights=weights[node][neighbours])
            assert value == close(mean, abs=1e-9)
    # The power that heats the conductors is voltage squared by resistance.
    drops = (potential[:, None] - potential[None]) ** 2
    power = np.nansum(np.where(weights > 0, weights * drops, 0.0)) / 2
    resistance = input_output_resistance(g, weighted=True)
    assert math.isnan(resistance) if power < 1e-9 else resistance == close(1 / power)


@settings(max_examples=30)
@given(graphs(), st.booleans(), st.floats(0.05, 0.95))
def test_walks_against_dense_functions(g: LayeredGraph, weighted: bool, decay: float) -> None:
    inputs, outputs = ends(g)
    matrix = g.adjacency("weight" if weighted else None).toarray().astype(float)
    matrix /= max(np.linalg.eigvalsh(abs(matrix))[-1], 1e-9)
    whole = linalg.expm(matrix)
    assert communicability_to_output(g, weighted=weighted) == close(
        whole[:, outputs].mean(axis=1), abs=1e-12
    )
    assert input_output_communicability(g, weighted=weighted) == close(
        whole[np.ix_(inputs, outputs)].mean(), abs=1e-12
    )
    whole = np.linalg.inv(np.eye(g.n_nodes) - decay * matrix)
    assert resolvent_to_output(g, decay=decay, weighted=weighted) == close(
        whole[:, outputs].mean(axis=1), abs=1e-12
    )
    assert input_output_resolvent(g, decay=decay, weighted=weighted) == close(
        whole[np.ix_(inputs, outputs)].mean(), abs=1e-12
    )


def test_walks_against_networkx() -> None:
    graph = nx.karate_club_graph()
    for _, _, data in graph.edges(data=True):
        data.clear()
    largest = max(nx.adjacency_spectrum(graph).real)
    katz = nx.katz_centrality_numpy(graph, alpha=0.8 / largest, normalized=False)
    nodes = list(graph)
    ours = resolvent_to_output(graph, nodes, decay=0.8) * len(graph)
    assert ours == close([katz[node] for node in nodes])
    ring = nx.cycle_graph(9)  # its largest eigenvalue is 2
    weighted = sparse.csr_array(nx.to_scipy_sparse_array(ring)) * 2.0
    theirs = nx.communicability(ring)
    ours = communicability_to_output(weighted, [0], weighted=True)
    assert ours == close(communicability_to_output(ring, [0]))
    assert ours == close(linalg.expm(nx.to_numpy_array(ring) / 2)[0])
    assert ours[1] < theirs[0][1]


@pytest.mark.parametrize("sizes", [(4, 3, 2), (3, 6, 5, 2), (2, 3), (1, 1, 1)])
def test_fully_connected_layers(sizes: tuple[int, ...]) -> None:
    g = layered(sizes)
    blocks = [a * b for a, b in itertools.pairwise(sizes)]
    # A layer has to be cut from the next one: the fewest edges between two layers are the cut.
    assert edge_disjoint_paths(g) == min(blocks)
    assert input_output_resistance(g) == close(sum(1 / edges for edges in blocks))
    share = np.array([1 / sizes[layer] for layer in g.layers])
    share[[*ends(g)[0], *ends(g)[1]]] = 0
    assert input_output_betweenness(g) == close(share)
    of_edge = [1 / blocks[layer] for layer in g.layers[g.edges[:, 0]]]
    assert input_output_edge_betweenness(g) == close(of_edge)


@pytest.mark.parametrize("n", [3, 40, 700])
def test_path_and_ladder(n: int) -> None:
    path = nx.path_graph(n)
    between = input_output_betweenness(path, [0], [n - 1])
    assert between == close([0] + [1] * (n - 2) + [0])
    assert input_output_resistance(path, [0], [n - 1]) == close(n - 1)
    assert output_potential(path, [0], [n - 1]) == close(np.arange(n) / (n - 1))
    assert edge_disjoint_paths(path, [0], [n - 1]) == 1
    ring = nx.cycle_graph(2 * n)
    assert edge_disjoint_paths(ring, [0], [n]) == 2
    assert input_output_resistance(ring, [0], [n]) == close(n / 2)


@pytest.mark.parametrize("sizes", [(3, 5), (7, 2)])
def test_two_layers(sizes: tuple[int, int]) -> None:
    g = layered(sizes)
    scale = math.sqrt(sizes[0] * sizes[1])
    assert input_output_communicability(g) == close(math.sinh(1) / scale)
    assert input_output_resolvent(g, decay=0.4) == close(0.4 / (1 - 0.4**2) / scale)


def test_complete_graph() -> None:
    graph = nx.complete_graph(8)
    assert edge_disjoint_paths(graph, [0], [7]) == 7
    assert input_output_resistance(graph, [0], [7]) == close(2 / 8)
    assert output_potential(graph, [0], [7]) == close([0, *[0.5] * 6, 1])
    assert not input_output_betweenness(graph, [0], [7]).any()
    assert edge_disjoint_paths(graph, [0, 1, 2], [6, 7]) == 12


def test_signs_cancel_in_walks() -> None:
    # Two ways of equal strength and opposite sign.
    edges = [(0, 1), (0, 2), (1, 3), (2, 3)]
    g = LayeredGraph((1, 2, 1), edges, edge_data={"weight": [1.0, -1.0, 1.0, 1.0]})
    assert input_output_resolvent(g, weighted=True) == close(0, abs=1e-15)
    assert input_output_resolvent(g) == close(0.25 / (1 - 0.25) / 2)
    assert input_output_resistance(g, weighted=True) == close(1)


def test_every_way_to_solve_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    g = rewire(layered((6, 20, 20, 3)), 0.3, seed=1)
    expected = output_potential(g)
    monkeypatch.setattr(flow, "DENSE_LIMIT", 0)
    assert output_potential(g) == close(expected, rel=1e-10)
    monkeypatch.setattr(flow, "cg", lambda *_, **__: (None, 1))
    assert output_potential(g) == close(expected, rel=1e-10)
    monkeypatch.setattr(spectra, "THIN", 1e9)
    assert output_potential(g) == close(expected, rel=1e-10)


def test_no_path_from_inputs_to_outputs() -> None:
    g = LayeredGraph((2, 2, 1), [(0, 2), (1, 2), (3, 4)])
    assert edge_disjoint_paths(g) == 0
    assert math.isnan(input_output_resistance(g))
    assert output_potential(g).tolist() == [0, 0, 0, 1, 1]
    assert np.isnan(input_output_betweenness(g)).all()
    assert np.isnan(input_output_edge_betweenness(g)).all()
    assert input_output_communicability(g) == input_output_resolvent(g) == 0
    alone = LayeredGraph((1, 1), np.empty((0, 2), dtype=int))
    assert math.isnan(input_output_resistance(alone))
    assert resolvent_to_output(alone).tolist() == [0, 1]
    assert input_output_edge_betweenness(alone).shape == (0,)


def test_betweenness_in_numbers() -> None:
    # Three shortest ways from 0 to 5, all by node 4; one of them skips a layer.
    edges = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (4, 5)]
    g = LayeredGraph((1, 2, 2, 1), edges, edge_data={"weight": [1, 1, -4, 1, 1, 4, 1]})
    assert betweenness_metrics(g) == {
        "largest_node_betweenness": 1,
        "largest_edge_betweenness": 1,
        "skip_betweenness": close(1 / 9),
    }
    assert betweenness_metrics(g, weighted=True)["skip_betweenness"] == close(1 / 3)
    cut = LayeredGraph((2, 2, 1), [(0, 2), (1, 2), (3, 4)])
    for nothing in (cut, LayeredGraph((1, 1), np.empty((0, 2), dtype=int))):
        assert all(math.isnan(value) for value in betweenness_metrics(nothing).values())


@pytest.mark.parametrize("measure", EVERY)
def test_graphs_from_outside_need_inputs_and_outputs(measure) -> None:
    graph = nx.path_graph(4)
    g = LayeredGraph((1, 2, 1), [(0, 1), (1, 2), (2, 3)])
    assert measure(graph, [0], [3]) == close(measure(g))
    for inputs, outputs, message in [
        (None, [3], "inputs: none given, and the graph has no layers; give node numbers"),
        ([0], None, "outputs: none given, and the graph has no layers; give node numbers"),
        ([0], [], "outputs: no node; give at least one"),
        ([0], [4], "outputs: 4 is not there; nodes are 0 to 3"),
        ([1, 1], [3], "inputs: a node is named twice; name each once"),
        ([0, 3], [3], "inputs: node 3 is among the outputs, too; give it one role"),
    ]:
        with pytest.raises(InputError) as caught:
            measure(graph, inputs, outputs)
        assert str(caught.value) == message


@pytest.mark.parametrize("decay", [0, 1, -0.5, math.nan])
def test_decay_out_of_range(decay: float) -> None:
    with pytest.raises(InputError, match=r"decay: .*; give a number above 0 and below 1"):
        input_output_resolvent(layered((2, 2)), decay=decay)


def test_structure_metrics_has_them() -> None:
    g = rewire(layered((6, 5, 4, 3)), 0.2, seed=0)
    metrics = structure_metrics(g, seed=0)
    assert metrics["edge_disjoint_paths"] == edge_disjoint_paths(g)
    for measure in EVERY[3:]:
        if measure is not output_potential:
            assert metrics[measure.__name__] == measure(g)
    assert metrics["spectral_gap"] == spectra.spectral_gap(g)
    assert "edge_disjoint_paths" not in structure_metrics(g.to_networkx(), seed=0)
