"""Every measure and every null model on all small graphs.

The functions are those of the subpackages' ``__init__.pyi``, so a new one is tested by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy import sparse
from small_graphs import ATLAS, FUNCTIONS, calls, numbers

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs import nulls
from smallworld_eqprop.graphs.core.graph import LayeredGraph

SECONDS = 1.0


def timed(function: Any, graph: Any, options: dict[str, Any]) -> Any:
    """The result of a call that ends in a second; the first one may have to compile."""
    for _ in range(2):
        start = time.process_time()
        result = function(graph, **options)
        if time.process_time() - start < SECONDS:
            return result
    raise AssertionError(f"{function.__name__}: more than {SECONDS} s")


def results(name: str) -> Iterator[tuple[nx.Graph, str, Any, dict[str, Any], Any]]:
    """What a function gives for every graph in every form, where it does not refuse it."""
    taken = set()
    for graph in ATLAS:
        for form, each, options in calls(FUNCTIONS[name], graph):
            try:
                result = timed(FUNCTIONS[name], each, options)
            except InputError as error:
                assert "\n" not in str(error)
                continue
            found = numbers(result)
            assert not np.isinf(found).any(), f"{name}, {graph.name} {form} {options}: {found}"
            taken.add(graph.name)
            yield graph, form, each, options, result
    # A function that refuses most graphs would not be tested.
    assert len(taken) >= 0.8 * len(ATLAS), f"{name} takes {len(taken)} of {len(ATLAS)} graphs"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not hasattr(nulls, name)])
def test_measures_are_finite_or_nan_in_every_form(name: str) -> None:
    plain = {}
    for graph, form, _, options, result in results(name):
        if form == "plain":
            plain[graph.name, str(options)] = numbers(result)
        if form == "matrix":
            expected = plain[graph.name, str(options)]
            np.testing.assert_array_equal(numbers(result), expected, err_msg=graph.name)


def dense(graph: Any) -> np.ndarray:
    """The entries of a graph in one of the `forms`."""
    if isinstance(graph, LayeredGraph):
        return graph.adjacency("weight").toarray()
    if isinstance(graph, nx.Graph):
        return nx.to_numpy_array(graph) if len(graph) else np.zeros((0, 0))
    return graph.toarray() if sparse.issparse(graph) else graph


#: Null models that keep no degrees.
FREE = ("erdos_renyi", "layer_blocks", "ring_lattice")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if hasattr(nulls, name)])
def test_null_samples_keep_what_they_say(name: str) -> None:
    for graph, form, each, options, sample in results(name):
        where = f"{graph.name} {form} {options}"
        given, drawn = dense(each), sample.adjacency(weighted=True).toarray()
        assert not drawn.diagonal().any(), where
        assert hasattr(sample, "arcs") or np.array_equal(drawn, drawn.T), where
        assert np.count_nonzero(drawn) == np.count_nonzero(given), where
        if sample.weights is not None:
            assert np.array_equal(np.sort(drawn, axis=None), np.sort(given, axis=None)), where
        if name not in FREE:
            for before, after in ((given, drawn), (given.T, drawn.T)):
                assert np.array_equal((before != 0).sum(axis=1), (after != 0).sum(axis=1)), where
        if options.get("connected") and len(graph) and nx.is_connected(graph):
            assert nx.is_connected(nx.from_numpy_array(drawn)), where
        if form in ("directed", "layered"):
            again = FUNCTIONS[name](each, **options).adjacency(weighted=True).toarray()
            assert np.array_equal(drawn, again), where
