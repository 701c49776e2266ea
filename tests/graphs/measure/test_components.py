from __future__ import annotations

import math

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.graphs.measure.components import (
    largest_component,
    n_components,
    reachable_share,
)
from smallworld_eqprop.graphs.measure.metrics import structure_metrics


@given(st.integers(0, 9), st.floats(0, 1), st.integers(0, 99))
def test_components_are_those_of_networkx(n_nodes, p, seed) -> None:
    graph = nx.gnp_random_graph(n_nodes, p, seed=seed)
    assert n_components(graph) == nx.number_connected_components(graph)
    joined = [nx.has_path(graph, u, v) for u in graph for v in range(u)]
    share = reachable_share(graph)
    if joined:
        assert share == pytest.approx(sum(joined) / len(joined))
        assert (share == 1) == all(joined)
    else:
        assert math.isnan(share)
    metrics = structure_metrics(graph)
    assert metrics["n_components"] == n_components(graph)
    assert metrics["reachable_share"] == pytest.approx(share, nan_ok=True)


def test_the_largest_component_is_a_graph_of_its_own() -> None:
    graph = nx.disjoint_union_all([nx.path_graph(2), nx.cycle_graph(5), nx.complete_graph(4)])
    part = largest_component(nx.to_scipy_sparse_array(graph))
    assert nx.is_isomorphic(nx.from_scipy_sparse_array(part), nx.cycle_graph(5))
