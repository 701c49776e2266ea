"""The `random_reference` and `lattice_reference` of networkx, as compiled loops.

They give the graphs that networkx gives for the same seed, edge for edge and in the same order.
networkx builds a flow network to see whether a switch disconnected the graph. Here a search from
both ends of the switched edge tells it, and no matrix holds the distances along the ring.

Two things differ. networkx does not end on graphs in which all edges meet (stars, a triangle); here
they come back as they are. And from a seed that is a generator of NumPy one number is drawn, so
that the graph is another one than networkx's, of the same law.
"""

from __future__ import annotations

import operator
import random
from typing import Any

import networkx as nx
import numba
import numpy as np
import numpy.typing as npt
from networkx.utils import create_py_random_state, cumulative_distribution

from smallworld_eqprop.graphs.core.neighbours import joined, ring_distance

__all__ = ["REFERENCES", "lattice_reference", "random_reference"]

# Random words drawn at a time. A try takes about seven; the kernel stops while so many are left.
WORDS = 1 << 16
SPARE = 1 << 10


def random_reference(
    graph: nx.Graph, niter: int = 1, connectivity: bool = True, seed: Any = None
) -> nx.Graph:
    """Switch edges at random: `niter` switches per edge, as in networkx."""
    return _reference(graph, niter, connectivity, seed, nearer=False)


def lattice_reference(
    graph: nx.Graph,
    niter: int = 5,
    D: None = None,
    connectivity: bool = True,
    seed: Any = None,
) -> nx.Graph:
    """Switch edges as networkx does to make a graph like a lattice, on the ring of its nodes."""
    del D
    return _reference(graph, niter, connectivity, seed, nearer=True)


#: By networkx's names. They take networkx's arguments, for `D` only None.
REFERENCES: dict[str, Any] = {
    "lattice_reference": lattice_reference,
    "random_reference": random_reference,
}


def _reference(
    graph: nx.Graph, niter: int, connectivity: bool, seed: Any, *, nearer: bool
) -> nx.Graph:
    n_nodes, n_edges = len(graph), graph.number_of_edges()
    if n_nodes < 4:
        raise nx.NetworkXError("Graph has fewer than four nodes.")
    if n_edges < 2:
        raise nx.NetworkXError("Graph has fewer that 2 edges")
    state = create_py_random_state(seed)
    if type(state) is not random.Random:
        state = random.Random(state.randrange(1 << 32))
    switches = operator.index(niter * n_edges)
    tries = int(n_nodes * n_edges / (n_nodes * (n_nodes - 1) / 2))
    # A copy first: it may order neighbours in another way, and every draw depends on that.
    result = graph.copy()
    nodes = list(result)
    number = {node: i for i, node in enumerate(nodes)}
    degrees = np.array([degree for _, degree in result.degree()])
    if not tries or not _has_disjoint_edges(degrees, n_edges):
        return result
    starts = np.concatenate(([0], np.cumsum(degrees)))
    others = np.array([number[other] for node in nodes for other in result[node]])
    # When each edge was put where it is; 0 for those that never moved.
    stamps = np.zeros(len(others), dtype=np.int64)
    shares = np.array(cumulative_distribution(degrees.tolist()))
    marks = np.zeros(n_nodes, dtype=np.int64)
    queues = np.empty((2, n_nodes), dtype=np.int64)
    # Switches done, tries at the present one, edges placed so far.
    progress = np.zeros(3, dtype=np.int64)
    while progress[0] < switches:
        before = state.getstate()
        words = np.frombuffer(state.getrandbits(32 * WORDS).to_bytes(4 * WORDS, "little"), "<u4")
        used = _switch(
            words, progress, switches, tries, starts, others, stamps, shares,
            marks, queues, bool(connectivity), nearer,
        )  # fmt: skip
        # What was not used is drawn again, by the next block or by whoever owns the generator.
        state.setstate(before)
        state.getrandbits(32 * used)
    owners = np.repeat(np.arange(n_nodes), degrees)
    moved = np.flatnonzero((stamps > 0) & (owners < others))
    moved = moved[np.argsort(stamps[moved])]
    kept = {(u, v) for u, v in zip(owners[stamps == 0], others[stamps == 0], strict=True)}
    result.remove_edges_from(
        [(u, v) for u, v in result.edges() if (number[u], number[v]) not in kept]
    )
    result.add_edges_from((nodes[owners[at]], nodes[others[at]]) for at in moved)
    return result


def _has_disjoint_edges(degrees: npt.NDArray[np.int64], n_edges: int) -> bool:
    """Tell whether two edges have no node in common: not in a star, nor in a triangle."""
    triangle = n_edges == 3 and np.count_nonzero(degrees == 2) == 3
    return bool(degrees.max() < n_edges and not triangle)


