"""To and from networkx, igraph and adjacency matrices; any graph becomes a layered one.

The rules, the same for every source:

- Edges are undirected and simple: direction and weights are ignored, parallel edges (and both
  directions of a pair) become one, self-loops are left out.
- With chosen inputs and outputs, the inputs become the first layer and the outputs the last, each
  in the order given. Every other node goes to a hidden layer by its hop distance from the nearest
  input, in the order of the graph; distances at which there is no hidden node are left out.
- Every output must be reachable from an input. Nodes that no input reaches can have no effect
  and are left out; so are edges between two inputs, whose states are clamped.
- Without them, a node attribute ``layer`` (0, 1, ...) on every node is taken as it stands.

What was left out is counted in the last provenance step.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import igraph
import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.edges import edge_keys, keys_to_edges
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["from_igraph", "from_networkx", "from_sparse", "to_igraph", "to_networkx"]


def to_networkx(g: LayeredGraph) -> nx.Graph:
    """Give a graph as a networkx graph, with a node attribute ``layer``.

    Nodes carry the graph's labels, or their numbers, and come in the order of the numbers;
    provenance is the graph attribute of that name. `from_networkx` gives an equal graph back.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    networkx.Graph
    """
    graph = nx.Graph(provenance=[dict(step) for step in g.provenance])
    names = _labels(g)
    for name, layer in zip(names, g.layers.tolist(), strict=True):
        graph.add_node(name, layer=layer)
    graph.add_edges_from((names[u], names[v]) for u, v in g.edges.tolist())
    return graph


def from_networkx(
    graph: nx.Graph,
    inputs: Iterable[Hashable] | None = None,
    outputs: Iterable[Hashable] | None = None,
) -> LayeredGraph:
    """Make a layered graph of any networkx graph, by the rules of this module.

    Parameters
    ----------
    graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
        Its nodes may be any hashable objects; they become the labels.
    inputs, outputs : iterable of node, optional
        The input and output nodes, in the order in which data meets them. Without both, every
        node must carry an attribute ``layer``.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If an input or output is not a node, occurs twice or is both, there are none, or an
        output cannot be reached from the inputs; without inputs and outputs, if the layers are
        not 0, 1, ... on every node.

    Examples
    --------
    >>> from_networkx(nx.path_graph(5), inputs=[0], outputs=[4]).layer_sizes
    (1, 1, 1, 1, 1)
    """
    names = list(graph.nodes)
    index = {name: i for i, name in enumerate(names)}
    ends = (index[end] for edge in graph.edges() for end in edge)
    pairs = np.fromiter(ends, dtype=np.int64).reshape(-1, 2)
    layers = [graph.nodes[name].get("layer") for name in names]
    provenance = graph.graph.get("provenance", ())
    return _assemble(pairs, names, "from_networkx", inputs, outputs, layers, provenance)


def to_igraph(g: LayeredGraph) -> igraph.Graph:
    """Give a graph as an igraph graph, with a vertex attribute ``layer``.

    Labels, where there are any, become the vertex attribute ``name``; provenance is the graph
    attribute of that name. `from_igraph` gives an equal graph back.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    igraph.Graph
    """
    graph = igraph.Graph(n=g.n_nodes, edges=g.edges)
    graph["provenance"] = [dict(step) for step in g.provenance]
    graph.vs["layer"] = g.layers.tolist()
    if g.labels is not None:
        graph.vs["name"] = list(g.labels)
    return graph


def from_igraph(
    graph: igraph.Graph,
    inputs: Iterable[Hashable] | None = None,
    outputs: Iterable[Hashable] | None = None,
) -> LayeredGraph:
    """Make a layered graph of any igraph graph, by the rules of this module.

    Parameters
    ----------
    graph : igraph.Graph
        Its vertex attribute ``name`` gives the labels, if there is one.
    inputs, outputs : iterable, optional
        The input and output vertices, by name if they have names, else by number, in the order
        in which data meets them. Without both, every vertex must carry an attribute ``layer``.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        As `from_networkx`.
    """
    attributes = graph.vs.attributes()
    names = graph.vs["name"] if "name" in attributes else range(graph.vcount())
    layers = graph.vs["layer"] if "layer" in attributes else [None] * graph.vcount()
    provenance = graph["provenance"] if "provenance" in graph.attributes() else ()
    pairs = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
    return _assemble(pairs, list(names), "from_igraph", inputs, outputs, layers, provenance)


def from_sparse(
    matrix: sparse.sparray | sparse.spmatrix | npt.ArrayLike,
    inputs: Iterable[int] | None = None,
    outputs: Iterable[int] | None = None,
    *,
    layer_sizes: Iterable[int] | None = None,
) -> LayeredGraph:
    """Make a layered graph of an adjacency matrix, by the rules of this module.

    The way back is `LayeredGraph.adjacency`.

    Parameters
    ----------
    matrix : sparse array or array_like, shape (n_nodes, n_nodes)
        There is an edge where an entry on either side of the diagonal is not zero.
    inputs, outputs : iterable of int, optional
        The input and output nodes by row, in the order in which data meets them.
    layer_sizes : iterable of int, optional
        In place of inputs and outputs: the nodes are already in layers of these sizes.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If the matrix is not square, or as `from_networkx`.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> g = layered((3, 2, 1))
    >>> from_sparse(g.adjacency(), layer_sizes=(3, 2, 1)) == g
    True
    """
    entries = sparse.csr_array(matrix).tocoo()  # type: ignore[arg-type]
    if entries.ndim != 2 or entries.shape[0] != entries.shape[1]:
        raise InputError(f"matrix: shape {entries.shape}; give a square adjacency matrix")
    if np.isnan(entries.data).any():
        raise InputError("matrix: nan among its entries; give 0 where there is no edge")
    used = entries.data != 0
    pairs = np.column_stack((entries.row[used], entries.col[used])).astype(np.int64)
    # A matrix may name an edge on both sides of the diagonal: that makes no parallel edges.
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    # It has no attributes either, so layers can only come from the caller.
    layers: Sequence[int | None] = [None] * entries.shape[0]
    if layer_sizes is not None:
        sizes = tuple(layer_sizes)
        if sum(sizes) != entries.shape[0]:
            raise InputError(
                f"layer sizes: {list(sizes)} sum to {sum(sizes)}; the matrix has "
                f"{entries.shape[0]} nodes"
            )
        layers = np.repeat(np.arange(len(sizes)), sizes).tolist()
    return _assemble(pairs, range(entries.shape[0]), "from_sparse", inputs, outputs, layers, ())


def _assemble(
    pairs: npt.NDArray[np.int64],
    names: Sequence[Hashable],
    step_name: str,
    inputs: Iterable[Hashable] | None,
    outputs: Iterable[Hashable] | None,
    given_layers: Sequence[Any],
    provenance: object,
) -> LayeredGraph:
    """Clean the edges, place every node in a layer and number the nodes layer by layer."""
    n_nodes = len(names)
    loops = pairs[:, 0] == pairs[:, 1]
    keys = np.unique(edge_keys(np.sort(pairs[~loops], axis=1), n_nodes))
    simple = keys_to_edges(keys, n_nodes)
    step: dict[str, Any] = {
        "step": step_name,
        "self_loops_left_out": int(loops.sum()),
        "parallel_edges_merged": len(pairs) - int(loops.sum()) - len(simple),
    }
    if inputs is None and outputs is None:
        order = np.argsort(_checked_layers(given_layers), kind="stable")
        sizes = np.bincount(np.asarray(given_layers, dtype=np.int64))
    elif inputs is None or outputs is None:
        raise InputError(f"{'inputs' if inputs is None else 'outputs'}: none; give both or neither")
    else:
        first, last = _find("inputs", inputs, names), _find("outputs", outputs, names)
        both = np.intersect1d(first, last)
        if both.size:
            raise InputError(f"outputs: {names[both[0]]!r} is an input too; choose other outputs")
        clamped = np.isin(simple, first).all(axis=1)
        simple = simple[~clamped]
        order, sizes = _hop_layers(simple, names, first, last)
        step["input_edges_left_out"] = int(clamped.sum())
        step["unreachable_nodes_left_out"] = n_nodes - len(order)
    number = np.full(n_nodes, -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    ends = number[simple]
    edges = ends[(ends >= 0).all(axis=1)].astype(np.int32)
    labels: tuple[Hashable, ...] | None = tuple(names[i] for i in order)
    if labels == tuple(range(len(order))):
        labels = None
    return LayeredGraph(tuple(sizes.tolist()), edges, (*_steps(provenance), step), labels)


def _hop_layers(
    edges: npt.NDArray[np.int32],
    names: Sequence[Hashable],
    inputs: npt.NDArray[np.int64],
    outputs: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Nodes in layer order, hidden ones by hops from the inputs, and the layer sizes."""
    hops = _hops(edges, len(names), inputs)
    lost = outputs[hops[outputs] < 0]
    if lost.size:
        listed = ", ".join(repr(names[i]) for i in lost[:5])
        more = f" and {lost.size - 5} more" if lost.size > 5 else ""
        raise InputError(
            f"outputs: {listed}{more} cannot be reached from the inputs; connect them or choose "
            "other outputs"
        )
    hidden = np.setdiff1d(np.flatnonzero(hops > 0), outputs)
    hidden = hidden[np.argsort(hops[hidden], kind="stable")]
    _, counts = np.unique(hops[hidden], return_counts=True)
    sizes = np.concatenate(([len(inputs)], counts, [len(outputs)]))
    return np.concatenate((inputs, hidden, outputs)), sizes


