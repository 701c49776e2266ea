"""Inputs that stay a sparse matrix, and become an array batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from smallworld_eqprop.data.columns import Scaling

__all__ = ["SparseRows"]


class SparseRows:
    """Rows of a sparse matrix, scaled and made an array when they are asked for.

    A `Dataset` takes it as inputs in place of an array, so that only a batch is dense at a time.
    On torch, which holds all examples on the device, it becomes one array.

    Parameters
    ----------
    matrix : sparse matrix or array, shape (n_examples, n_features)
    scaling : Scaling
        From its numbers to inputs, which are from -1 to 1.

    Attributes
    ----------
    shape : tuple of int
    zero : ndarray, shape (n_features,)
        Inputs of an example that is 0 throughout.
    """

    ndim = 2

    def __init__(self, matrix: Any, scaling: Scaling) -> None:
        self._matrix, self._scaling = sparse.csr_array(matrix), scaling
        self._matrix.sum_duplicates()
        self.shape: tuple[int, int] = self._matrix.shape
        self.zero = scaling.forward(np.zeros(self.shape[1]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        part = self._matrix[rows]
        found = np.empty(part.shape, np.float32)
        found[:] = self.zero
        # What is stored is scaled apart: most of the array is zeros.
        places = np.repeat(np.arange(len(found)), np.diff(part.indptr))
        found[places, part.indices] = self._scaling.of(part.indices).forward(part.data)
        return found

    def above(self, rows: slice) -> sparse.csr_array:
        """How far the same rows are from `zero`, which is 0 where nothing is stored."""
        part = self._matrix[rows]
        scaled = self._scaling.of(part.indices).forward(part.data) - self.zero[part.indices]
        return sparse.csr_array((scaled, part.indices, part.indptr), part.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return np.asarray(self[:], dtype)
