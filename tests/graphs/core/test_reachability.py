from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.reachability import unreached_outputs
from smallworld_eqprop.graphs.generate.layers import layered


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.data())
def test_unreached_outputs_are_those_without_a_path_from_an_input(sizes, data):
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    kept = data.draw(st.lists(st.integers(0, len(pairs) - 1), unique=True, max_size=n))
    g = LayeredGraph(sizes, pairs[kept])
    reached = set().union(
        *(nx.node_connected_component(g.to_networkx(), i) for i in range(sizes[0]))
    )
    assert set(unreached_outputs(g).tolist()) == set(range(n - sizes[-1], n)) - reached


@pytest.mark.parametrize("sizes", [(3, 2), (4, 3, 3, 2)])
def test_layered_networks_reach_all_outputs(sizes):
    assert unreached_outputs(layered(sizes)).size == 0
