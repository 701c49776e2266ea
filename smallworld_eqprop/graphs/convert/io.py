"""Graphs on disk: .npz for compact files, .graphml for other programs; both lossless."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, read_file
from smallworld_eqprop.graphs.convert.columns import COORDINATES, plain
from smallworld_eqprop.graphs.convert.labels import read_labels, written_labels
from smallworld_eqprop.graphs.convert.provenance import written_steps
from smallworld_eqprop.graphs.core.attributes import blank
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.memory import open_npz

__all__ = ["graph_arrays", "load_graph", "save_graph"]

# Graphs without data are written as earlier versions of the package read them.
FORMAT_VERSION, WITHOUT_DATA = 2, 1
KINDS = ("edge_data", "node_data")


def save_graph(g: LayeredGraph, path: str | os.PathLike[str]) -> None:
    """Write a graph, with provenance, labels and data, so that `load_graph` gives it back.

    The file appears whole or not at all.

    Parameters
    ----------
    g : LayeredGraph
        Its labels, if it has any, must be numbers, text, bytes, None, or tuples or frozensets of
        these. A numpy scalar comes back as the number or text that it is.
    path : path-like
        Ends in ``.npz`` (compressed arrays, no pickles) or ``.graphml`` (nodes are numbered and
        carry their ``layer``; readable by networkx, igraph, Gephi and Cytoscape). Data are
        arrays ``edge_data.NAME`` and ``node_data.NAME``, or attributes of edges and nodes.

    Raises
    ------
    InputError
        If the ending is another one, a label cannot be written, or the file cannot.
    """
    target = _checked_path(path)
    buffer = io.BytesIO()
    if target.suffix.lower() == ".npz":
        np.savez_compressed(buffer, allow_pickle=False, **graph_arrays(g))
    else:
        nx.write_graphml(_numbered(g), buffer)
    _write(target, buffer.getvalue())


def graph_arrays(g: LayeredGraph) -> dict[str, np.ndarray]:
    """A graph as the arrays of an .npz file that `load_graph` reads, whatever else is in it."""
    data = {f"{kind}.{name}": each for kind in KINDS for name, each in getattr(g, kind).items()}
    fields = {name: np.array(value) for name, value in _fields(g).items()}
    return {"edges": g.edges, **fields, **data}


def _fields(g: LayeredGraph) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION if g.edge_data or g.node_data else WITHOUT_DATA,
        "layer_sizes": json.dumps(g.layer_sizes),
        "provenance": written_steps(g),
        "labels": written_labels(g.labels),
    }


def _numbered(g: LayeredGraph) -> nx.Graph:
    """A graph whose nodes are numbers and that GraphML holds without loss."""
    graph = nx.Graph(**_fields(g))
    graph.add_nodes_from((node, {"layer": layer}) for node, layer in enumerate(g.layers.tolist()))
    graph.add_edges_from(g.edges.tolist())
    types = {kind: {k: v.dtype.str for k, v in getattr(g, kind).items()} for kind in KINDS}
    if any(types.values()):
        graph.graph["data_types"] = json.dumps(types)
    for name, values in plain(g.node_data).items():
        nx.set_node_attributes(graph, _there(enumerate(values)), name)
    for name, values in plain(g.edge_data).items():
        pairs = map(tuple, g.edges.tolist())
        nx.set_edge_attributes(graph, _there(zip(pairs, values, strict=True)), name)
    return graph


def _there(values: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    return {key: value for key, value in values if value is not None}


def load_graph(path: str | os.PathLike[str]) -> LayeredGraph:
    """Read a graph that `save_graph` wrote.

    For graphs of another origin use `read_graph`, which asks for inputs and outputs.

    Parameters
    ----------
    path : path-like
        Ends in ``.npz`` or ``.graphml``.

    Returns
    -------
    LayeredGraph

    Raises
    ------
    InputError
        If the file is missing, damaged, of another origin or of a newer version.
    """
    source = _checked_path(path)
    try:
        content = read_file(source)
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}; give a file to read") from None
    try:
        fields, edges, data = (_read_npz if source.suffix.lower() == ".npz" else _read_graphml)(
            content
        )
        version = int(fields["format_version"])
        if version <= FORMAT_VERSION:
            return LayeredGraph(
                tuple(json.loads(str(fields["layer_sizes"]))),
                edges,
                tuple(json.loads(str(fields["provenance"]))),
                read_labels(str(fields["labels"])),
                *data,
            )
    except Exception as error:  # whatever a parser raises on damaged bytes
        reason = " ".join(str(error).split())
        raise InputError(
            f"{source}: not a graph written by save_graph, or damaged ({reason}); save it again, "
            "or read another program's graph with read_graph, or LayeredGraph.from_networkx"
        ) from None
    raise InputError(
        f"{source}: graph format {version}; this version reads formats up to {FORMAT_VERSION}, so "
        "save it again or upgrade smallworld-eqprop"
    )


Read = tuple[dict[str, Any], np.ndarray, list[dict[str, np.ndarray]]]


def _read_npz(content: bytes) -> Read:
    with open_npz(io.BytesIO(content)) as arrays:
        fields = dict(arrays)
    data = [
        {name.partition(".")[2]: each for name, each in fields.items() if name.startswith(kind)}
        for kind in KINDS
    ]
    return fields, fields.pop("edges"), data


def _read_graphml(content: bytes) -> Read:
    graph = nx.read_graphml(io.BytesIO(content), node_type=int)
    edges = np.array(graph.edges, dtype=np.int64).reshape(-1, 2)
    types = json.loads(graph.graph.pop("data_types", '{"edge_data": {}, "node_data": {}}'))
    nodes = [graph.nodes[node] for node in range(len(graph))]
    records = {"edge_data": [each for _, _, each in graph.edges(data=True)], "node_data": nodes}
    data = [
        {name: _array(name, np.dtype(kind), records[which]) for name, kind in types[which].items()}
        for which in KINDS
    ]
    return graph.graph, edges, data


def _array(name: str, kind: np.dtype, records: list[dict[str, Any]]) -> np.ndarray:
    filler = blank(name, kind)
    if name != "position":
        return np.array([record.get(name, filler) for record in records], dtype=kind)
    axes = [axis for axis in COORDINATES if any(axis in record for record in records)]
    rows = [[record.get(axis, filler) for axis in axes] for record in records]
    return np.array(rows, dtype=kind)


def _checked_path(path: str | os.PathLike[str]) -> Path:
    checked = Path(path)
    if checked.suffix.lower() not in (".npz", ".graphml"):
        raise InputError(f"{checked}: unknown ending; use .npz or .graphml")
    return checked


def _write(path: Path, content: bytes) -> None:
    try:
        with atomic_writer(path) as file:
            file.write(content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); choose a folder with free space"
        ) from None
