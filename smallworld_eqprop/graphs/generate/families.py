"""Families of topologies in which single structural measures vary on their own.

Each function takes a graph and returns a new one. Its docstring lists the conserved properties.
Beside them, `smallworld_eqprop.rewire` with ``places="input"``, ``"hidden"`` or ``"output"``
confines layer-skipping edges to a part of the network, and
`smallworld_eqprop.graphs.generate.endpoints` moves ends as Watts and Strogatz do or keeps degrees.
None of them ever joins two inputs or two outputs anew. Edges that stay keep their data, new ones
have no values.
"""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arguments import Seed, checked_count, require_edges, seeded
from smallworld_eqprop.graphs.core.edges import edge_keys, keys_to_edges, replace_keys
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces, PlaceKind
from smallworld_eqprop.graphs.core.reachability import unreached_outputs

__all__ = ["add_rings", "add_skips", "random_like", "thin"]

_ATTEMPTS = 100


def add_skips(
    g: LayeredGraph, n: int, *, seed: Seed = None, places: PlaceKind = "skip"
) -> LayeredGraph:
    """Add n layer-skipping edges at free places drawn uniformly, in place of moving edges there.

    Keeps every edge of the graph.

    Parameters
    ----------
    g : LayeredGraph
    n : int
        Number of edges to add, at most the number of free places.
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.
    places : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        Where they may go, as in `smallworld_eqprop.rewire`.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If n is not a whole number from 0 to the number of free places.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> add_skips(layered((3, 2, 2)), 4, seed=0).skip.sum()
    np.int64(4)
    """
    free = FreePlaces(g, places)
    n = checked_count("n", n, free.count, f"the number of free places of kind {places!r}")
    rng, recorded = seeded(seed)
    new = free.keys(np.sort(rng.choice(free.count, n, replace=False, shuffle=False)))
    keys = replace_keys(edge_keys(g.edges, g.n_nodes), np.empty(0, dtype=np.int64), new)
    step = {"step": "add_skips", "n": n, "places": places, "seed": recorded}
    return g.replace_edges(keys_to_edges(keys, g.n_nodes), step)


def add_rings(g: LayeredGraph, neighbours: int) -> LayeredGraph:
    """Join every node of a hidden layer to its nearest neighbours on a ring through the layer.

    Each hidden layer becomes the ring lattice from which Watts and Strogatz start; edges that
    are there already stay. Followed by `rewire_ends` it gives layers between order and chance.

    Parameters
    ----------
    g : LayeredGraph
    neighbours : int
        Even number of neighbours of a node, half of them on either side, smaller than every
        hidden layer.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If the number is odd or negative, or a hidden layer is too small for it.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393:440 (1998),
    doi:10.1038/30918.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> add_rings(layered((2, 5, 1)), 2).intralayer.sum()
    np.int64(5)
    """
    most = min(g.layer_sizes[1:-1], default=1) - 1
    neighbours = checked_count("neighbours", neighbours, most, "below the smallest hidden layer")
    if neighbours % 2:
        raise InputError(f"neighbours: {neighbours}; give an even number, half for either side")
    require_edges(f"neighbours: {neighbours}", sum(g.layer_sizes[1:-1]) * neighbours // 2)
    keys = [edge_keys(g.edges, g.n_nodes)]
    for layer in range(1, g.n_layers - 1):
        size = g.layer_sizes[layer]
        here = np.arange(size)
        for distance in range(1, neighbours // 2 + 1):
            ring = np.sort(np.column_stack((here, (here + distance) % size)), axis=1)
            keys.append(edge_keys(ring + g.layer_offsets[layer], g.n_nodes))
    edges = keys_to_edges(np.unique(np.concatenate(keys)), g.n_nodes)
    return g.replace_edges(edges, {"step": "add_rings", "neighbours": neighbours})


def random_like(g: LayeredGraph, *, seed: Seed = None) -> LayeredGraph:
    """Draw a graph uniformly among those with the same layers and number of edges.

    No edge joins two inputs or two outputs, and every output can be reached from the inputs.

    Parameters
    ----------
    g : LayeredGraph
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If there are more edges than places, or too few for a random graph to reach the outputs.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> random_like(layered((4, 3, 3, 2)), seed=0).n_edges
    27
    """
    rng, recorded = seeded(seed)
    places = FreePlaces(g.replace_edges(np.empty((0, 2), dtype=np.int32)), "any")
    n = checked_count("edges", g.n_edges, places.count, "the number of places")
    step = {"step": "random_like", "seed": recorded}
    for _ in range(_ATTEMPTS):
        keys = places.keys(np.sort(rng.choice(places.count, n, replace=False, shuffle=False)))
        drawn = g.replace_edges(keys_to_edges(keys, g.n_nodes), step)
        if not unreached_outputs(drawn).size:
            return drawn
    raise _unreached(n)


def thin(g: LayeredGraph, n_edges: int, *, seed: Seed = None) -> LayeredGraph:
    """Keep a number of edges, drawn uniformly, from which every output can be reached.

    Parameters
    ----------
    g : LayeredGraph
    n_edges : int
        Number of edges to keep.
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If the graph has fewer edges, or they are too few to reach the outputs.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> thin(layered((4, 3, 3, 2)), 20, seed=0).n_edges
    20
    """
    n_edges = checked_count("n_edges", n_edges, g.n_edges, "the number of edges there are")
    rng, recorded = seeded(seed)
    step = {"step": "thin", "n_edges": n_edges, "seed": recorded}
    for _ in range(_ATTEMPTS):
        kept = np.sort(rng.choice(g.n_edges, n_edges, replace=False, shuffle=False))
        drawn = g.replace_edges(g.edges[kept], step)
        if not unreached_outputs(drawn).size:
            return drawn
    raise _unreached(n_edges)


def _unreached(n_edges: int) -> InputError:
    return InputError(
        f"edges: {n_edges}; in {_ATTEMPTS} draws an output could not be reached; give more edges"
    )