@numba.njit(nogil=True, cache=True)
def _switch(  # type: ignore[no-untyped-def]
    words, progress, switches, tries, starts, others, stamps, shares,
    marks, queues, connected, nearer,
):  # fmt: skip
    """Continue until all switches are done or the words run out; give how many were used."""
    n_nodes = len(marks)
    at = 0
    while progress[0] < switches and at < len(words) - SPARE:
        # As random.random and random.choice of Python turn words into numbers.
        a = _drawn_node(words[at], words[at + 1], shares)
        c = _drawn_node(words[at + 2], words[at + 3], shares)
        at += 4
        if a == c:
            continue
        place, at = _below(starts[a + 1] - starts[a], words, at)
        b = others[starts[a] + place]
        place, at = _below(starts[c + 1] - starts[c], words, at)
        d = others[starts[c] + place]
        if b in (c, d) or d == a:
            continue
        if not joined(starts, others, a, d) and not joined(starts, others, c, b):
            # networkx compares with a-c and b-d here, not with the edges to be.
            wanted = not nearer or (
                ring_distance(a, b, n_nodes) + ring_distance(c, d, n_nodes)
                >= ring_distance(a, c, n_nodes) + ring_distance(b, d, n_nodes)
            )
            if wanted:
                _exchange(a, b, c, d, progress, starts, others, stamps)
                if not connected or _reaches(a, b, progress[2], starts, others, marks, queues):
                    progress[0] += 1
                    progress[1] = 0
                    continue
                _exchange(a, d, c, b, progress, starts, others, stamps)
        progress[1] += 1
        if progress[1] >= tries:
            progress[0] += 1
            progress[1] = 0
    return at


@numba.njit(nogil=True, cache=True)
def _drawn_node(high, low, shares):  # type: ignore[no-untyped-def]
    """Node drawn by degree: the last whose cumulative share is below a uniform number."""
    uniform = ((high >> 5) * 67108864.0 + (low >> 6)) * (1.0 / 9007199254740992.0)
    return max(np.searchsorted(shares, uniform) - 1, 0)


@numba.njit(nogil=True, cache=True)
def _below(number, words, at):  # type: ignore[no-untyped-def]
    """Uniform number below another one, and the place of the next word."""
    bits = 0
    while number >> bits:
        bits += 1
    drawn = number
    while drawn >= number:
        drawn = np.int64(words[at]) >> (32 - bits)
        at += 1
    return drawn, at


@numba.njit(nogil=True, cache=True)
def _exchange(a, b, c, d, progress, starts, others, stamps):  # type: ignore[no-untyped-def]
    """Make a-d and c-b of a-b and c-d."""
    stamp = progress[2] + 1
    progress[2] += 2
    _replace(a, b, d, stamp, starts, others, stamps)
    _replace(d, c, a, stamp, starts, others, stamps)
    _replace(c, d, b, stamp + 1, starts, others, stamps)
    _replace(b, a, c, stamp + 1, starts, others, stamps)


@numba.njit(nogil=True, cache=True)
def _replace(node, old, new, stamp, starts, others, stamps):  # type: ignore[no-untyped-def]
    """Take a neighbour out of a row and put another one at its end, as a dict does."""
    slot = starts[node]
    while others[slot] != old:
        slot += 1
    for later in range(slot, starts[node + 1] - 1):
        others[later], stamps[later] = others[later + 1], stamps[later + 1]
    others[starts[node + 1] - 1], stamps[starts[node + 1] - 1] = new, stamp


@numba.njit(nogil=True, cache=True)
def _reaches(a, b, mark, starts, others, marks, queues):  # type: ignore[no-untyped-def]
    """Tell whether there is a path, searching from the end of which fewer nodes are known.

    `mark` and `mark` + 1 are numbers that no earlier search left in `marks`.
    """
    marks[a], marks[b] = mark, mark + 1
    queues[0, 0], queues[1, 0] = a, b
    found_a, found_b, done_a, done_b = 1, 1, 0, 0
    while done_a < found_a and done_b < found_b:
        from_a = found_a <= found_b
        own, theirs = (mark, mark + 1) if from_a else (mark + 1, mark)
        node = queues[0, done_a] if from_a else queues[1, done_b]
        for slot in range(starts[node], starts[node + 1]):
            other = others[slot]
            if marks[other] == theirs:
                return True
            if marks[other] != own:
                marks[other] = own
                if from_a:
                    queues[0, found_a] = other
                    found_a += 1
                else:
                    queues[1, found_b] = other
                    found_b += 1
        if from_a:
            done_a += 1
        else:
            done_b += 1
    return False
