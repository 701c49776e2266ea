"""The check of large matrices agrees with the check of all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core import simple
from smallworld_eqprop.graphs.core.adjacency import as_adjacency


@st.composite
def matrices(draw: st.DrawFn) -> sparse.csr_array:
    """Give matrices that are often symmetric but for one entry, some unsorted or with doubles."""
    n_nodes = draw(st.integers(1, 7))
    pairs = draw(st.lists(st.tuples(*[st.integers(0, n_nodes - 1)] * 2), max_size=12))
    entries = [pair for u, v in pairs if u != v for pair in ((u, v), (v, u))]
    if draw(st.booleans()):
        entries = list(dict.fromkeys(entries))
    if draw(st.booleans()):
        entries.append(draw(st.tuples(*[st.integers(0, n_nodes - 1)] * 2)))
    order = draw(st.permutations(range(len(entries))))
    rows = np.array([entries[i][0] for i in order], dtype=np.int32)
    columns = np.array([entries[i][1] for i in order], dtype=np.int32)
    if draw(st.booleans()):
        by_row = np.lexsort((columns, rows))
        rows, columns = rows[by_row], columns[by_row]
    by_row = np.argsort(rows, kind="stable")
    indptr = np.searchsorted(rows[by_row], np.arange(n_nodes + 1)).astype(np.int32)
    values = draw(
        st.lists(st.sampled_from([1.0, 1.0, 1.0, 2.0, 0.0, -1.0, np.nan, np.inf]),
                 min_size=len(entries), max_size=len(entries))
    )  # fmt: skip
    data = np.ones(len(entries)) if draw(st.booleans()) else np.array(values)
    return sparse.csr_array((data, columns[by_row], indptr), shape=(n_nodes, n_nodes))


def outcome(matrix: sparse.csr_array) -> object:
    try:
        found = as_adjacency(matrix.copy())
    except InputError as error:
        return str(error)
    return found.indptr.tolist(), found.indices.tolist(), found.data.tolist()


@given(matrices())
def test_same_as_for_small_matrices(matrix) -> None:
    expected = outcome(matrix)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simple, "LARGE", 0)
        assert outcome(matrix) == expected
        if simple.is_simple(matrix):
            assert isinstance(expected, tuple)


def test_a_graph_is_recognised_and_anything_else_is_not(monkeypatch) -> None:
    monkeypatch.setattr(simple, "LARGE", 0)
    path = sparse.diags_array([np.ones(4), np.ones(4)], offsets=[1, -1]).tocsr()
    for kind in (np.bool_, np.int8, np.uint32, np.float64):
        assert simple.is_simple(path.astype(kind))
    for other in (path.tocsc(), path.toarray(), path.astype(complex), path[:4], path[:, :4], -path):
        assert not simple.is_simple(other)
    # A column number out of range, as a matrix that was put together by hand may have.
    outside = path.copy()
    outside.indices[-1] = 9
    assert not simple.is_simple(outside)
