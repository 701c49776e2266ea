"""Every public name has one place, is documented, and costs only what it needs."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import smallworld_eqprop

ROOT = Path(smallworld_eqprop.__file__).parent
#: The subpackages that list names, by their paths.
PACKAGES = {
    path: import_module(f"smallworld_eqprop.{path}")
    for path in (
        "data",
        "dynamics",
        "graphs.convert",
        "graphs.core",
        "graphs.draw",
        "graphs.generate",
        "graphs.measure",
        "graphs.nulls",
        "graphs.topology",
        "hardware",
        "learning",
        "studies",
    )
}


def names_in(package: ModuleType) -> list[str]:
    """The public names of a package that are no modules."""
    return [name for name in package.__all__ if not inspect.ismodule(getattr(package, name))]


TOP = names_in(smallworld_eqprop)
#: Every name of the subpackages with its path.
PLACES = [(path, name) for path, package in PACKAGES.items() for name in names_in(package)]
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
    "spectral_gap",
    "spectral_radius",
    "input_output_betweenness",
    "input_output_edge_betweenness",
    "edge_disjoint_paths",
    "input_output_resistance",
    "output_potential",
    "communicability_to_output",
    "input_output_communicability",
    "resolvent_to_output",
    "input_output_resolvent",
    "modularity",
    "participation_coefficient",
    "core_periphery",
    "rich_club",
    "normalised_rich_club",
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
    "strength_preserving",
    "shuffled_weights",
    "geometry_preserving",
    "directed_degree_preserving",
    "reciprocity_preserving",
    "degree_preserving_lattice",
    "ring_lattice",
]


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout))


def test_the_top_level_is_short_and_shows_the_subpackages() -> None:
    assert len(TOP) <= 32
    assert set(smallworld_eqprop.__all__) - set(TOP) == {
        "data", "dynamics", "graphs", "hardware", "learning", "presets", "studies", "testing",
    }  # fmt: skip


def test_every_package_with_a_stub_is_looked_at() -> None:
    stubs = {".".join(stub.parent.relative_to(ROOT).parts) for stub in ROOT.rglob("__init__.pyi")}
    assert stubs == {*PACKAGES, "graphs", ""}


@pytest.mark.parametrize("path", ["", *PACKAGES, "graphs"])
def test_a_package_lists_its_names_and_no_module_has_one_of_them(path: str) -> None:
    package = import_module(f"smallworld_eqprop.{path}".rstrip("."))
    assert dir(package) == sorted(package.__all__)
    # Importing such a module would put it in the place of the name.
    folder = Path(package.__file__).parent
    assert not [name for name in package.__all__ if name in names_in(package)
                and (folder / f"{name}.py").exists()]  # fmt: skip


def test_a_name_is_in_one_subpackage() -> None:
    names = [name for _, name in PLACES]
    assert len(set(names)) == len(names)
    for path, name in PLACES:
        if name in TOP:
            assert getattr(smallworld_eqprop, name) is getattr(PACKAGES[path], name)
    assert set(TOP) - set(names) == {"InputError", "__version__"}


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_every_name_is_documented_and_public_where_it_lives(path: str, name: str) -> None:
    thing = getattr(PACKAGES[path], name)
    if name == "DATASETS":
        return
    assert thing.__doc__
    assert thing.__name__ == name
    home = inspect.getmodule(thing)
    assert name in home.__all__
    if inspect.isfunction(thing):
        assert "Parameters\n" in thing.__doc__ or not inspect.signature(thing).parameters
        assert "Returns\n" in thing.__doc__ or thing.__annotations__["return"] == "None"


@pytest.mark.parametrize("name", METRICS + NULL_MODELS)
def test_formulas_and_references(name: str) -> None:
    package = PACKAGES["graphs.measure" if name in METRICS else "graphs.nulls"]
    documentation = getattr(package, name).__doc__
    assert "References\n" in documentation
    # Cochran's book on sampling has no DOI.
    assert "doi:10." in documentation or name == "sample_path_length"
    assert name in NULL_MODELS or "math:" in documentation


def test_a_name_of_a_subpackage_is_pointed_to_from_the_top() -> None:
    for path, name in PLACES:
        if name not in TOP:
            with pytest.raises(AttributeError) as caught:
                getattr(smallworld_eqprop, name)
            assert str(caught.value) == (
                f"smallworld_eqprop has no {name}; use smallworld_eqprop.{path}.{name}"
            )


def test_names_that_are_gone_say_what_to_use() -> None:
    for name, instead in smallworld_eqprop.GONE.items():
        with pytest.raises(AttributeError) as caught:
            getattr(smallworld_eqprop, name)
        assert str(caught.value) == f"smallworld_eqprop has no {name}; use {instead}"


@pytest.mark.parametrize("name", ["clustering_of", "_Network", "__wrapped__"])
def test_a_name_that_never_was_is_an_ordinary_error(name: str) -> None:
    with pytest.raises(AttributeError, match=name) as caught:
        getattr(smallworld_eqprop, name)
    assert "use" not in str(caught.value)


@pytest.mark.parametrize("path", PACKAGES)
def test_importing_a_subpackage_imports_none_of_its_modules(path: str) -> None:
    loaded = modules_after(f"import smallworld_eqprop.{path}")
    ours = {name for name in loaded if name.startswith("smallworld_eqprop.")}
    assert ours == {f"smallworld_eqprop.{path}"} | (
        {"smallworld_eqprop.graphs"} if path.startswith("graphs.") else set()
    )
    assert "numpy" not in loaded


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
