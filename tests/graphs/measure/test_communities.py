"""Communities and cores: against bctpy, networkx and igraph, and where the values are known."""

from __future__ import annotations

import math
import random

import bct
import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure.communities import (
    community_metrics,
    detect_communities,
    modularity,
    participation_coefficient,
)
from smallworld_eqprop.graphs.measure.cores import (
    core_metrics,
    core_numbers,
    core_periphery,
    normalised_rich_club,
    rich_club,
)
from smallworld_eqprop.graphs.measure.layer_structure import layer_modularity

close = pytest.approx
SHARED = nx.karate_club_graph()


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """Give symmetric weights, 0 for no edge; often with nodes that have none."""
    n_nodes = draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    there = rng.random((n_nodes, n_nodes)) < draw(st.floats(0, 1))
    upper = np.triu(there * rng.integers(1, 5, (n_nodes, n_nodes)), 1).astype(float)
    return upper + upper.T


@settings(max_examples=30)
@given(matrices(), st.integers(1, 4), st.floats(0.2, 3), st.booleans())
def test_partitions_against_networkx_and_bctpy(matrix, n_labels, resolution, weighted) -> None:
    used = matrix if weighted else (matrix > 0).astype(float)
    labels = np.arange(len(matrix)) % n_labels
    found = modularity(matrix, labels, weighted=weighted, resolution=resolution)
    if matrix.any():
        parts = [set(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())]
        theirs = nx.community.modularity(
            nx.from_numpy_array(used), parts, weight="weight", resolution=resolution
        )
        assert found == close(theirs, abs=1e-12)
    else:
        assert math.isnan(found)
    spread = participation_coefficient(matrix, labels, weighted=weighted)
    alone = ~matrix.any(axis=1)
    assert np.isnan(spread[alone]).all()
    if not alone.all():
        with np.errstate(invalid="ignore"):
            theirs = bct.participation_coef(used, labels + 1)
        assert spread[~alone] == close(theirs[~alone], abs=1e-12)


def test_labels_may_be_text_and_layers() -> None:
    g = rewire(layered((6, 5, 4, 3)), 0.3, seed=0)
    assert modularity(g, g.layers) == close(layer_modularity(g))
    names = np.array(["in", "one", "two", "out"])[g.layers]
    assert modularity(g, names) == modularity(g, g.layers)
    for labels, shown in [([0, 1], r"\(2,\) and type int64"), ([None] * 18, r"\(18,\) and type")]:
        with pytest.raises(InputError, match=f"labels: an array of shape {shown}"):
            participation_coefficient(g, labels)


@pytest.mark.parametrize("size", [3, 5, 20])
def test_two_cliques(size: int) -> None:
    apart = nx.disjoint_union(nx.complete_graph(size), nx.complete_graph(size))
    found = detect_communities(apart, seed=0, n_tries=1)
    assert found.n_communities == 2
    assert found.labels.tolist() == [0] * size + [1] * size
    assert found.modularity == close(1 / 2)
    joined = nx.barbell_graph(size, 0)
    found = detect_communities(joined, seed=0)
    assert found.labels.tolist() == [0] * size + [1] * size
    n_edges = size * (size - 1) + 1
    assert found.modularity == close((n_edges - 1) / n_edges - 1 / 2)
    spread = participation_coefficient(joined, found.labels)
    ends = [size - 1, size]
    assert spread[ends] == close(1 - ((size - 1) ** 2 + 1) / size**2)
    assert not np.delete(spread, ends).any()


def test_detection_repeats_and_the_best_try_is_taken() -> None:
    graph = nx.gnm_random_graph(60, 200, seed=1)
    first = detect_communities(graph, seed=3)
    again = detect_communities(graph, seed=3)
    assert first.labels.tolist() == again.labels.tolist()
    assert first.modularity == modularity(graph, first.labels)
    drawn = detect_communities(graph, n_tries=2)
    assert drawn.modularity == detect_communities(graph, n_tries=2, seed=drawn.seed).modularity
    one = [detect_communities(graph, seed=seed, n_tries=1).modularity for seed in range(8)]
    assert len(set(one)) > 1
    assert first.modularity >= sorted(one)[4]


