"""A graph that a chip has, as a network: nodes that are missing, inputs and outputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.arguments import Seed, checked_share, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.parts import Positive, check_type

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Placing", "chip_graph"]

#: Where inputs and outputs are.
Placing = Literal["spread", "sides"]

# Largest share of the inputs that may have no edge.
IDLE = 0.1
SPREAD = "placing = 'spread'"


def chip_graph(
    lattice: nx.Graph,
    inputs: int,
    outputs: int,
    *,
    placing: Placing = "spread",
    missing: float = 0.0,
    seed: Seed = None,
) -> LayeredGraph:
    """Make a network of the graph of a chip: choose inputs and outputs, and leave nodes out.

    Nodes that are missing are left out first, and then all but the largest connected part. Inputs
    and outputs are chosen among what is left. A node that reaches no output without passing an
    input, whose state is clamped, cannot be corrected and is left out too, as are edges between
    inputs. Hidden layers are hops from the inputs, as for every graph from elsewhere.

    Parameters
    ----------
    lattice : networkx.Graph
        Every node has a position ``x``, ``y``; such as `kings_graph` and `pegasus_graph`.
    inputs, outputs : int
        Number of input and output nodes.
    placing : {"spread", "sides"}
        ``"spread"``: one after the other, outputs first, as far as possible from those chosen
        before. ``"sides"``: the inputs on the left side, the outputs on the right side. Either way
        both are numbered row by row, in rows about as long as there are rows, so that pixels that
        are near in an image are near on the chip.
    missing : float
        Share of the nodes that do not work, drawn at random.
    seed : int or numpy.random.Generator, optional
        Draws them. Without one, a seed is drawn, and recorded in the provenance.

    Returns
    -------
    LayeredGraph
        Its labels are the nodes of the lattice. Its provenance counts what was left out, and the
        inputs that join no node that is left, as ``idle_inputs``.

    Raises
    ------
    InputError
        If there is no such placing, `missing` is no share, a node has no position, there are too
        few nodes, or more than a tenth of the inputs join no node that is left.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.chip_lattices import kings_graph
    >>> chip_graph(kings_graph(4), 2, 1, placing="sides", seed=0).layer_sizes
    (2, 4, 6, 3, 1)
    """
    if placing not in get_args(Placing):
        raise InputError(f"placing: {placing!r}; {nearest(str(placing), get_args(Placing))}")
    for name, count in (("inputs", inputs), ("outputs", outputs)):
        check_type(name, count, Positive)
    missing = checked_share("missing", missing)
    rng, recorded = seeded(seed)
    nodes = list(lattice)
    working = np.ones(len(nodes), dtype=np.bool_)
    working[rng.permutation(len(nodes))[: round(missing * len(nodes))]] = False
    places = _places(lattice, nodes)
    import networkx as nx  # takes longer to import than all specs of topologies

    edges = nx.to_scipy_sparse_array(lattice, weight=None, dtype=np.int8)
    left = _reached(edges, working)
    if inputs + outputs > left.sum():
        raise InputError(
            f"inputs: {inputs}, with {outputs} outputs; only {left.sum()} nodes of the chip are "
            "working and connected"
        )
    first, last = _terminals(np.flatnonzero(left), places, inputs, outputs, placing)
    free = left.copy()
    free[first] = False
    corrected = _reached(edges, free, last)
    idle = int((edges[first] @ corrected.astype(np.int8) == 0).sum())
    if idle > IDLE * inputs:
        raise InputError(
            f"inputs: {inputs}, of which {idle} join no node that reaches an output; give fewer, "
            f"or {'a larger chip' if placing == 'spread' else SPREAD}"
        )
    kept = corrected.copy()
    kept[first] = True
    rows, columns = edges.nonzero()
    there = kept[rows] & kept[columns]
    ends = rows[there], columns[there]
    matrix = sparse.coo_array((np.ones(there.sum(), dtype=np.int8), ends), shape=edges.shape)
    graph = LayeredGraph.from_sparse(matrix, first, last)
    numbers = np.arange(len(nodes)) if graph.labels is None else np.array(graph.labels)
    step = {
        "step": "chip_graph",
        "placing": placing,
        "seed": recorded,
        "missing": int((~working).sum()),
        "disconnected_left_out": int((working & ~left).sum()),
        "cut_off_left_out": int((free & ~corrected).sum()),
        "idle_inputs": idle,
    }
    return replace(
        graph,
        provenance=(step,),
        labels=tuple(nodes[i] for i in numbers),
        node_data={"position": places[numbers]},
    )


def _reached(
    edges: sparse.csr_array,
    among: npt.NDArray[np.bool_],
    sources: npt.NDArray[np.intp] | None = None,
) -> npt.NDArray[np.bool_]:
    """The nodes among some that are connected with the sources, or else the most that are."""
    from scipy.sparse.csgraph import connected_components

    numbers = np.flatnonzero(among)
    _, part = connected_components(edges[numbers][:, numbers], directed=False)
    if sources is None:
        joined = part == np.bincount(part, minlength=1).argmax()
    else:
        joined = np.isin(part, part[np.searchsorted(numbers, sources)])
    found = np.zeros_like(among)
    found[numbers[joined]] = True
    return found


def _places(lattice: nx.Graph, nodes: list[Any]) -> npt.NDArray[np.float64]:
    try:
        return np.array([[lattice.nodes[node][axis] for axis in "xy"] for node in nodes], float)
    except (KeyError, TypeError, ValueError):
        raise InputError("lattice: a node has no numbers x and y; give every node both") from None


def _terminals(
    nodes: npt.NDArray[np.intp],
    places: npt.NDArray[np.float64],
    inputs: int,
    outputs: int,
    placing: Placing,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Inputs and outputs, chosen among some nodes."""
    if placing == "sides":
        order = nodes[np.lexsort((-places[nodes, 1], places[nodes, 0]))]
        first, last = order[:inputs], order[len(nodes) - outputs :]
    else:
        spread = nodes[_far_apart(places[nodes], inputs + outputs)]
        first, last = spread[outputs:], spread[:outputs]
    return _row_by_row(places, first), _row_by_row(places, last)


def _far_apart(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Nodes one after the other, each as far as possible from those before, from the middle on."""
    far = np.square(places - places.mean(axis=0)).sum(axis=1)
    chosen = [int(far.argmin())]
    nearest_chosen = np.full(len(places), np.inf)
    while len(chosen) < count:
        far = np.square(places - places[chosen[-1]]).sum(axis=1)
        nearest_chosen = np.minimum(nearest_chosen, far)
        # Two nodes may be at one place.
        nearest_chosen[chosen[-1]] = -1
        chosen.append(int(nearest_chosen.argmax()))
    return np.array(chosen)


def _row_by_row(
    places: npt.NDArray[np.float64], chosen: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """These nodes from top to bottom, in rows from left to right."""
    downward = chosen[np.lexsort((places[chosen, 0], -places[chosen, 1]))]
    rows = np.array_split(downward, max(round(np.sqrt(len(downward))), 1))
    return np.concatenate([row[np.argsort(places[row, 0], kind="stable")] for row in rows])
