"""All small graphs up to isomorphism, in the forms that functions take, and how to call these.

Graphs have up to five nodes; `make atlas` takes those of six and seven, too.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import os
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from smallworld_eqprop.graphs import measure, nulls
from smallworld_eqprop.graphs.core.graph import LayeredGraph

NODES = int(os.environ.get("ATLAS_NODES", 5))
ATLAS = [graph for graph in nx.graph_atlas_g() if len(graph) <= NODES]
FUNCTIONS = {
    name: getattr(package, name)
    for package in (measure, nulls)
    for name in package.__all__
    if inspect.isfunction(getattr(package, name))
}
#: What a parameter of that name is given, one after the other, for a graph of n nodes.
ARGUMENTS: dict[str, Any] = {
    "blocks": lambda n: [None, halves(n)],
    "inputs": lambda n: [[0] if n > 1 else None],
    "labels": lambda n: [halves(n)],
    "n_null": lambda n: [2],
    "n_sources": lambda n: [max(n - 1, 1)],
    "outputs": lambda n: [[n - 1] if n > 1 else None],
    "positions": lambda n: [np.column_stack((np.arange(n) // 2, np.arange(n) % 2))],
    "seed": lambda n: [0],
}


def halves(n: int) -> list[int]:
    return [node % 2 for node in range(n)]


def forms(graph: nx.Graph) -> Iterator[tuple[str, Any]]:
    """A graph in the forms that functions take or refuse."""
    n = len(graph)
    plain = nx.to_numpy_array(graph) if n else np.zeros((0, 0))
    edges = np.argwhere(np.triu(plain))
    weights = 0.5 + np.arange(len(edges)) % 3
    signs = 1.0 - 2 * (np.arange(len(edges)) % 2)
    # Both ways for every third edge.
    arcs = np.concatenate((edges, edges[::3, ::-1]))
    yield "plain", graph
    yield "matrix", sparse.csr_array(plain)
    for name, values in (("weighted", weights), ("signed", weights * signs)):
        matrix = np.zeros((n, n))
        matrix[tuple(edges.T)] = values
        yield name, matrix + matrix.T
    directed = nx.empty_graph(n, create_using=nx.DiGraph)
    directed.add_edges_from(arcs.tolist())
    yield "directed", directed
    if n > 1:
        sizes = (1, n - 1) if n < 4 else (1, n - 3, 2)
        yield "layered", LayeredGraph(sizes, edges, edge_data={"weight": weights})


def calls(function: Any, graph: nx.Graph) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every form of a graph with every choice of arguments."""
    first, *others = inspect.signature(function).parameters.values()
    choices = {}
    for parameter in others:
        if parameter.name in ARGUMENTS:
            choices[parameter.name] = ARGUMENTS[parameter.name](len(graph))
        elif isinstance(parameter.default, bool):
            choices[parameter.name] = [False, True]
        else:
            assert parameter.default is not parameter.empty, (
                f"{function.__name__}: say in ARGUMENTS of {__file__} what {parameter.name!r} is"
            )
    for form, each in forms(graph):
        if first.name == "g" and form != "layered":
            continue
        # Null samples take long: one form of every graph.
        if "n_null" in choices and form != ("plain", "weighted", "layered")[graph.size() % 3]:
            continue
        for values in itertools.product(*choices.values()):
            yield form, each, dict(zip(choices, values, strict=True))


def numbers(value: Any) -> np.ndarray:
    """All numbers in a result, in one array."""
    if value is None or isinstance(value, str):
        return np.empty(0)
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = list(value.values())
    if sparse.issparse(value):
        value = value.data
    if isinstance(value, list | tuple):
        return np.concatenate([np.empty(0), *map(numbers, value)])
    array = np.asarray(value)
    assert array.dtype.kind in "biuf", f"{value!r} in a result: say in `numbers` what is in it"
    return array.astype(float).ravel()
