"""Crossbar tiles: arrays of a fixed size that hold the weights, one device at every crossing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.parts import Positive, check_type

__all__ = ["Crossbars", "crossbars"]


@dataclass(frozen=True)
class Crossbars:
    """What the weights of a network need.

    Attributes
    ----------
    tiles : int
        Tiles with at least one weight.
    crossings : int
        Devices in all of them, whether there is a weight or not.
    fill : float
        Weights per crossing; NaN where there is no edge.
    """

    tiles: int
    crossings: int
    fill: float


def crossbars(graph: LayeredGraph, rows: int = 128, columns: int = 128) -> Crossbars:
    r"""Count the crossbar tiles that hold all weights.

    The rule: every pair of layers a <= b has a matrix of :math:`n_a \times n_b` crossings, the
    nodes of a on its rows and those of b on its columns. It is cut into tiles of `rows` x `columns`
    from its first crossing on, and a tile without a weight is not built. A weight is one device,
    which acts in both directions; edges inside a layer are above the diagonal of its matrix.

    Parameters
    ----------
    graph : LayeredGraph
    rows, columns : int
        Size of a tile.

    Returns
    -------
    Crossbars

    Raises
    ------
    InputError
        If the size of a tile is no whole number of at least 1.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> crossbars(layered((784, 500, 10)))
    Crossbars(tiles=32, crossings=524288, fill=0.7572...)
    """
    for name, size in (("rows", rows), ("columns", columns)):
        check_type(name, size, Positive)
    ends = graph.layers[graph.edges]
    inside = graph.edges - graph.layer_offsets[ends]
    places = np.column_stack((ends, inside[:, 0] // rows, inside[:, 1] // columns))
    # One number for every tile, so that they are told apart in one sort.
    shape = places.max(axis=0, initial=0) + 1
    tiles = len(np.unique(np.ravel_multi_index(tuple(places.T), tuple(shape))))
    crossings = tiles * int(rows) * int(columns)
    return Crossbars(tiles, crossings, graph.n_edges / crossings if tiles else float("nan"))
