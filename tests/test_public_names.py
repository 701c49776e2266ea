from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest

import smallworld_eqprop

CODE = [
    name for name in smallworld_eqprop.__all__ if callable(getattr(smallworld_eqprop, name, None))
]
#: Names that the graphs of others are measured by; asked for as they stand.
METRICS = [
    "characteristic_path_length",
    "average_clustering",
    "transitivity",
    "bipartite_clustering",
    "global_efficiency",
    "local_efficiency",
    "sample_path_length",
    "degree_assortativity",
    "layer_modularity",
    "algebraic_connectivity",
    "spectral_radius",
    "small_world_sigma",
    "small_world_omega",
    "small_world_index",
    "small_world_propensity",
]
NULL_MODELS = [
    "erdos_renyi",
    "degree_preserving",
    "layer_blocks",
    "layer_blocks_with_degrees",
    "degree_preserving_lattice",
    "ring_lattice",
]


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout))


def test_every_name_resolves_and_is_listed() -> None:
    for name in smallworld_eqprop.__all__:
        assert getattr(smallworld_eqprop, name) is not None
    assert dir(smallworld_eqprop) == sorted(smallworld_eqprop.__all__)
    assert set(smallworld_eqprop.__all__) - set(CODE) == {"DATASETS", "__version__"}
    with pytest.raises(AttributeError, match="clustering_of"):
        smallworld_eqprop.clustering_of  # noqa: B018


@pytest.mark.parametrize("name", CODE)
def test_every_name_is_documented_and_public_where_it_lives(name: str) -> None:
    thing = getattr(smallworld_eqprop, name)
    assert thing.__doc__
    assert thing.__name__ == name
    home = inspect.getmodule(thing)
    assert name in home.__all__
    if inspect.isfunction(thing):
        assert "Parameters\n" in thing.__doc__ or not inspect.signature(thing).parameters
        assert "Returns\n" in thing.__doc__ or thing.__annotations__["return"] == "None"


@pytest.mark.parametrize("name", METRICS + NULL_MODELS)
def test_formulas_and_references(name: str) -> None:
    documentation = getattr(smallworld_eqprop, name).__doc__
    assert "References\n" in documentation
    # Cochran's book on sampling has no DOI.
    assert "doi:10." in documentation or name == "sample_path_length"
    assert name in NULL_MODELS or "math:" in documentation


def test_importing_the_package_imports_nothing_else() -> None:
    loaded = modules_after("import smallworld_eqprop")
    assert {name for name in loaded if name.startswith("smallworld_eqprop")} == {
        "smallworld_eqprop"
    }
    heavy = {"numpy", "scipy", "numba", "pandas", "seaborn", "matplotlib", "networkx", "igraph"}
    assert not heavy & loaded


def test_networkx_finds_the_backend_without_importing_the_package() -> None:
    loaded = modules_after("import networkx")
    assert "smallworld_eqprop.graphs.convert.backend_info" in loaded
    assert not {"smallworld_eqprop.graphs.core.graph", "numba", "pandas", "igraph"} & loaded


def test_a_name_imports_only_what_it_needs() -> None:
    loaded = modules_after("from smallworld_eqprop import layered")
    assert "smallworld_eqprop.graphs.core.graph" in loaded
    heavy = {"numba", "pandas", "networkx", "matplotlib", "smallworld_eqprop.learning"}
    assert not heavy & loaded


def test_a_run_is_trained_without_plotting_libraries() -> None:
    assert not {"matplotlib", "seaborn"} & modules_after("from smallworld_eqprop import Run, train")


EVERY_GRAPH_MODULE = """
import importlib, pkgutil, smallworld_eqprop.graphs as graphs
for module in pkgutil.walk_packages(graphs.__path__, graphs.__name__ + "."):
    importlib.import_module(module.name)
"""
COMMAND = """
from contextlib import redirect_stdout
from io import StringIO
from smallworld_eqprop import layered, save_graph
from smallworld_eqprop.cli import main
save_graph(layered((3, 2)), "graph.npz")
with redirect_stdout(StringIO()):
    assert main(["metrics", "graph.npz"]) == 0
"""


@pytest.mark.parametrize("code", [EVERY_GRAPH_MODULE, COMMAND], ids=["modules", "command"])
def test_measuring_a_graph_imports_no_training_code(code, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    training = tuple(f"smallworld_eqprop.{x}" for x in ("dynamics", "learning", "data", "studies"))
    loaded = modules_after(f"exec({code!r})")
    assert not {name for name in loaded if name.startswith(training)}


def test_names_that_are_gone_say_what_to_use() -> None:
    for name, instead in smallworld_eqprop.GONE.items():
        with pytest.raises(
            AttributeError, match=f"{name} is gone; use {instead.split(' ')[0][:6]}"
        ):
            getattr(smallworld_eqprop, name)
