"""Whether a large CSR matrix is that of an undirected simple graph, without a copy of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["is_simple"]

# Smaller matrices are checked by scipy in no time, and spare the first call the compilation.
LARGE = 100_000


def is_simple(matrix: Any) -> bool:
    """Tell whether a large matrix can be taken as it is: CSR, of positive weights, symmetric.

    Parameters
    ----------
    matrix : Any

    Returns
    -------
    bool
        False also for everything that is no CSR matrix or has fewer than `LARGE` entries.
    """
    if not (
        isinstance(matrix, sparse.csr_array | sparse.csr_matrix)
        and matrix.nnz >= LARGE
        and matrix.shape[0] == matrix.shape[1]
        and matrix.dtype.kind in "biuf"
        and bool((matrix.data if matrix.dtype.kind == "b" else matrix.data > 0).all())
        and (matrix.dtype.kind != "f" or bool((matrix.data < np.inf).all()))
    ):
        return False
    # Imported here, so that small graphs can be measured without compiled code.
    from smallworld_eqprop.graphs.core.symmetry import is_symmetric

    return bool(is_symmetric(matrix.indptr, matrix.indices))
