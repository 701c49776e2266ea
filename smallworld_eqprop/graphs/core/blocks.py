"""Blocks: the edges between every two layers, and how dense they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["block_densities", "edges_between_layers"]


def block_densities(g: LayeredGraph) -> npt.NDArray[np.float64]:
    r"""Give the share of connected pairs for every pair of layers.

    .. math:: \rho_{ab} = \frac{m_{ab}}{n_a n_b} \; (a \ne b), \qquad
              \rho_{aa} = \frac{2 m_{aa}}{n_a (n_a - 1)}

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    ndarray of float64, shape (n_layers, n_layers)
        Symmetric; NaN for a layer of one node with itself, where there is no pair.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> block_densities(layered((3, 2, 2)))[0].tolist()
    [0.0, 1.0, 0.0]
    """
    sizes = np.asarray(g.layer_sizes, dtype=np.float64)
    edges = edges_between_layers(g)
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(pairs, sizes * (sizes - 1) / 2)
    return np.divide(edges, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)


def edges_between_layers(g: LayeredGraph) -> npt.NDArray[np.int64]:
    """Count the edges of every pair of layers; symmetric, shape (n_layers, n_layers)."""
    counts = np.zeros((g.n_layers, g.n_layers), dtype=np.int64)
    a, b = g.layers[g.edges].T
    np.add.at(counts, (a, b), 1)
    return counts + np.triu(counts, k=1).T
