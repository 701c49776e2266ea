from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from smallworld_eqprop import Dataset, InputError
from smallworld_eqprop.data.columns import Scaling
from smallworld_eqprop.data.rows import SparseRows

MATRIX = sparse.random_array((9, 6), density=0.3, rng=0, format="csr")


@pytest.mark.parametrize("center", [0.0, np.linspace(-1, 1, 6)])
def test_rows_are_those_of_the_array(center):
    scaling = Scaling(center, np.linspace(0.1, 3, 6), -1.0, 1.0)
    rows = SparseRows(MATRIX, scaling)
    whole = scaling.forward(MATRIX.toarray())
    np.testing.assert_allclose(np.asarray(rows), whole, atol=1e-7)
    picked = [7, 0, 7]
    np.testing.assert_allclose(rows[picked], whole[picked], atol=1e-7)
    assert rows[picked].dtype == np.float32
    part = slice(2, 5)
    np.testing.assert_allclose(rows.above(part).toarray() + rows.zero, whole[part], atol=1e-12)
    assert rows.above(part).nnz == MATRIX[2:5].nnz


def test_values_that_are_stored_twice_add_up():
    twice = sparse.csr_array(([1.0, 2.0], [0, 0], [0, 2]), shape=(1, 2))
    assert SparseRows(twice, Scaling())[[0]].tolist() == [[3, 0]]


def test_a_data_set_takes_them_and_is_known_by_the_same_hash():
    y = np.eye(3)[np.arange(9) % 3]
    rows = SparseRows(MATRIX, Scaling())
    thin = Dataset("some", "classification", rows, y, [], [])
    dense = Dataset("some", "classification", MATRIX.toarray(), y, [], [])
    assert thin.fingerprint == dense.fingerprint
    assert thin.x_train is rows
    with pytest.raises(InputError, match="y_train: 8 rows, but x_train has 9"):
        Dataset("some", "classification", rows, y[:8], [], [])


def test_weights_are_one_for_every_example_and_part_of_the_hash():
    x, y = MATRIX.toarray(), np.eye(3)[np.arange(9) % 3]
    alike = Dataset("some", "classification", x, y, [], [])
    weighted = Dataset("some", "classification", x, y, [], [], weights=np.arange(9) / 4)
    assert weighted.fingerprint != alike.fingerprint
    with pytest.raises(InputError, match=r"weights: shape \(3,\), must be \(9,\)"):
        Dataset("some", "classification", x, y, [], [], weights=np.ones(3))


def test_scaling_goes_forth_and_back():
    values = np.array([[1.0, 5, 7], [3, 5, -1], [2, 5, 0]])
    scaling = Scaling.of_range(values, cut=True)
    states = scaling.forward(values)
    np.testing.assert_array_equal(states[:, 1], 0)
    assert states.min() == 0
    assert states.max() == 1
    np.testing.assert_allclose(scaling.back(states), values)
    np.testing.assert_array_equal(scaling.forward(values + 100)[:, [0, 2]], 1)
    assert Scaling.of_range(values, cut=False).forward(values + 100).max() > 10
