from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points

import networkx as nx
import pytest

from smallworld_eqprop.graphs.convert.backend import NAME, OWN, backend
from smallworld_eqprop.graphs.convert.backend_info import describe
from smallworld_eqprop.graphs.convert.interop import from_networkx
from smallworld_eqprop.graphs.convert.references import REFERENCES
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

G = rewire(layered((12, 8, 6, 3)), 0.2, seed=0)
CONVERTED = G.to_networkx()
FUNCTIONS = {
    **{name: getattr(nx, name) for name in OWN if hasattr(nx, name)},
    "robins_alexander_clustering": nx.bipartite.robins_alexander_clustering,
}


def test_registered() -> None:
    (found,) = entry_points(group="networkx.backends", name=NAME)
    assert found.load() is backend
    (info,) = entry_points(group="networkx.backend_info", name=NAME)
    listed = {*OWN, *REFERENCES}
    assert set(info.load()()["functions"]) == set(describe()["functions"]) == listed
    assert set(FUNCTIONS) == set(OWN)


@pytest.mark.parametrize("name", OWN)
def test_functions_that_run_here(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = FUNCTIONS[name](CONVERTED)
    monkeypatch.setattr(backend, "convert_to_nx", None, raising=False)
    assert FUNCTIONS[name](G) == pytest.approx(expected, abs=1e-9)
    # A copy, because networkx warns when it finds an earlier conversion.
    assert FUNCTIONS[name](CONVERTED.copy(), backend=NAME) == pytest.approx(expected, abs=1e-9)


def test_networkx_graphs_come_here_when_the_configuration_says_so(monkeypatch) -> None:
    monkeypatch.setitem(OWN, "transitivity", lambda *_: "ours")
    assert nx.transitivity(CONVERTED.copy()) != "ours"
    with nx.config.backend_priority(algos=[NAME]):
        assert nx.transitivity(CONVERTED.copy()) == "ours"


def test_nodes_have_their_labels() -> None:
    graph = nx.relabel_nodes(CONVERTED, {node: f"n{node}" for node in CONVERTED})
    inputs = [f"n{i}" for i in range(12)]
    g = from_networkx(graph, inputs, [f"n{i}" for i in range(26, 29)])
    assert nx.triangles(g) == nx.triangles(g.to_networkx())
    assert nx.clustering(graph, backend=NAME) == pytest.approx(nx.clustering(graph))


@pytest.mark.parametrize(
    "function",
    [nx.diameter, nx.pagerank, nx.is_connected, nx.degree_centrality, nx.greedy_color],
    ids=lambda function: function.__name__,
)
def test_everything_else_runs_by_conversion(function) -> None:
    assert function(G) == function(CONVERTED)


def test_arguments_of_all_kinds() -> None:
    some = [0, 13, 20]
    assert nx.average_clustering(G, nodes=some) == nx.average_clustering(CONVERTED, nodes=some)
    assert nx.triangles(G, 13) == nx.triangles(CONVERTED, 13)
    assert nx.shortest_path(G, source=0, target=28) == nx.shortest_path(CONVERTED, 0, 28)
    assert nx.is_isomorphic(G, G)
    assert nx.utils.graphs_equal(nx.compose_all([G, G]), CONVERTED)
    assert set(nx.relabel_nodes(G, {0: 100})) == {100, *range(1, G.n_nodes)}
    assert len(nx.complement(G=G)) == G.n_nodes


def test_graph_methods_that_networkx_asks() -> None:
    assert nx.density(G) == nx.density(CONVERTED)
    assert nx.number_of_edges(G) == G.n_edges
    assert nx.number_of_nodes(G) == len(G) == G.n_nodes
    assert not nx.is_directed(G)


def test_networkx_conventions() -> None:
    disconnected = nx.Graph([(0, 1), (2, 3)])
    with pytest.raises(nx.NetworkXError, match="not connected"):
        nx.average_shortest_path_length(disconnected, backend=NAME)
    for function in (nx.average_shortest_path_length, nx.global_efficiency, nx.transitivity):
        lonely = nx.empty_graph(1)
        assert function(lonely, backend=NAME) == function(lonely) == 0


def test_what_would_change_the_graph_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        nx.set_node_attributes(G, 1, "colour")
    with pytest.raises(NotImplementedError):
        nx.relabel_nodes(G, {0: 100}, copy=False)


@pytest.mark.parametrize(
    "graph", [nx.DiGraph([(0, 1)]), nx.MultiGraph([(0, 1)]), nx.Graph([(0, 0)]), nx.Graph()]
)
def test_what_the_metrics_do_not_take_is_refused(graph) -> None:
    with pytest.raises(NotImplementedError, match="given arguments"):
        nx.transitivity(graph, backend=NAME)


def test_networkx_own_tests(tmp_path) -> None:
    """NetworkX's own tests of these functions, in its way of testing a backend."""
    log = tmp_path / "log"
    modules = (
        "algorithms.tests.test_cluster",
        "algorithms.tests.test_efficiency",
        "algorithms.tests.test_smallworld",
        "algorithms.shortest_paths.tests.test_generic",
        "algorithms.bipartite.tests.test_cluster",
        "algorithms.assortativity.tests.test_correlation",
    )
    # Its sigma and omega draw hundreds of references, and nothing of them is done here.
    options = ("-c", os.devnull, "-p", "no:cacheprovider", "-q", f"--log-file={log}")
    options += ("-k", "not sigma and not omega")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--log-file-level=DEBUG", "--pyargs"]
        + [f"networkx.{module}" for module in modules],
        env={**os.environ, "NETWORKX_TEST_BACKEND": NAME, "NETWORKX_FALLBACK_TO_NX": "1"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    used = log.read_text()
    for name in (*OWN, *REFERENCES):
        assert f"Using backend '{NAME}' for call to '{name}'" in used
