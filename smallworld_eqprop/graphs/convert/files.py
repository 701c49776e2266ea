"""One way in for graphs in files: our own, and those of networkx, igraph, Gephi, Pajek and scipy.

| ending | what is read |
| --- | --- |
| ``.npz`` | a graph of `save_graph`, or a matrix of ``scipy.sparse.save_npz`` |
| ``.graphml`` | a graph of `save_graph`, or of any program |
| ``.gml`` | of any program |
| ``.net`` | Pajek |
| ``.csv``, ``.tsv`` | an edge list (columns source, target and, if given, weight), or a matrix |
| ``.edgelist``, ``.edges``, ``.ncol``, ``.txt`` | lines of source, target and, if given, weight |

The last are edge lists with blanks between the cells and without a first line, as networkx and
igraph write them. Capital letters in an ending make no difference.

What is an edge and a weight, and how nodes get layers: `smallworld_eqprop.graphs.convert.outside`.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Hashable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import read_file
from smallworld_eqprop.graphs.convert.choice import Choice
from smallworld_eqprop.graphs.convert.interop import networkx_parts, to_networkx
from smallworld_eqprop.graphs.convert.io import load_graph
from smallworld_eqprop.graphs.convert.outside import Outside, layered_from, of_matrix
from smallworld_eqprop.graphs.convert.tables import (
    natural_names,
    node_table,
    read_edge_lines,
    read_table,
)
from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges
from smallworld_eqprop.graphs.core.arguments import Symmetrise, check_symmetrise
from smallworld_eqprop.graphs.core.attributes import blank
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.memory import open_npz, require_memory

__all__ = ["ENDINGS", "has_layers", "read_adjacency", "read_graph"]

Path_ = str | os.PathLike[str]
# What Pajek says of every node for drawing.
DRAWING = ("id", "shape")
#: Of a short text and its place in a list.
BYTES_PER_LINE = 60


def read_graph(
    path: Path_,
    inputs: Choice = None,
    outputs: Choice = None,
    *,
    roles: Path_ | None = None,
    symmetrise: Symmetrise = "max",
) -> LayeredGraph:
    """Read a graph from a file, of this package or of another program.

    Parameters
    ----------
    path : path-like
        Ends in ``.npz``, ``.graphml``, ``.gml``, ``.net``, ``.csv``, ``.tsv`` or ``.edgelist``; see
        this module.
    inputs, outputs : iterable of node, one node, or str, optional
        The input and output nodes, by name in the order in which data meets them, or
        ``"name=value"``, such as ``"role=sensory"``, for all with that attribute. Without both the
        file must have layers: be one of `save_graph`, or have a node attribute ``layer``.
    roles : path-like, optional
        A table in CSV with a first line: the first column names nodes, every other column is an
        attribute of them, by which inputs and outputs may be chosen.
    symmetrise : {"max", "mean", "or"}, optional
        How a directed graph becomes an undirected one, as in `LayeredGraph.from_networkx`.

    Returns
    -------
    LayeredGraph
        Weights and other attributes are its data.

    Raises
    ------
    InputError
        In one line that names the file: if it is missing, damaged or of an unknown kind, an input
        or output is not there, or as `LayeredGraph.from_networkx`.
    """
    path = Path(path)
    check_symmetrise(symmetrise)
    content = _content(path)
    if inputs is None and outputs is None and roles is None and _is_own(path, content):
        return load_graph(path)
    try:
        graph = layered_from(_outside(path, content, roles), inputs, outputs, symmetrise)
    except InputError as error:
        raise InputError(_located(error, path)) from None
    *earlier, step = graph.provenance
    step = {"step": step["step"], "file": path.name, **step}
    return dataclasses.replace(graph, provenance=(*earlier, step))


def read_adjacency(
    path: Path_, *, roles: Path_ | None = None, symmetrise: Symmetrise = "max"
) -> tuple[sparse.csr_array, dict[str, Any]]:
    """Read a graph from a file as a symmetric matrix, for what needs no layers.

    Parameters
    ----------
    path, roles, symmetrise
        As in `read_graph`.

    Returns
    -------
    matrix : scipy.sparse.csr_array, shape (n_nodes, n_nodes)
        Of weights, or of ones where the file has none.
    step : dict
        What was left out or merged, as provenance says it.

    Raises
    ------
    InputError
        As `read_graph`.
    """
    path = Path(path)
    content = _content(path)
    try:
        source = _outside(path, content, roles)
        edges, data, step = source.simple(symmetrise)
    except InputError as error:
        raise InputError(_located(error, path)) from None
    weights = data.get("weight", np.ones(len(edges)))
    matrix = adjacency_from_edges(edges, len(source.names), weights)
    return matrix, {"step": step["step"], "file": path.name, **step}


def has_layers(path: Path_) -> bool:
    """Whether the file of a graph says in which layer every node is.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = Path(path)
    content = _content(path)
    if _is_own(path, content):
        return True
    try:
        layers = _outside(path, content, None).layers
    except InputError as error:
        raise InputError(_located(error, path)) from None
    return layers is not None and all(each is not None for each in layers)


