"""Whether the inputs can have any effect on the outputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["unreached_outputs"]


def unreached_outputs(g: LayeredGraph) -> npt.NDArray[np.int64]:
    """Find the output nodes that no path joins to an input.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    ndarray of int64
        Their node numbers, ascending; empty where every output is reached.

    Examples
    --------
    >>> unreached_outputs(LayeredGraph((1, 1, 2), [(0, 1), (1, 2)])).tolist()
    [3]
    """
    component = connected_components(g.adjacency(), directed=False)[1]
    lost = ~np.isin(component[g.layer_slice(-1)], component[g.layer_slice(0)])
    return np.flatnonzero(lost) + g.layer_offsets[-2]
