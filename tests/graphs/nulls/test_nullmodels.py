from __future__ import annotations

from collections import Counter
from math import comb

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop import RunConfig
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import as_adjacency
from smallworld_eqprop.graphs.core.blocks import edges_between_layers
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure.clustering import average_clustering
from smallworld_eqprop.graphs.nulls.lattices import degree_preserving_lattice, ring_lattice
from smallworld_eqprop.graphs.nulls.nullmodels import (
    degree_preserving,
    erdos_renyi,
    layer_blocks,
    layer_blocks_with_degrees,
)

MODELS = (
    erdos_renyi,
    degree_preserving,
    layer_blocks,
    layer_blocks_with_degrees,
    ring_lattice,
    degree_preserving_lattice,
)
layered_graphs = st.builds(
    lambda sizes, full, p, seed: rewire(
        add_intralayer(layered(sizes)) if full else layered(sizes), p, seed=seed
    ),
    st.lists(st.integers(1, 6), min_size=3, max_size=5),
    st.booleans(),
    st.floats(0, 1),
    st.integers(0, 50),
)


@pytest.fixture(params=[True, False], ids=["dense", "sparse"])
def algorithm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("nullmodels", "lattices"):
        target = f"smallworld_eqprop.graphs.nulls.{module}.is_dense"
        monkeypatch.setattr(target, lambda _: request.param)


def degrees(graph) -> list[int]:
    return np.diff(as_adjacency(graph).indptr).tolist()


def layer_degrees(g: LayeredGraph) -> np.ndarray:
    one_hot = np.eye(g.n_layers)[g.layers]
    return g.adjacency() @ one_hot


@pytest.mark.usefixtures("algorithm")
@given(layered_graphs, st.integers(0, 50), st.sampled_from(MODELS))
def test_invariants(g, seed, model) -> None:
    sample = model(g, seed=seed)
    # replace_edges refuses self-loops, parallel edges and absent nodes.
    drawn = g.replace_edges(sample.edges)
    assert np.array_equal(drawn.edges, sample.edges)
    assert drawn.n_edges == g.n_edges
    assert np.array_equal(model(g, seed=seed).edges, sample.edges)
    assert 0 <= sample.accepted <= sample.attempted
    if model in (degree_preserving, layer_blocks_with_degrees, degree_preserving_lattice):
        assert degrees(drawn) == degrees(g)
    if model in (layer_blocks, layer_blocks_with_degrees):
        assert np.array_equal(edges_between_layers(drawn), edges_between_layers(g))
    if model is layer_blocks_with_degrees:
        assert np.array_equal(layer_degrees(drawn), layer_degrees(g))


@st.composite
def any_graphs(draw: st.DrawFn) -> nx.Graph:
    """Give graphs without layers: empty, complete, bipartite, disconnected and of one node, too."""
    n_nodes = draw(st.integers(0, 12))
    pairs = [(u, v) for u in range(n_nodes) for v in range(u)]
    if draw(st.booleans()):
        pairs = [(u, v) for u, v in pairs if (u - v) % 2]
    chosen = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    graph = nx.empty_graph(n_nodes)
    graph.add_edges_from(pair for pair, there in zip(pairs, chosen, strict=True) if there)
    return graph


GENERAL = (erdos_renyi, degree_preserving, ring_lattice, degree_preserving_lattice)


@pytest.mark.usefixtures("algorithm")
@example(nx.empty_graph(0), 0)
@example(nx.empty_graph(1), 0)
@example(nx.empty_graph(7), 0)
@example(nx.complete_graph(7), 0)
@example(nx.star_graph(6), 0)
@example(nx.complete_bipartite_graph(3, 4), 0)
@given(any_graphs(), st.integers(0, 50))
def test_invariants_of_graphs_without_layers(graph, seed) -> None:
    for model in GENERAL:
        sample = model(graph, seed=seed)
        adjacency = sample.adjacency()
        assert sample.n_nodes == len(graph)
        assert len(sample.edges) == len(np.unique(sample.edges, axis=0)) == graph.number_of_edges()
        assert (sample.edges[:, 0] < sample.edges[:, 1]).all()
        assert adjacency.nnz == 2 * len(sample.edges)
        if "degree" in model.__name__:
            assert degrees(adjacency) == degrees(graph)


def check_uniform(model, graph, n_states: int, **options) -> None:
    rng = np.random.default_rng(0)
    n_samples = max(15 * n_states, 300)
    seen = Counter(model(graph, seed=rng, **options).edges.tobytes() for _ in range(n_samples))
    assert len(seen) == n_states
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


@pytest.mark.usefixtures("algorithm")
def test_degree_preserving_is_uniform() -> None:
    # Two triangles or one hexagon on six labelled nodes: 10 + 60.
    check_uniform(degree_preserving, nx.cycle_graph(6), 70, switches_per_edge=20)


