"""Products of states with the matrices of a circuit: dense, sparse, or dense times one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics.layout import Array

__all__ = ["Scaled", "by_column", "multiplied", "product", "products"]


@dataclass(frozen=True)
class Scaled:
    """A dense matrix times one number, as energy scales make it of the weights of two layers.

    No copy is kept that every step would have to renew: states are multiplied instead.
    """

    matrix: Array
    factor: np.floating

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.matrix.size

    @property
    def T(self) -> Scaled:
        """The transpose."""
        return Scaled(self.matrix.T, self.factor)


def multiplied(matrix: Any) -> Any:
    """A matrix as an array or a sparse array."""
    return matrix.matrix * matrix.factor if isinstance(matrix, Scaled) else matrix


def by_column(matrix: Any, factors: Array) -> Any:
    """A matrix whose columns are multiplied, each with a number of its own."""
    matrix = multiplied(matrix)
    return matrix * factors if isinstance(matrix, np.ndarray) else (matrix * factors).tocsr()


def product(state: Array, matrix: Any) -> Array:
    """``state @ matrix``."""
    if isinstance(matrix, Scaled):
        state, matrix = state * matrix.factor, matrix.matrix
    if isinstance(matrix, np.ndarray):
        return np.matmul(state, matrix)
    # Columns of a sparse product run side by side; the sparse product itself costs far more.
    return (matrix.T @ np.ascontiguousarray(state.T)).T


def products(terms: list[tuple[Any, slice]], state: Array, out: Array) -> Array:
    """Sum of ``state[:, source] @ matrix`` over the terms of a layer, in `out`; zeros without."""
    if not terms:
        out[:] = 0
    for i, (matrix, source) in enumerate(terms):
        part = state[:, source]
        if i:
            out += product(part, matrix)
            continue
        if isinstance(matrix, Scaled):
            part, matrix = part * matrix.factor, matrix.matrix
        if isinstance(matrix, np.ndarray):
            np.matmul(part, matrix, out=out)
        else:
            out[:] = product(part, matrix)
    return out
