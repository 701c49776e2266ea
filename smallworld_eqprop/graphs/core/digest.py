"""What tells a graph from others: a hash of layers, edges and data, and the first difference."""

from __future__ import annotations

import hashlib

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["first_difference", "graph_digest"]


def graph_digest(g: LayeredGraph) -> str:
    """SHA-256 of layer sizes, edges and data; provenance and labels do not count.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(str(g.layer_sizes).encode())
    digest.update(g.edges.astype("<i4").tobytes())
    for kind, data in (("edge_data", g.edge_data), ("node_data", g.node_data)):
        for name in sorted(data):
            values = np.ascontiguousarray(data[name])
            digest.update(f"{kind}.{name} {values.dtype.str} {values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()


def first_difference(old: LayeredGraph, new: LayeredGraph) -> str:
    """What differs first between two graphs of different digests, in words.

    Parameters
    ----------
    old, new : LayeredGraph

    Returns
    -------
    str
    """
    if old.layer_sizes != new.layer_sizes:
        was, now = ("-".join(map(str, g.layer_sizes)) for g in (old, new))
        return f"layers were {was}, are {now}"
    if old.n_edges != new.n_edges:
        return f"{old.n_edges:,} edges, now {new.n_edges:,}"
    places = np.flatnonzero((old.edges != new.edges).any(axis=1))
    if places.size:
        was, now = ("-".join(map(str, g.edges[places[0]].tolist())) for g in (old, new))
        return f"edge {places[0]} was {was}, is {now}"
    for kind in ("edge", "node"):
        before, after = getattr(old, f"{kind}_data"), getattr(new, f"{kind}_data")
        for name in sorted({*before, *after}):
            if name not in before or name not in after:
                return f"{kind} data {name!r} {'new' if name in after else 'gone'}"
            if before[name].tobytes() != after[name].tobytes():
                return f"{kind} data {name!r} have other values"
    return "its data are of another type"
