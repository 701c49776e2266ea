"""To and from networkx, igraph and adjacency matrices; any graph becomes a layered one.

What is an edge and a weight, how graphs are made undirected and how nodes get layers is the same
for every source: see `smallworld_eqprop.graphs.convert.outside`. Attributes of edges and nodes that
are numbers, text, or True and False become the data of the graph; node attributes ``x``, ``y`` and
``z`` become ``position``. Others are left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.choice import Choice
from smallworld_eqprop.graphs.convert.columns import columns, plain, with_position
from smallworld_eqprop.graphs.convert.labels import plain_label
from smallworld_eqprop.graphs.convert.outside import Outside, layered_from, of_matrix
from smallworld_eqprop.graphs.convert.provenance import written_steps
from smallworld_eqprop.graphs.core.arguments import Symmetrise, checked_labels
from smallworld_eqprop.graphs.core.graph import LayeredGraph

if TYPE_CHECKING:
    import igraph

__all__ = [
    "from_igraph",
    "from_networkx",
    "from_sparse",
    "networkx_parts",
    "to_igraph",
    "to_networkx",
]


def to_networkx(g: LayeredGraph) -> nx.Graph:
    """Give a graph as a networkx graph, with a node attribute ``layer``.

    Nodes carry the graph's labels, or their numbers, and come in the order of the numbers;
    provenance is the graph attribute of that name, as JSON, so that every writer of networkx can
    write it. Data become attributes, ``position`` becomes ``x``, ``y`` and ``z``; where there is no
    value there is no attribute. `from_networkx` gives an equal graph back, but for edges whose
    weight is 0.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If a label is None, which networkx does not take as a node.
    """
    graph = nx.Graph(provenance=written_steps(g))
    names = _labels(g)
    if any(name is None for name in names):
        raise InputError("labels: None is not a node of a networkx graph; relabel the node")
    for name, layer in zip(names, g.layers.tolist(), strict=True):
        graph.add_node(name, layer=layer)
    graph.add_edges_from((names[u], names[v]) for u, v in g.edges.tolist())
    for key, values in plain(g.node_data).items():
        for name, value in zip(names, values, strict=True):
            if value is not None:
                graph.nodes[name][key] = value
    for key, values in plain(g.edge_data).items():
        for (u, v), value in zip(g.edges.tolist(), values, strict=True):
            if value is not None:
                graph.edges[names[u], names[v]][key] = value
    return graph


def from_networkx(
    graph: nx.Graph,
    inputs: Choice = None,
    outputs: Choice = None,
    *,
    symmetrise: Symmetrise = "max",
) -> LayeredGraph:
    """Make a layered graph of any networkx graph, by the rules of this module.

    Parameters
    ----------
    graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
        Its nodes may be any hashable objects; they become the labels.
    inputs, outputs : iterable of node, one node, or str, optional
        The input and output nodes, in the order in which data meets them, or ``"name=value"``, such
        as ``"role=sensory"``, for the nodes with that attribute. Without both, every node must
        carry an attribute ``layer``.
    symmetrise : {"max", "mean", "or"}, optional
        How a directed graph becomes an undirected one: of the two directions the larger absolute
        weight, their mean, or an edge without weight where there is one in either. See
        `smallworld_eqprop.graphs.convert.outside`.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If it is no networkx graph, an input or output is not a node, occurs twice or is both,
        there are none, or an output cannot be reached from the inputs; without inputs and outputs,
        if the layers are not 0, 1, ... on every node; if a weight is no finite number.

    Examples
    --------
    >>> from_networkx(nx.path_graph(5), inputs=0, outputs=4).layer_sizes
    (1, 1, 1, 1, 1)
    """
    if not isinstance(graph, nx.Graph):
        raise InputError(
            f"graph: a {type(graph).__name__}; give a networkx graph, or use from_igraph, "
            "from_sparse or read_graph"
        )
    return layered_from(networkx_parts(graph, "from_networkx"), inputs, outputs, symmetrise)


def networkx_parts(graph: nx.Graph, step: str) -> Outside:
    """A networkx graph as it came."""
    names = list(graph.nodes)
    index = {name: i for i, name in enumerate(names)}
    ends = (index[end] for edge in graph.edges() for end in edge)
    pairs = np.fromiter(ends, dtype=np.int64).reshape(-1, 2)
    edge_data = columns([data for _, _, data in graph.edges(data=True)])
    nodes = [graph.nodes[name] for name in names]
    return Outside(
        step,
        names,
        pairs,
        graph.is_directed(),
        edge_data,
        _node_columns(nodes),
        [node.get("layer") for node in nodes],
        graph.graph.get("provenance", ()),
    )


def to_igraph(g: LayeredGraph) -> igraph.Graph:
    """Give a graph as an igraph graph, with a vertex attribute ``layer``.

    Labels, where there are any, become the vertex attribute ``name``; provenance is the graph
    attribute of that name, as JSON. Data become attributes, ``position`` becomes ``x``, ``y`` and
    ``z``; None stands for no value. `from_igraph` gives an equal graph back, but for edges whose
    weight is 0.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    igraph.Graph
    """
    # Imported here: it is slow to import, and few need it.
    import igraph

    graph = igraph.Graph(n=g.n_nodes, edges=g.edges)
    graph["provenance"] = written_steps(g)
    graph.vs["layer"] = g.layers.tolist()
    if g.labels is not None:
        # A numpy scalar is neither number nor text to the writers of igraph.
        graph.vs["name"] = list(map(plain_label, g.labels))
    for key, values in plain(g.node_data).items():
        graph.vs[key] = values
    for key, values in plain(g.edge_data).items():
        graph.es[key] = values
    return graph


def from_igraph(
    graph: igraph.Graph,
    inputs: Choice = None,
    outputs: Choice = None,
    *,
    symmetrise: Symmetrise = "max",
) -> LayeredGraph:
    """Make a layered graph of any igraph graph, by the rules of this module.

    Parameters
    ----------
    graph : igraph.Graph
        Its vertex attribute ``name`` gives the labels, if there is one.
    inputs, outputs : iterable, one vertex, or str, optional
        The input and output vertices, by name if they have names, else by number, in the order
        in which data meets them, or ``"name=value"``, as in `from_networkx`. Without both, every
        vertex must carry an attribute ``layer``.
    symmetrise : {"max", "mean", "or"}, optional
        As in `from_networkx`.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        As `from_networkx`.
    """
    import igraph

    if not isinstance(graph, igraph.Graph):
        raise InputError(
            f"graph: a {type(graph).__name__}; give an igraph graph, or use from_networkx, "
            "from_sparse or read_graph"
        )
    attributes = graph.vs.attributes()
    names: Sequence[Hashable] = range(graph.vcount())
    if "name" in attributes:
        names = checked_labels(graph.vs["name"], graph.vcount())
    pairs = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
    edges: list[Mapping[str, Any]] = []
    if graph.es.attributes():
        edges = [edge.attributes() for edge in graph.es]
    nodes = [vertex.attributes() for vertex in graph.vs]
    source = Outside(
        "from_igraph",
        names,
        pairs,
        graph.is_directed(),
        columns(edges),
        _node_columns([{k: v for k, v in node.items() if k != "name"} for node in nodes]),
        [node.get("layer") for node in nodes],
        graph["provenance"] if "provenance" in graph.attributes() else (),
    )
    return layered_from(source, inputs, outputs, symmetrise)


def from_sparse(
    matrix: sparse.sparray | sparse.spmatrix | npt.ArrayLike,
    inputs: Choice = None,
    outputs: Choice = None,
    *,
    layer_sizes: Iterable[int] | None = None,
    symmetrise: Symmetrise = "max",
) -> LayeredGraph:
    """Make a layered graph of an adjacency matrix, by the rules of this module.

    The way back is `LayeredGraph.adjacency`, or ``adjacency("weight")``.

    Parameters
    ----------
    matrix : sparse array, array_like or DataFrame, shape (n_nodes, n_nodes)
        There is an edge where an entry on either side of the diagonal is not zero. Entries are
        weights, unless all are 0 and 1. The labels of a DataFrame are those of the nodes.
    inputs, outputs : iterable of int, or int, optional
        The input and output nodes by row or label, in the order in which data meets them.
    layer_sizes : iterable of int, optional
        In place of inputs and outputs: the nodes are already in layers of these sizes.
    symmetrise : {"max", "mean", "or"}, optional
        As in `from_networkx`, of a matrix that is neither symmetric nor triangular.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If the matrix is not square, an entry is not finite, or as `from_networkx`.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> g = layered((3, 2, 1))
    >>> from_sparse(g.adjacency(), layer_sizes=(3, 2, 1)) == g
    True
    """
    names = None
    frame: Any = matrix
    if hasattr(frame, "columns"):
        names = list(frame.index)
        if names != list(frame.columns):
            raise InputError("matrix: its rows and columns have different labels; give the same")
        matrix = frame.to_numpy()
    source = of_matrix(matrix, "from_sparse", names)
    # It has no attributes, so layers can only come from the caller.
    if layer_sizes is None:
        return layered_from(source, inputs, outputs, symmetrise)
    sizes = tuple(layer_sizes)
    if sum(sizes) != len(source.names):
        raise InputError(
            f"layer sizes: {list(sizes)} sum to {sum(sizes)}; the matrix has "
            f"{len(source.names)} nodes"
        )
    layers = np.repeat(np.arange(len(sizes)), sizes).tolist()
    source = Outside(
        source.step, source.names, source.pairs, source.directed, source.edge_data, {}, layers
    )
    return layered_from(source, inputs, outputs, symmetrise)


def _node_columns(nodes: Sequence[Mapping[str, Any]]) -> dict[str, npt.NDArray]:
    found = with_position(columns(nodes))
    found.pop("layer", None)
    return found


def _labels(g: LayeredGraph) -> Sequence[Hashable]:
    return range(g.n_nodes) if g.labels is None else g.labels
