"""Edge arrays: their canonical form, and the numbers that sort as the edges do."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

__all__ = [
    "canonical_edges",
    "edge_keys",
    "edge_order",
    "keys_to_edges",
    "places_of",
    "read_only",
    "replace_keys",
]


def edge_keys(edges: npt.NDArray[np.integer], n_nodes: int) -> npt.NDArray[np.int64]:
    """Give every pair u < v the number ``u * n_nodes + v``, which sorts as the pairs do."""
    return edges[:, 0].astype(np.int64) * n_nodes + edges[:, 1]


def keys_to_edges(keys: npt.NDArray[np.int64], n_nodes: int) -> npt.NDArray[np.int32]:
    """Turn `edge_keys` back into pairs; shape (n_edges, 2)."""
    edges = np.empty((len(keys), 2), dtype=np.int32)
    edges[:, 0] = keys // n_nodes
    edges[:, 1] = keys - edges[:, 0].astype(np.int64) * n_nodes
    return edges


def replace_keys(
    keys: npt.NDArray[np.int64], moved: npt.NDArray[np.int64], new: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Sorted keys without those at `moved`, with `new`: a merge, cheaper than sorting them all."""
    kept = np.delete(keys, moved)
    new = np.sort(new)
    return np.insert(kept, np.searchsorted(kept, new), new)


def canonical_edges(edges: npt.ArrayLike, n_nodes: int) -> npt.NDArray[np.int32]:
    """Give the edges as int32 with u < v, sorted, in an array of their own that is read-only.

    Raises
    ------
    InputError
        If an edge names a node that is not there, is a self-loop or occurs twice.
    """
    given = np.asarray(edges)
    if given.size == 0:
        return read_only(np.empty((0, 2), dtype=np.int32))
    if given.ndim != 2 or given.shape[1] != 2 or not np.issubdtype(given.dtype, np.integer):
        raise InputError(
            f"edges: an array of shape {given.shape} and type {given.dtype}; "
            "give whole numbers of shape (n_edges, 2)"
        )
    if given.min() < 0 or given.max() >= n_nodes:
        bad = int(given.min() if given.min() < 0 else given.max())
        raise InputError(f"edges: node {bad} is not there; nodes are 0 to {n_nodes - 1}")
    pairs = np.array(given, dtype=np.int32)
    keys = edge_keys(pairs, n_nodes)
    if not ((pairs[:, 0] < pairs[:, 1]).all() and (keys[1:] > keys[:-1]).all()):
        pairs.sort(axis=1)
        loops = pairs[:, 0] == pairs[:, 1]
        if loops.any():
            raise InputError(f"edges: self-loop on node {pairs[loops][0, 0]}; remove self-loops")
        keys = np.sort(edge_keys(pairs, n_nodes))
        pairs = keys_to_edges(keys, n_nodes)
        twice = keys[1:] == keys[:-1]
        if twice.any():
            u, v = pairs[1:][twice][0]
            raise InputError(f"edges: {u}-{v} is given twice; give every edge once")
    return read_only(pairs)


def edge_order(edges: npt.ArrayLike, n_nodes: int) -> npt.NDArray[np.intp] | None:
    """Where each edge of `canonical_edges` stood among those given; None where all stay."""
    pairs = np.sort(np.asarray(edges).reshape(-1, 2), axis=1)
    keys = edge_keys(pairs, n_nodes)
    return None if (keys[1:] > keys[:-1]).all() else np.argsort(keys, kind="stable")


def places_of(wanted: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Place of every wanted key among sorted keys, -1 where it is not among them."""
    if not len(keys):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make an array read-only and give it back."""
    array.flags.writeable = False
    return array
