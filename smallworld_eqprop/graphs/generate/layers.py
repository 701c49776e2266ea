"""Networks of fully connected layers, where every topology starts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from smallworld_eqprop.graphs.core.arguments import checked_sizes, require_edges
from smallworld_eqprop.graphs.core.edges import edge_keys, keys_to_edges
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["add_intralayer", "layered"]


def layered(sizes: Iterable[int]) -> LayeredGraph:
    r"""Connect every pair of nodes in adjacent layers.

    The edges are :math:`\{(u, v) : l(v) = l(u) + 1\}`, :math:`\sum_l n_l n_{l+1}` of them.

    Parameters
    ----------
    sizes : iterable of int
        Number of nodes of every layer, inputs first.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If there are fewer than two layers, one of them is empty, or memory does not hold the edges.

    References
    ----------
    Scellier and Bengio, "Equilibrium propagation", Front. Comput. Neurosci. 11:24 (2017),
    doi:10.3389/fncom.2017.00024.

    Examples
    --------
    >>> layered((784, 500, 500, 500, 10)).n_edges
    897000
    """
    checked = checked_sizes(sizes)
    n_edges = sum(here * there for here, there in itertools.pairwise(checked))
    require_edges(f"layer sizes: {list(checked)}", n_edges)
    starts = np.concatenate(([0], np.cumsum(checked)))
    blocks = []
    for layer, (here, there) in enumerate(itertools.pairwise(checked)):
        block = np.empty((here, there, 2), dtype=np.int32)
        block[..., 0] = np.arange(starts[layer], starts[layer + 1])[:, None]
        block[..., 1] = np.arange(starts[layer + 1], starts[layer + 2])
        blocks.append(block.reshape(-1, 2))
    return LayeredGraph(
        checked, np.concatenate(blocks), ({"step": "layered", "sizes": list(checked)},)
    )


def add_intralayer(g: LayeredGraph) -> LayeredGraph:
    r"""Connect every hidden layer fully inside, without self-loops.

    Adds the missing ones among :math:`\sum_{l\ hidden} n_l (n_l - 1) / 2` pairs, so applying it
    twice changes nothing more.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If memory does not hold the edges.

    Examples
    --------
    >>> add_intralayer(layered((784, 500, 500, 500, 10))).n_edges
    1271250
    """
    n_pairs = sum(size * (size - 1) // 2 for size in g.layer_sizes[1:-1])
    require_edges(f"layer sizes: {list(g.layer_sizes)}, intralayer", n_pairs)
    present = edge_keys(g.edges, g.n_nodes)
    keys = [present]
    for layer in range(1, g.n_layers - 1):
        start = g.layer_offsets[layer]
        pairs = np.triu_indices(g.layer_sizes[layer], k=1)
        keys.append((pairs[0] + start) * g.n_nodes + pairs[1] + start)
    # Sorting and dropping neighbours that repeat is several times faster than np.unique here.
    merged = np.sort(np.concatenate(keys))
    merged = merged[np.concatenate(([True], merged[1:] != merged[:-1]))] if merged.size else merged
    step = {"step": "add_intralayer", "added": int(merged.size - present.size)}
    return g.replace_edges(keys_to_edges(merged, g.n_nodes), step)
