"""Graphs on disk: .npz for compact files, .graphml for other programs; both lossless."""

from __future__ import annotations

import ast
import io
import json
import os
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["graph_arrays", "load_graph", "save_graph"]

FORMAT_VERSION = 1


def save_graph(g: LayeredGraph, path: str | os.PathLike[str]) -> None:
    """Write a graph, with its provenance and labels, so that `load_graph` gives it back.

    The file appears whole or not at all.

    Parameters
    ----------
    g : LayeredGraph
        Its labels, if it has any, must be numbers, strings or tuples of these.
    path : path-like
        Ends in ``.npz`` (compressed arrays, no pickles) or ``.graphml`` (nodes are numbered and
        carry their ``layer``; readable by networkx, igraph, Gephi and Cytoscape).

    Raises
    ------
    InputError
        If the ending is another one, a label cannot be written, or the file cannot.
    """
    target = _checked_path(path)
    buffer = io.BytesIO()
    if target.suffix == ".npz":
        np.savez_compressed(buffer, allow_pickle=False, **graph_arrays(g))
    else:
        fields = _fields(g)
        graph = nx.Graph(**fields)
        graph.add_nodes_from(
            (node, {"layer": layer}) for node, layer in enumerate(g.layers.tolist())
        )
        graph.add_edges_from(g.edges.tolist())
        nx.write_graphml(graph, buffer)
    _write(target, buffer.getvalue())


def graph_arrays(g: LayeredGraph) -> dict[str, np.ndarray]:
    """A graph as the arrays of an .npz file that `load_graph` reads, whatever else is in it."""
    return {"edges": g.edges, **{name: np.array(value) for name, value in _fields(g).items()}}


def _fields(g: LayeredGraph) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "layer_sizes": json.dumps(g.layer_sizes),
        "provenance": json.dumps(g.provenance, default=_as_plain_number),
        "labels": _write_labels(g.labels),
    }


def load_graph(path: str | os.PathLike[str]) -> LayeredGraph:
    """Read a graph that `save_graph` wrote.

    For GraphML of another origin use `LayeredGraph.from_networkx`, which asks for inputs and
    outputs.

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
        content = source.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}; give a file to read") from None
    try:
        fields, edges = (_read_npz if source.suffix == ".npz" else _read_graphml)(content)
        version = int(fields["format_version"])
        if version == FORMAT_VERSION:
            return LayeredGraph(
                tuple(json.loads(str(fields["layer_sizes"]))),
                edges,
                tuple(json.loads(str(fields["provenance"]))),
                ast.literal_eval(str(fields["labels"])),
            )
    except Exception as error:  # whatever a parser raises on damaged bytes
        reason = " ".join(str(error).split())
        raise InputError(
            f"{source}: not a graph written by save_graph, or damaged ({reason}); save it again, "
            "or read another program's graph with LayeredGraph.from_networkx"
        ) from None
    raise InputError(
        f"{source}: graph format {version}; this version reads format {FORMAT_VERSION}, so save it "
        "again or upgrade smallworld-eqprop"
    )


def _read_npz(content: bytes) -> tuple[dict[str, Any], np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        fields = dict(arrays)
    return fields, fields.pop("edges")


def _read_graphml(content: bytes) -> tuple[dict[str, Any], np.ndarray]:
    graph = nx.read_graphml(io.BytesIO(content), node_type=int)
    return graph.graph, np.array(graph.edges, dtype=np.int64).reshape(-1, 2)


def _write_labels(labels: object) -> str:
    # Literals keep the difference between 1, 1.0, "1" and (1,), which JSON does not.
    text = repr(labels)
    try:
        if ast.literal_eval(text) == labels:
            return text
    except (SyntaxError, ValueError):
        pass
    raise InputError(
        f"labels: {text[:60]} cannot be written; relabel the nodes with numbers, strings or tuples"
    )


def _as_plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise InputError(f"provenance: {value!r} cannot be written as JSON; use numbers and strings")


def _checked_path(path: str | os.PathLike[str]) -> Path:
    checked = Path(path)
    if checked.suffix not in (".npz", ".graphml"):
        raise InputError(f"{checked}: unknown ending; use .npz or .graphml")
    return checked


def _write(path: Path, content: bytes) -> None:
    try:
        with atomic_writer(path) as file:
            file.write(content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); choose a folder with room to write to"
        ) from None