def test_detection_finds_the_best_partition_known() -> None:
    # The best partition of this graph is known: Brandes et al., doi:10.1109/TKDE.2007.190689.
    found = detect_communities(nx.karate_club_graph(), seed=0)
    assert found.modularity == close(0.41979, abs=1e-5)
    assert found.n_communities == 4


def test_weights_and_resolution_decide() -> None:
    weights = np.ones((6, 6)) - np.eye(6)
    weights[:3, :3] *= 10
    weights[3:, 3:] *= 10
    assert detect_communities(weights, seed=0).n_communities == 1
    found = detect_communities(weights, weighted=True, seed=0)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert detect_communities(SHARED, resolution=3, seed=0).n_communities > 4


def test_igraph_draws_as_before() -> None:
    def draw() -> list:
        return igraph.Graph.Erdos_Renyi(n=20, m=30).get_edgelist()

    random.seed(5)
    expected = draw()
    random.seed(5)
    detect_communities(SHARED, seed=0, n_tries=2)
    assert draw() == expected


def test_no_edges() -> None:
    for n_nodes in (0, 3):
        graph = nx.empty_graph(n_nodes)
        found = detect_communities(graph, seed=0)
        assert found.labels.tolist() == list(range(n_nodes))
        assert found.n_communities == n_nodes
        assert math.isnan(found.modularity)
        assert core_numbers(graph).tolist() == [0] * n_nodes
        assert rich_club(graph).shape == normalised_rich_club(graph, seed=0).shape == (0,)
        found = core_periphery(graph)
        assert not found.core.any()
        assert math.isnan(found.coreness)
        assert np.isnan(participation_coefficient(graph, range(n_nodes))).all()
        numbers = community_metrics(graph, seed=0) | core_metrics(graph, seed=0)
        assert numbers.pop("n_communities") == n_nodes
        assert n_nodes == 0 or numbers.pop("largest_core_number") == 0
        assert all(math.isnan(value) for value in numbers.values())


@settings(max_examples=30)
@given(matrices(), st.floats(0.5, 1.5), st.booleans())
def test_core_periphery_is_the_largest_value_of_the_search_of_bctpy(matrix, gamma, weighted):
    used = matrix if weighted else (matrix > 0).astype(float)
    if not used.any():
        return
    found = core_periphery(matrix, weighted=weighted, resolution=gamma)
    theirs = [bct.core_periphery_dir(used.copy(), gamma=gamma, seed=seed) for seed in range(3)]
    assert found.coreness == close(max(value for _, value in theirs), abs=1e-9)
    if gamma == 1 and used.sum(axis=1).std() > 0:
        assert (used.sum(axis=1)[found.core] > used.sum(axis=1).mean()).all()


def test_core_of_a_star_and_of_a_ring() -> None:
    found = core_periphery(nx.star_graph(4))
    assert found.core.tolist() == [True] + [False] * 4
    assert found.coreness == close((4 - 1.6) / 8 + 4 * 0.6 / 8)
    assert core_periphery(nx.cycle_graph(7)).coreness == 0
    with pytest.raises(InputError, match="resolution: 0; give a number above 0"):
        core_periphery(nx.cycle_graph(7), resolution=0)