def _hops(
    edges: npt.NDArray[np.int32], n_nodes: int, sources: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Hop distance of every node from the nearest source, -1 where there is no path."""
    ends = np.concatenate((edges, edges[:, ::-1]))
    neighbours = sparse.csr_array(
        (np.ones(len(ends), dtype=np.int8), ends.T), shape=(n_nodes, n_nodes)
    )
    hops = np.full(n_nodes, -1, dtype=np.int64)
    front, distance = sources, 0
    while front.size:
        hops[front] = distance
        reached = np.unique(neighbours[front].indices).astype(np.int64)
        front, distance = reached[hops[reached] < 0], distance + 1
    return hops


def _find(
    what: str, chosen: Iterable[Hashable], names: Sequence[Hashable]
) -> npt.NDArray[np.int64]:
    index = {name: i for i, name in enumerate(names)}
    wanted = list(chosen)
    for name in wanted:
        if name not in index:
            raise InputError(f"{what}: {name!r} is not a node of the graph; give its nodes by name")
    if not wanted or len(set(wanted)) < len(wanted):
        twice = next((name for name in wanted if wanted.count(name) > 1), None)
        problem = "none" if not wanted else f"{twice!r} is given twice"
        raise InputError(f"{what}: {problem}; give at least one node, each once")
    return np.array([index[name] for name in wanted], dtype=np.int64)


def _checked_layers(layers: Sequence[Any]) -> npt.NDArray[np.int64]:
    whole = all(isinstance(layer, (int, np.integer)) for layer in layers)
    if not whole or set(layers) != set(range(len(set(layers)))):
        raise InputError(
            "inputs: none, and the nodes have no layers 0, 1, ... either; give inputs and outputs"
        )
    return np.asarray(layers, dtype=np.int64)


def _steps(provenance: object) -> list[dict[str, Any]]:
    """Provenance as our own export wrote it; an attribute that only has the name is ignored."""
    if not isinstance(provenance, list):
        return []
    return [dict(step) for step in provenance if isinstance(step, Mapping)]


def _labels(g: LayeredGraph) -> Sequence[Hashable]:
    return range(g.n_nodes) if g.labels is None else g.labels