@pytest.mark.usefixtures("algorithm")
def test_degree_preserving_is_uniform_with_uneven_degrees() -> None:
    graph = nx.Graph([(0, 1), (0, 2), (0, 3), (1, 2), (4, 5)])
    target = sorted(degrees(graph))
    pairs = [(u, v) for u in range(6) for v in range(u)]
    wanted = np.array(degrees(graph))
    n_states = 0
    for code in range(1 << len(pairs)):
        if code.bit_count() == 5:
            ends = [end for k, pair in enumerate(pairs) if code >> k & 1 for end in pair]
            n_states += np.array_equal(np.bincount(ends, minlength=6), wanted)
    assert target == [1, 1, 1, 2, 2, 3]
    check_uniform(degree_preserving, graph, n_states, switches_per_edge=20)


def test_erdos_renyi_is_uniform() -> None:
    for n_nodes in (4, 5):
        graph = nx.path_graph(n_nodes)
        n_states = comb(n_nodes * (n_nodes - 1) // 2, n_nodes - 1)
        check_uniform(erdos_renyi, graph, n_states)


def test_layer_blocks_is_uniform() -> None:
    # Two of 2 * 3 places between layers and one of 3 inside.
    g = LayeredGraph((2, 3), [[0, 2], [0, 3], [2, 3]])
    check_uniform(layer_blocks, g, comb(6, 2) * 3)


@pytest.mark.usefixtures("algorithm")
@pytest.mark.parametrize("degree", [1, 2, 3])
def test_layer_blocks_with_degrees_is_uniform(degree: int) -> None:
    # Square 0-1 matrices with all row and column sums equal; 3 of 4 is walked by its complement.
    n_states = {1: 24, 2: 90, 3: 24}[degree]
    edges = [[i, 4 + (i + k) % 4] for i in range(4) for k in range(degree)]
    check_uniform(
        layer_blocks_with_degrees, LayeredGraph((4, 4), edges), n_states, switches_per_edge=20
    )


@pytest.mark.usefixtures("algorithm")
def test_layer_blocks_with_degrees_is_uniform_inside_a_layer() -> None:
    edges = [[1 + i, 1 + (i + 1) % 6] for i in range(6)]
    check_uniform(
        layer_blocks_with_degrees, LayeredGraph((1, 6, 1), edges), 70, switches_per_edge=20
    )


@pytest.mark.usefixtures("algorithm")
def test_blocks_within_and_between_layers_are_walked_together() -> None:
    # A hexagon inside the layer, 2-regular: 70. A perfect matching to the next one: 6!.
    edges = [[1 + i, 1 + (i + 1) % 6] for i in range(6)] + [[1 + i, 7 + i] for i in range(6)]
    g = LayeredGraph((1, 6, 6), edges)
    rng = np.random.default_rng(0)
    inside, between = Counter(), Counter()
    for _ in range(1500):
        drawn = layer_blocks_with_degrees(g, seed=rng).edges
        inside[drawn[drawn[:, 1] < 7].tobytes()] += 1
        # Where the first three nodes of the layer lead to: 6 * 5 * 4 possibilities.
        between[drawn[drawn[:, 1] >= 7][:3].tobytes()] += 1
    for counts, n_states in ((inside, 70), (between, 120)):
        assert len(counts) == n_states
        assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_trades_and_switches_draw_from_the_same_ensemble(monkeypatch) -> None:
    g = rewire(add_intralayer(layered((30, 20, 20, 8))), 0.2, seed=0)
    for model in (degree_preserving, layer_blocks_with_degrees):
        found = []
        for dense in (True, False):
            monkeypatch.setattr(
                "smallworld_eqprop.graphs.nulls.nullmodels.is_dense", lambda _, d=dense: d
            )
            samples = [model(g, seed=seed, switches_per_edge=60).adjacency() for seed in range(40)]
            found.append([average_clustering(sample) for sample in samples])
        assert stats.ttest_ind(*found).pvalue > 1e-3
        assert 0.4 < np.std(found[0]) / np.std(found[1]) < 2.5


@pytest.mark.parametrize("name", ["layered-5x100", "rewired-5x100", "rewired-5x100-no-intralayer"])
def test_the_networks_of_the_paper_mix(name) -> None:
    g = RunConfig.preset(name).topology.build(0)
    assert degree_preserving(g, seed=0).mixed
    # Without rewiring there is no other graph with these blocks.
    assert layer_blocks_with_degrees(g, seed=0).mixed == name.startswith("rewired")


def test_mixing_is_reported() -> None:
    graph = nx.gnm_random_graph(100, 400, seed=0)
    assert degree_preserving(graph, seed=0).mixed
    assert not degree_preserving(graph, seed=0, switches_per_edge=0.5).mixed
    assert not degree_preserving(nx.complete_graph(6), seed=0).mixed
    assert degree_preserving(graph, seed=0, switches_per_edge=0).accepted == 0
    assert erdos_renyi(graph, seed=0).mixed


@pytest.mark.usefixtures("algorithm")
def test_a_layered_network_is_the_only_one_with_its_blocks() -> None:
    g = layered((5, 4, 3))
    assert np.array_equal(layer_blocks(g, seed=0).edges, g.edges)
    assert np.array_equal(layer_blocks_with_degrees(g, seed=0).edges, g.edges)


@pytest.mark.parametrize(("n_nodes", "k"), [(20, 4), (21, 6)])
def test_ring_lattice(n_nodes: int, k: int) -> None:
    start = nx.gnm_random_graph(n_nodes, n_nodes * k // 2, seed=0)
    sample = ring_lattice(start, seed=0)
    expected = nx.watts_strogatz_graph(n_nodes, k, 0)
    assert {frozenset(edge) for edge in sample.edges.tolist()} == {
        frozenset(edge) for edge in expected.edges
    }


@pytest.mark.parametrize("n_nodes", [1, 2, 3, 6, 7])
def test_ring_lattice_fills_up_to_the_clique(n_nodes: int) -> None:
    clique = nx.complete_graph(n_nodes)
    assert len(ring_lattice(clique, seed=0).edges) == clique.number_of_edges()


@pytest.mark.usefixtures("algorithm")
def test_degree_preserving_lattice_finds_the_ring() -> None:
    start = nx.random_regular_graph(6, 120, seed=0)
    sample = degree_preserving_lattice(start, seed=0, switches_per_edge=300)
    ring = 3 * (6 - 2) / (4 * (6 - 1))
    assert average_clustering(start) < 0.1
    assert average_clustering(sample.adjacency()) > 0.95 * ring
    assert not degree_preserving_lattice(start, seed=0, switches_per_edge=5).mixed


@pytest.mark.parametrize("model", [degree_preserving, erdos_renyi])
@given(any_graphs(), st.integers(0, 50))
def test_connected_samples_of_connected_graphs(model, graph, seed) -> None:
    if len(graph) and not nx.is_connected(graph):
        with pytest.raises(InputError, match="connected: True; the graph is not connected"):
            model(graph, seed=seed, connected=True)
        return
    sample = model(graph, seed=seed, connected=True)
    assert len(sample.edges) == graph.number_of_edges()
    drawn = nx.from_scipy_sparse_array(sample.adjacency())
    assert not len(drawn) or nx.is_connected(drawn)
    if model is degree_preserving:
        assert degrees(drawn) == degrees(graph)
    free = model(graph, seed=seed)
    if len(graph) and nx.is_connected(nx.from_scipy_sparse_array(free.adjacency())):
        assert np.array_equal(sample.edges, free.edges)


def test_connected_samples_are_uniform() -> None:
    # 60 hexagons; 4^2 and 5^3 labelled trees, by Cayley; trees with the degrees 1, 1, 1, 2, 3: 3.
    check_uniform(degree_preserving, nx.cycle_graph(6), 60, switches_per_edge=20, connected=True)
    check_uniform(erdos_renyi, nx.path_graph(4), 16, connected=True)
    check_uniform(erdos_renyi, nx.path_graph(5), 125, connected=True)
    fork = nx.Graph([(0, 3), (1, 4), (2, 4), (3, 4)])
    check_uniform(degree_preserving, fork, 3, switches_per_edge=20, connected=True)


def test_a_sample_carries_its_seed() -> None:
    graph = nx.gnm_random_graph(30, 60, seed=0)
    for model in GENERAL:
        sample = model(graph)
        assert np.array_equal(model(graph, seed=sample.seed).edges, sample.edges)
        assert model(graph, seed=np.random.default_rng(0)).seed is None


@pytest.mark.parametrize(
    "graph",
    [
        nx.watts_strogatz_graph(400, 10, 0),
        nx.random_regular_graph(5, 300, seed=1),
        nx.complete_graph(20),
    ],
    ids=["ring", "regular", "complete"],
)
def test_the_lattice_of_a_regular_graph_is_the_ring(graph) -> None:
    sample = degree_preserving_lattice(graph, seed=0)
    assert sample.mixed
    ring = ring_lattice(graph, seed=0).adjacency()
    assert average_clustering(sample.adjacency()) == pytest.approx(average_clustering(ring), 0.02)


def test_a_lattice_settles_or_says_that_it_did_not() -> None:
    graph = nx.barabasi_albert_graph(400, 4, seed=0)
    settled = degree_preserving_lattice(graph, seed=0)
    assert settled.mixed
    assert settled.attempted < 400 * len(settled.edges)
    more = degree_preserving_lattice(graph, seed=0, switches_per_edge=1000)
    assert np.array_equal(more.edges, settled.edges)
    early = degree_preserving_lattice(graph, seed=0, switches_per_edge=30)
    assert not early.mixed
    assert average_clustering(early.adjacency()) < average_clustering(settled.adjacency())


@pytest.mark.parametrize("model", [degree_preserving, degree_preserving_lattice])
@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf")])
def test_bad_number_of_switches(model, bad) -> None:
    with pytest.raises(InputError, match="switches_per_edge"):
        model(nx.cycle_graph(5), seed=0, switches_per_edge=bad)


@pytest.mark.parametrize("model", [layer_blocks, layer_blocks_with_degrees])
def test_layers_are_needed(model) -> None:
    with pytest.raises(InputError, match="give a LayeredGraph"):
        model(nx.cycle_graph(5), seed=0)


@pytest.mark.parametrize("model", MODELS)
def test_bad_seed(model) -> None:
    with pytest.raises(InputError, match="seed"):
        model(layered((2, 2)), seed=-1)