def _outside(path: Path, content: bytes, roles: Path_ | None) -> Outside:
    """A file as it came, with the attributes of the table of nodes."""
    table = None if roles is None else (Path(roles), _content(Path(roles), table=True))
    try:
        if _is_own(path, content):
            return networkx_parts(to_networkx(load_graph(path)), "read_graph")
        if _ending(path) in TABLES:
            source = read_table(content, table)
        else:
            source = READERS[_ending(path)](content)
    except InputError:
        raise
    except Exception as error:  # whatever a parser raises on damaged bytes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"not a {_ending(path)} graph, or damaged ({reason:.200})") from None
    return source if table is None else _with_table(path, source, *table)


def _with_table(path: Path, source: Outside, roles: Path, content: bytes) -> Outside:
    try:
        names, data = node_table(roles, content)
    except InputError:
        raise
    except Exception as error:  # of pandas
        raise InputError(f"{roles}: no table ({' '.join(str(error).split()):.200})") from None
    index = {str(name): i for i, name in enumerate(source.names)}
    unknown = [name for name in names if str(name) not in index]
    if unknown:
        raise InputError(f"{roles}: {unknown[0]!r} is not a node of {path}")
    places = [index[str(name)] for name in names]
    found = dict(source.node_data)
    for name, array in data.items():
        gaps = array.dtype if len(places) == len(index) or array.dtype.kind != "i" else float
        whole = np.full((len(index), *array.shape[1:]), blank(name, array.dtype), dtype=gaps)
        whole[places] = array
        found[name] = whole
    return dataclasses.replace(source, node_data=found)


def _read_npz(content: bytes) -> Outside:
    with open_npz(io.BytesIO(content)) as arrays:
        if not {"format", "shape"} <= set(arrays.files):
            raise InputError(
                "neither a graph of save_graph nor a matrix of scipy.sparse.save_npz; it holds: "
                f"{', '.join(arrays.files)}"
            )
    return of_matrix(sparse.load_npz(io.BytesIO(content)), "read_graph")


def _read_graphml(content: bytes) -> Outside:
    import networkx as nx

    source = networkx_parts(nx.read_graphml(io.BytesIO(content)), "read_graph")
    return _named(source) if b"Created by igraph" in content[:2000] else _numbered(source)


def _read_gml(content: bytes) -> Outside:
    import networkx as nx

    lines = content.decode("utf-8").splitlines()
    try:
        graph = nx.parse_gml(lines)
    except nx.NetworkXError as error:
        # Labels are missing, or two nodes have the same.
        if "label" not in str(error):
            raise
        graph = nx.parse_gml(lines, label="id")
    source = networkx_parts(graph, "read_graph")
    return _named(source) if lines[0].startswith('Creator "igraph') else _numbered(source)


def _read_pajek(content: bytes) -> Outside:
    import networkx as nx

    lines = content.decode("utf-8-sig").splitlines()
    for place, (line, after) in enumerate(pairwise(lines), 1):
        if line.lower().startswith("*vertices") and after.startswith("*"):
            # As igraph writes vertices without names: numbered, and not listed.
            n_nodes = int(line.split()[1])
            require_memory(n_nodes * BYTES_PER_LINE, line.strip(), "give fewer nodes")
            lines[place:place] = [f"{i} {i}" for i in range(1, n_nodes + 1)]
            break
    # networkx would take the second neighbour of a list as a weight.
    if lists := [line for line in lines if line.lower().startswith(("*arcslist", "*edgeslist"))]:
        raise InputError(f"{lists[0].strip()} in a Pajek file; give *Arcs or *Edges, one per line")
    source = networkx_parts(nx.parse_pajek(lines), "read_graph")
    data = {name: each for name, each in source.node_data.items() if name not in DRAWING}
    # networkx writes 0, 0 for every node without a place.
    if not data.get("position", np.ones(1)).any():
        del data["position"]
    return _numbered(dataclasses.replace(source, node_data=data))


READERS: dict[str, Callable[[bytes], Outside]] = {
    ".npz": _read_npz,
    ".graphml": _read_graphml,
    ".gml": _read_gml,
    ".net": _read_pajek,
    **dict.fromkeys((".edgelist", ".edges", ".ncol", ".txt"), read_edge_lines),
}
TABLES = (".csv", ".tsv")
#: Endings of files that hold graphs.
ENDINGS = (*READERS, *TABLES)


def _named(source: Outside) -> Outside:
    """A graph of igraph, which numbers nodes; names, where there are any, are an attribute."""
    own = source.node_data.get("name")
    data = {key: each for key, each in source.node_data.items() if key != "name"}
    names = list(range(len(source.names))) if own is None else own.tolist()
    if len(set(names)) < len(names):
        return _numbered(source)
    return dataclasses.replace(source, names=names, node_data=data)


def _numbered(source: Outside) -> Outside:
    names: list[Hashable] = natural_names(source.names)
    return dataclasses.replace(source, names=names)


def _is_own(path: Path, content: bytes) -> bool:
    """Whether `save_graph` wrote it."""
    if _ending(path) == ".npz":
        # Names of members stand in the archive as they are.
        return b"layer_sizes.npy" in content
    return _ending(path) == ".graphml" and b'attr.name="format_version"' in content


def _content(path: Path, *, table: bool = False) -> bytes:
    if not table and _ending(path) not in ENDINGS:
        raise InputError(f"{path}: unknown ending {path.suffix!r}; allowed: {', '.join(ENDINGS)}")
    try:
        return read_file(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a file to read") from None


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _located(error: InputError, path: Path) -> str:
    text = str(error)
    named = _ending(Path(text.split(": ", 1)[0])) in ENDINGS
    return text if named else f"{path}: {text}"
