"""All small graphs up to isomorphism, in the forms that functions take, and how to call these.

Graphs have up to five nodes; `make atlas` takes those of six and seven, too, and every combination
of arguments.
"""

from __future__ import annotations

import dataclasses
import functools
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

FEW = 5
NODES = int(os.environ.get("ATLAS_NODES", FEW))
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


@functools.cache
def forms(graph: nx.Graph) -> dict[str, Any]:
    """A graph in the forms that functions take or refuse, made once for all of them."""
    n = len(graph)
    plain = nx.to_numpy_array(graph) if n else np.zeros((0, 0))
    edges = np.argwhere(np.triu(plain))
    weights = 0.5 + np.arange(len(edges)) % 3
    signs = 1.0 - 2 * (np.arange(len(edges)) % 2)
    # Both ways for every third edge.
    arcs = np.concatenate((edges, edges[::3, ::-1]))
    found: dict[str, Any] = {"plain": graph, "matrix": sparse.csr_array(plain)}
    for name, values in (("weighted", weights), ("signed", weights * signs)):
        matrix = np.zeros((n, n))
        matrix[tuple(edges.T)] = values
        found[name] = matrix + matrix.T
    directed = nx.empty_graph(n, create_using=nx.DiGraph)
    directed.add_edges_from(arcs.tolist())
    found["directed"] = directed
    if n > 1:
        sizes = (1, n - 1) if n < 4 else (1, n - 3, 2)
        found["layered"] = LayeredGraph(sizes, edges, edge_data={"weight": weights})
    return found


def combinations(choices: dict[str, list], graph: nx.Graph) -> Iterator[dict[str, Any]]:
    """Every choice of every argument, for every graph.

    Where two arguments have two choices each, one graph has the two combinations that the graph
    before it in the atlas has not: a null sample takes milliseconds, and there are thousands.
    """
    several = sum(len(values) > 1 for values in choices.values()) > 1
    for places in itertools.product(*(range(len(values)) for values in choices.values())):
        if several and NODES == FEW and (sum(places) + int(graph.name[1:])) % 2:
            continue
        yield {name: choices[name][place] for name, place in zip(choices, places, strict=True)}


def calls(function: Any, graph: nx.Graph) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every form of a graph with the `combinations` of arguments."""
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
    for form, each in forms(graph).items():
        if first.name == "g" and form != "layered":
            continue
        # Null samples take long: one form of every graph.
        if "n_null" in choices and form != ("plain", "weighted", "layered")[graph.size() % 3]:
            continue
        for options in combinations(choices, graph):
            yield form, each, options


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
