"""Networks with one hidden layer, whose nodes are joined by a law of network science."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.arguments import (
    Seed,
    checked_count,
    checked_share,
    checked_sizes,
    require_edges,
    seeded,
)
from smallworld_eqprop.graphs.core.draws import draw_pairs, draw_places, pairs_at
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.memory import require_memory

__all__ = ["Law", "hidden_graph"]

#: How hidden nodes are joined.
Law = Literal["random", "lattice", "watts-strogatz", "scale-free", "modular"]

# Of an edge in networkx, or in two sets of neighbours.
BYTES_PER_OBJECT = 300


def hidden_graph(
    inputs: int,
    hidden: int,
    outputs: int,
    edges: int,
    law: Law,
    *,
    p: float = 0.1,
    modules: int = 5,
    entry: int | None = None,
    exits: int | None = None,
    seed: Seed = None,
) -> LayeredGraph:
    r"""Join hidden nodes by a law, and inputs and outputs to some of them.

    The graph has :math:`n_{in} n_{entry} + m + n_{exits} n_{out}` edges, whatever the law, where
    m is `edges`. No edge joins an input and an output.

    Parameters
    ----------
    inputs, hidden, outputs : int
        Number of nodes of the three layers, at least 2 of them hidden.
    edges : int
        Number of edges between hidden nodes.
    law : {"random", "lattice", "watts-strogatz", "scale-free", "modular"}
        ``"random"``: places drawn uniformly. ``"lattice"``: a ring, in which every node is joined
        to its nearest neighbours; of the longest edges some are left out at random where not all
        fit. ``"watts-strogatz"``: the edges of that ring, each moved with probability p: it keeps
        one end, the other goes to a node drawn uniformly among those not joined to the kept end.
        ``"scale-free"``: Barabasi and Albert's preferential attachment, from a complete graph of
        m + 1 nodes, with the smallest m that gives enough edges; surplus edges are removed at
        random. ``"modular"``: groups of equal size, a share p of the edges between groups, the
        others within groups, at places drawn uniformly.
    p : float
        Used by ``"watts-strogatz"`` and ``"modular"``.
    modules : int
        Number of groups, used by ``"modular"``; it divides `hidden`.
    entry, exits : int, optional
        Every input is joined to the same `entry` hidden nodes, and every output to the same
        `exits` hidden nodes; a fifth of the hidden nodes when left out. On a ring they are two
        arcs opposite each other. In groups they are the first and the last nodes. Otherwise they
        are drawn, without overlap where the number of hidden nodes allows it.
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.

    Returns
    -------
    LayeredGraph
        Of three layers. Hidden nodes are numbered along the ring, or group after group.

    Raises
    ------
    InputError
        If there is no such law, `edges` are fewer than join all hidden nodes or more than their
        pairs, p is not in [0, 1], `modules` does not divide `hidden`, the edges do not fit within
        or between the groups at this p, or `entry` or `exits` is no number of hidden nodes.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393:440 (1998),
    doi:10.1038/30918. Barabasi and Albert, "Emergence of scaling in random networks", Science
    286:509 (1999), doi:10.1126/science.286.5439.509.

    Examples
    --------
    >>> hidden_graph(4, 10, 2, 20, "lattice", seed=0).n_edges
    32
    """
    if law not in get_args(Law):
        raise InputError(f"law: {law!r}; {nearest(law, get_args(Law))}")
    sizes = checked_sizes((inputs, hidden, outputs))
    inputs, hidden, outputs = sizes
    if hidden < 2:
        raise InputError(f"hidden: {hidden}; give at least 2 nodes")
    pairs = hidden * (hidden - 1) // 2
    told = f"of which the least join all {hidden} hidden nodes and the most are all pairs of them"
    edges = checked_count("edges", edges, pairs, told, least=hidden - 1)
    p = checked_share("p", p)
    told = "the number of hidden nodes"
    fifth = max(hidden // 5, 1)
    entry = checked_count("entry", fifth if entry is None else entry, hidden, told, least=1)
    exits = checked_count("exits", fifth if exits is None else exits, hidden, told, least=1)
    require_edges(f"edges: {edges}, all", inputs * entry + edges + exits * outputs)
    rng, recorded = seeded(seed)
    if law in ("watts-strogatz", "scale-free"):
        require_memory(edges * BYTES_PER_OBJECT, f"edges: {edges}, {law}", "give fewer edges")
    if law == "random":
        joined = draw_pairs(hidden, edges, rng)
    elif law == "scale-free":
        joined = _scale_free(hidden, edges, rng)
    elif law == "modular":
        joined = _modular(hidden, edges, p, modules, rng)
    else:
        joined = _ring(hidden, edges, rng)
        if law == "watts-strogatz":
            joined = _rewired(joined, hidden, p, rng)
    first, last = _ends(law, hidden, entry, exits, rng)
    into, inner, out = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    blocks = (
        np.column_stack((np.repeat(into, entry), np.tile(inner[first], inputs))),
        inner[joined],
        np.column_stack((np.tile(inner[last], outputs), np.repeat(out, exits))),
    )
    step = {
        "step": "hidden_graph",
        "sizes": list(sizes),
        "law": law,
        "edges": edges,
        "p": p if law in ("watts-strogatz", "modular") else None,
        "modules": modules if law == "modular" else None,
        "entry": entry,
        "exits": exits,
        "seed": recorded,
    }
    return LayeredGraph(sizes, np.concatenate(blocks), (step,))


def _ring(hidden: int, edges: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The shortest edges of a ring, from short to long; shape (edges, 2)."""
    longest = -(-edges // hidden)
    # Nodes that lie opposite each other are one pair, not two.
    places = hidden // 2 if 2 * longest == hidden else hidden
    left = edges - hidden * (longest - 1)
    starts = [np.arange(hidden)] * (longest - 1) + [np.sort(draw_places(places, left, rng))]
    distances = np.repeat(np.arange(1, longest + 1), [len(each) for each in starts])
    start = np.concatenate(starts)
    return np.column_stack((start, (start + distances) % hidden))


def _rewired(
    ring: npt.NDArray[np.int64], hidden: int, p: float, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Edges of a ring, moved one after the other as Watts and Strogatz do."""
    neighbours: list[set[int]] = [set() for _ in range(hidden)]
    for u, v in ring.tolist():
        neighbours[u].add(v)
        neighbours[v].add(u)
    moved = ring.copy()
    for edge in np.flatnonzero(rng.random(len(ring)) < p).tolist():
        u, v = ring[edge].tolist()
        if len(neighbours[u]) == hidden - 1:
            continue
        new = u
        while new == u or new in neighbours[u]:
            new = int(rng.integers(hidden))
        neighbours[u].remove(v)
        neighbours[v].remove(u)
        neighbours[u].add(new)
        neighbours[new].add(u)
        moved[edge, 1] = new
    return moved


def _scale_free(hidden: int, edges: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Edges of preferential attachment, the surplus removed at random; shape (edges, 2)."""
    import networkx as nx  # takes longer to import than all other generators

    each = next(m for m in range(1, hidden) if m * hidden - m * (m + 1) // 2 >= edges)
    # networkx starts from a star by default, which cannot give more than half of all pairs.
    start = nx.complete_graph(each + 1)
    number = int(rng.integers(2**32))
    drawn = nx.barabasi_albert_graph(hidden, each, seed=number, initial_graph=start)
    kept = draw_places(drawn.number_of_edges(), edges, rng)
    return np.array(drawn.edges, dtype=np.int64)[np.sort(kept)]


def _modular(
    hidden: int, edges: int, p: float, modules: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Edges within and between groups; shape (edges, 2)."""
    modules = checked_count("modules", modules, hidden, "the number of hidden nodes", least=1)
    size, rest = divmod(hidden, modules)
    if rest:
        raise InputError(f"modules: {modules}; give a number that divides {hidden} hidden nodes")
    inside = size * (size - 1) // 2
    n_within, n_between = modules * inside, modules * (modules - 1) // 2 * size**2
    between = round(p * edges)
    within = edges - between
    if within > n_within:
        least = math.ceil(1000 * (edges - n_within) / edges) / 1000
        raise InputError(
            f"p: {p:.4g}; {within} edges within {modules} groups, which have {n_within} places; "
            f"give p of at least {least:g}, or fewer modules"
        )
    if between > n_between:
        most = math.floor(1000 * n_between / edges) / 1000
        raise InputError(
            f"p: {p:.4g}; {between} edges between {modules} groups, which have {n_between} places; "
            f"give p of at most {most:g}, or more modules"
        )
    group, place = np.divmod(draw_places(n_within, within, rng), max(inside, 1))
    pair, ends = np.divmod(draw_places(n_between, between, rng), size**2)
    return np.concatenate(
        (
            size * group[:, None] + pairs_at(size, place),
            size * pairs_at(modules, pair) + np.column_stack(np.divmod(ends, size)),
        )
    )


def _ends(
    law: Law, hidden: int, entry: int, exits: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Hidden nodes that are joined to the inputs, and those joined to the outputs."""
    nodes = np.arange(hidden)
    if law in ("random", "scale-free"):
        nodes = rng.permutation(hidden)
    elif law != "modular":
        # The middle of one arc lies opposite that of the other.
        opposite = (hidden + entry - exits) // 2
        return nodes[:entry], (opposite + nodes[:exits]) % hidden
    return nodes[:entry], nodes[hidden - exits :]
