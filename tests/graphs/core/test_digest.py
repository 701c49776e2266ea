from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop import LayeredGraph, layered
from smallworld_eqprop.graphs.core.digest import first_difference, graph_digest

EDGES = [(0, 2), (1, 2), (1, 3), (2, 4), (3, 4)]
GRAPH = LayeredGraph((2, 2, 1), EDGES, edge_data={"weight": [1.0, 2, 3, 4, 5]})


def test_order_labels_and_provenance_do_not_count():
    same = LayeredGraph(
        (2, 2, 1),
        EDGES[::-1],
        provenance=[{"step": "mine"}],
        labels=list("abcde"),
        edge_data={"weight": [5.0, 4, 3, 2, 1]},
    )
    assert graph_digest(same) == graph_digest(GRAPH)
    assert len(graph_digest(GRAPH)) == 64


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (LayeredGraph((2, 1, 2), EDGES), "layers were 2-2-1, are 2-1-2"),
        (LayeredGraph((2, 2, 1), EDGES[:-1]), "5 edges, now 4"),
        (LayeredGraph((2, 2, 1), [*EDGES[:-1], (0, 4)]), "edge 1 was 1-2, is 0-4"),
        (LayeredGraph((2, 2, 1), EDGES), "edge data 'weight' gone"),
        (
            LayeredGraph((2, 2, 1), EDGES, edge_data={"weight": np.arange(5.0)}),
            "edge data 'weight' have other values",
        ),
        (
            LayeredGraph(
                (2, 2, 1), EDGES, edge_data=GRAPH.edge_data, node_data={"sign": [1, 1, 1, 1, 1]}
            ),
            "node data 'sign' new",
        ),
    ],
)
def test_a_difference_is_hashed_and_told(other, told):
    assert graph_digest(other) != graph_digest(GRAPH)
    assert first_difference(GRAPH, other) == told


def test_graphs_of_the_same_edges_and_other_layers_differ():
    assert graph_digest(layered((2, 1, 1))) != graph_digest(
        LayeredGraph((2, 2), layered((2, 1, 1)).edges)
    )