@settings(max_examples=30)
@given(matrices())
def test_cores_and_rich_club_against_networkx_and_bctpy(matrix) -> None:
    graph = nx.from_numpy_array(matrix)
    assert core_numbers(matrix).tolist() == list(nx.core_number(graph).values())
    curve = rich_club(matrix)
    for k, value in enumerate(curve):
        rich = [node for node, degree in graph.degree if degree > k]
        assert value == close(nx.density(graph.subgraph(rich)) if len(rich) > 1 else math.nan,
                              nan_ok=True)  # fmt: skip
    if matrix.any():
        theirs = nx.rich_club_coefficient(graph, normalized=False)
        assert {k: close(value) for k, value in theirs.items()}.items() <= dict(
            enumerate(curve)
        ).items()
        with np.errstate(invalid="ignore"):
            weighted = bct.rich_club_wu(matrix)
        # bctpy leaves out the levels below the smallest degree.
        there = ~np.isnan(weighted)
        assert rich_club(matrix, weighted=True)[there] == close(weighted[there])


def test_rich_club_beside_null_samples() -> None:
    # Every star has the same hub in all its null samples.
    assert normalised_rich_club(nx.star_graph(5), seed=0, n_null=2)[0] == 1
    # Five hubs that are all joined, among ten nodes on a ring: few samples join all hubs.
    graph = nx.disjoint_union(nx.complete_graph(5), nx.cycle_graph(10))
    graph.add_edges_from((node % 5, node + 5) for node in range(10))
    ratio = normalised_rich_club(graph, n_null=20, seed=1)
    assert ratio.shape == (6,)
    assert ratio[:3] == close(1)  # every node has three neighbours
    assert (ratio[3:] > 1.2).all()
    assert ratio.tolist() == normalised_rich_club(graph, n_null=20, seed=1).tolist()
    g = rewire(layered((5, 4, 3)), 0.5, seed=0)
    layers = normalised_rich_club(g, null="layer_blocks_with_degrees", n_null=2, seed=0)
    assert len(layers) == len(rich_club(g))
    for argument, message in [
        ({"null": "degree"}, "null: 'degree'"),
        ({"n_null": 0}, "n_null: 0, must be a whole number from 1 to 1000000"),
    ]:
        with pytest.raises(InputError, match=message):
            normalised_rich_club(g, **argument)


def test_numbers_for_tables() -> None:
    found = detect_communities(SHARED, seed=4)
    spread = participation_coefficient(SHARED, found.labels)
    assert community_metrics(SHARED, seed=4) == {
        "modularity": found.modularity,
        "n_communities": 4,
        "participation_coefficient": close(spread.mean()),
    }
    # 78 edges, 34 nodes: rich nodes have more than 4.6 neighbours.
    assert core_metrics(SHARED, seed=4) == {
        "largest_core_number": 4,
        "coreness": core_periphery(SHARED).coreness,
        "rich_club": rich_club(SHARED)[4],
        "rich_club_normalised": normalised_rich_club(SHARED, seed=4)[4],
    }
    rich = nx.density(SHARED.subgraph(np.flatnonzero(core_periphery(SHARED).core)))
    assert rich_club(SHARED)[4] == close(rich)
    # Nodes of equal degrees: none is above the mean.
    assert math.isnan(core_metrics(nx.cycle_graph(5), seed=0)["rich_club"])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"resolution": 0}, "resolution: 0; give a number above 0"),
        ({"n_tries": 0}, "n_tries: 0, must be a whole number from 1 to 1000000"),
        ({"n_tries": 1.5}, "n_tries: 1.5, must be a whole number from 1 to 1000000"),
    ],
)
def test_bad_arguments(argument, message) -> None:
    with pytest.raises(InputError) as caught:
        detect_communities(SHARED, **argument)
    assert str(caught.value) == message


def test_negative_weights_are_refused() -> None:
    matrix = np.array([[0, -1.0], [-1.0, 0]])
    for measure in (detect_communities, core_periphery, rich_club):
        with pytest.raises(InputError, match="weights are negative"):
            measure(matrix, weighted=True)


def test_ties_that_send_igraph_round_for_ever_end():
    # With this seed igraph's own search, left to itself until nothing changes, does not end.
    found = detect_communities(nx.graph_atlas(390), seed=0)
    assert found.modularity == pytest.approx(modularity(nx.graph_atlas(390), found.labels))
