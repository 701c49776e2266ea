from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges, as_adjacency
from smallworld_eqprop.graphs.core.bitsets import bit_rows, flip, has_bit, is_dense, popcount


@given(st.integers(0, 2**64 - 1))
def test_popcount(word: int) -> None:
    assert popcount(np.uint64(word)) == word.bit_count()


@settings(max_examples=30)
@given(st.integers(1, 140), st.floats(0, 1), st.integers(0, 99))
def test_rows_are_the_adjacency_matrix(n_nodes: int, p: float, seed: int) -> None:
    adjacency = as_adjacency(nx.gnp_random_graph(n_nodes, p, seed=seed))
    rows = bit_rows(adjacency.indptr, adjacency.indices)
    first = [has_bit(rows, 0, b) for b in range(n_nodes)]
    assert first == adjacency.toarray()[0].tolist()
    if n_nodes > 1:
        before = rows.copy()
        flip(rows, 0, n_nodes - 1)
        assert has_bit(rows, 0, n_nodes - 1) != has_bit(before, 0, n_nodes - 1)
        assert has_bit(rows, n_nodes - 1, 0) == has_bit(rows, 0, n_nodes - 1)
        flip(rows, 0, n_nodes - 1)
        assert np.array_equal(rows, before)


@pytest.mark.parametrize("n_nodes", [1000, 2294, 5000])
@pytest.mark.parametrize("degree", [4, 20, 100])
def test_rows_of_bits_are_never_larger_than_the_edges(n_nodes: int, degree: int) -> None:
    nodes = np.repeat(np.arange(n_nodes), degree // 2)
    ring = (nodes + np.tile(np.arange(1, degree // 2 + 1), n_nodes)) % n_nodes
    adjacency = adjacency_from_edges(np.column_stack((nodes, ring)), n_nodes)
    words = bit_rows(adjacency.indptr, adjacency.indices).size
    if is_dense(adjacency):
        # Against two ends of every edge; a row may end with a part of a word.
        assert words <= adjacency.nnz + n_nodes
    else:
        assert words > adjacency.nnz
