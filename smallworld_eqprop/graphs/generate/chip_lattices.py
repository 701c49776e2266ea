"""Which nodes are joined on a chip: lattices, and D-Wave's Chimera, Pegasus and Zephyr.

Graphs of networkx, whose nodes are numbers, those of D-Wave for its graphs, and have a position
``x``, ``y`` in units of the pitch: a node takes one unit of area.
`smallworld_eqprop.graphs.generate.chip_graph` chooses inputs and outputs.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.memory import require_memory

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["chimera_graph", "kings_graph", "pegasus_graph", "square_lattice", "zephyr_graph"]

#: Of a node with its position and edges in networkx.
BYTES_PER_NODE = 1000


def square_lattice(rows: int, columns: int | None = None) -> nx.Graph:
    """Join every node of a grid to its four neighbours.

    Parameters
    ----------
    rows : int
    columns : int, optional
        As many as rows when left out.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If there is no row or no column.

    Examples
    --------
    >>> square_lattice(3).number_of_edges()
    12
    """
    import networkx as nx  # takes longer to import than all specs of topologies

    rows, columns = _rows_and_columns(rows, columns)
    _require_nodes(rows * columns)
    graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns))
    for node, place in graph.nodes.items():
        place["x"], place["y"] = float(node % columns), -float(node // columns)
    return graph


def kings_graph(rows: int, columns: int | None = None) -> nx.Graph:
    """Join every node of a grid to its eight neighbours, as a king moves on a chessboard.

    Parameters
    ----------
    rows : int
    columns : int, optional
        As many as rows when left out.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If there is no row or no column.

    Examples
    --------
    >>> kings_graph(3).number_of_edges()
    20
    """
    graph = square_lattice(rows, columns)
    rows, columns = _rows_and_columns(rows, columns)
    for row in range(rows - 1):
        for left in range(row * columns, (row + 1) * columns - 1):
            graph.add_edge(left, left + columns + 1)
            graph.add_edge(left + 1, left + columns)
    return graph


def chimera_graph(rows: int, columns: int | None = None, shore: int = 4) -> nx.Graph:
    """Make the graph of D-Wave's 2X and 2000Q: cells of two times four nodes, up to six edges each.

    Needs dwave-networkx, the extra ``hardware``, as the two below.

    Parameters
    ----------
    rows : int
        Of cells; a 2000Q has 16.
    columns : int, optional
        As many as rows when left out.
    shore : int
        Nodes on either side of a cell.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If a size is below 1, or dwave-networkx is not installed.

    References
    ----------
    Boothby, King and Roy, "Fast clique minor generation in Chimera qubit connectivity graphs",
    Quantum Inf. Process. 15 (2016), doi:10.1007/s11128-015-1150-6.
    """
    rows, columns = _rows_and_columns(rows, columns)
    shore = _size("shore", shore)
    _require_nodes(2 * shore * rows * columns)
    dwave = _dwave("chimera")
    graph = dwave.chimera_graph(rows, columns, shore)
    return _of_dwave(graph, dwave.chimera_layout(graph))


def pegasus_graph(size: int) -> nx.Graph:
    """Make the graph of D-Wave's Advantage, with up to fifteen edges for a node.

    Parameters
    ----------
    size : int
        At least 2, of which an Advantage has 16; the nodes are 8 (3 size - 1) (size - 1).

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If the size is below 2, or dwave-networkx is not installed.

    References
    ----------
    Boothby, Bunyk, Raymond and Roy, "Next-generation topology of D-Wave quantum processors",
    arXiv:2003.00133 (2020).
    """
    size = _size("size", size, least=2)
    _require_nodes(8 * (3 * size - 1) * (size - 1))
    dwave = _dwave("pegasus")
    graph = dwave.pegasus_graph(size)
    return _of_dwave(graph, dwave.pegasus_layout(graph))


def zephyr_graph(size: int, shore: int = 4) -> nx.Graph:
    """Make the graph of D-Wave's Advantage2, with up to twenty edges for a node.

    Parameters
    ----------
    size : int
        Of which an Advantage2 has 12; the nodes are 4 shore size (2 size + 1).
    shore : int
        Nodes on either side of a cell.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    InputError
        If a size is below 1, or dwave-networkx is not installed.

    References
    ----------
    Boothby, King and Raymond, "Zephyr topology of D-Wave quantum processors", D-Wave technical
    report 14-1056A-A (2021).
    """
    size, shore = _size("size", size), _size("shore", shore)
    _require_nodes(4 * shore * size * (2 * size + 1))
    dwave = _dwave("zephyr")
    graph = dwave.zephyr_graph(size, shore)
    return _of_dwave(graph, dwave.zephyr_layout(graph))


def _rows_and_columns(rows: int, columns: int | None) -> tuple[int, int]:
    rows = _size("rows", rows)
    return rows, rows if columns is None else _size("columns", columns)


def _size(name: str, value: Any, least: int = 1) -> int:
    try:
        size = operator.index(value)
    except TypeError:
        size = -1
    if size < least:
        raise InputError(f"{name}: {value!r}, must be a whole number of at least {least}")
    return size


def _require_nodes(n_nodes: int) -> None:
    require_memory(n_nodes * BYTES_PER_NODE, f"{n_nodes} nodes of a chip", "give a smaller size")


def _dwave(kind: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            # That dwave-graphs will come after it, which needs NumPy 2.
            warnings.simplefilter("ignore", DeprecationWarning)
            import dwave_networkx
    except ImportError:
        raise InputError(
            f"{kind}: dwave-networkx is not installed; pip install 'smallworld-eqprop[hardware]'"
        ) from None
    return dwave_networkx


def _of_dwave(graph: nx.Graph, layout: Mapping[Any, Any]) -> nx.Graph:
    """The graph with positions, scaled so that a node takes one unit of area."""
    import networkx as nx

    places = np.array([layout[node] for node in graph], dtype=float)
    places /= np.sqrt(np.ptp(places, axis=0).prod() / len(places))
    found = nx.Graph(graph.edges)
    found.add_nodes_from(
        (node, {"x": x, "y": y}) for node, (x, y) in zip(graph, places.tolist(), strict=True)
    )
    return found
