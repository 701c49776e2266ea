"""Uniform draws of places and of node pairs, without listing them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["draw_pairs", "draw_places", "pairs_at"]


def draw_places(n_places: int, number: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw distinct numbers below `n_places` uniformly."""
    return rng.choice(n_places, size=number, replace=False, shuffle=False)


def draw_pairs(n_nodes: int, number: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw distinct node pairs uniformly; shape (number, 2)."""
    return pairs_at(n_nodes, draw_places(n_nodes * (n_nodes - 1) // 2, number, rng))


def pairs_at(n_nodes: int, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Pairs of nodes by their numbers, which run from 0 to all pairs; shape (len(places), 2)."""
    # Pairs are numbered without gaps: node i of an odd ring with each of the half next to it, and,
    # where the number of nodes is even, with the one node that is not on the ring.
    odd = n_nodes - 1 + n_nodes % 2
    half = (odd - 1) // 2
    i, step = np.divmod(places, max(n_nodes // 2, 1))
    return np.column_stack((i, np.where(step < half, (i + 1 + step) % max(odd, 1), n_nodes - 1)))
