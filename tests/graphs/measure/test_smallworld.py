from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure.clustering import average_clustering
from smallworld_eqprop.graphs.measure.coefficients import FORMULAS
from smallworld_eqprop.graphs.measure.distances import characteristic_path_length
from smallworld_eqprop.graphs.measure.ensembles import CLUSTERINGS, Measured
from smallworld_eqprop.graphs.measure.smallworld import (
    small_world_coefficients,
    small_world_index,
    small_world_omega,
    small_world_propensity,
    small_world_sigma,
)
from smallworld_eqprop.graphs.nulls.lattices import degree_preserving_lattice
from smallworld_eqprop.graphs.nulls.nullmodels import degree_preserving

FUNCTIONS = {
    "sigma": small_world_sigma,
    "omega": small_world_omega,
    "index": small_world_index,
    "propensity": small_world_propensity,
}
SMALL_WORLD = nx.watts_strogatz_graph(150, 8, 0.1, seed=0)
LATTICE = nx.watts_strogatz_graph(150, 8, 0, seed=0)
RANDOM = nx.gnm_random_graph(150, 600, seed=0)


def test_a_small_world() -> None:
    found = small_world_coefficients(SMALL_WORLD, seed=0)
    assert found["sigma"].value > 5
    assert abs(found["omega"].value) < 0.25
    assert found["index"].value > 0.5
    assert found["propensity"].value > 0.7
    assert all(abs(coefficient.z_score) > 10 for coefficient in found.values())


def test_a_lattice() -> None:
    found = small_world_coefficients(LATTICE, seed=0)
    assert found["omega"].value < -0.4
    assert found["index"].value == pytest.approx(0, abs=0.01)
    # As clustered as the lattice and as long: one deviation is 0, the other 1.
    assert found["propensity"].value == pytest.approx(1 - math.sqrt(0.5), abs=0.01)


def test_a_random_graph() -> None:
    found = small_world_coefficients(RANDOM, seed=0, n_null=20, null="erdos_renyi")
    assert found["sigma"].value == pytest.approx(1, abs=0.3)
    assert found["omega"].value > 0.8
    assert found["propensity"].value == pytest.approx(1 - math.sqrt(0.5), abs=0.05)
    assert all(abs(coefficient.z_score) < 4 for coefficient in found.values())


def test_formulas_by_hand() -> None:
    n_null = 3
    generators = np.random.default_rng(5).spawn(n_null + 1)
    lattice = degree_preserving_lattice(SMALL_WORLD, seed=generators[0]).adjacency()
    nulls = [degree_preserving(SMALL_WORLD, seed=rng).adjacency() for rng in generators[1:]]
    length = characteristic_path_length
    l_rand = np.mean([length(null) for null in nulls])
    own = [l_rand / length(g) - average_clustering(g) / average_clustering(lattice) for g in nulls]
    omega = l_rand / length(SMALL_WORLD) - average_clustering(SMALL_WORLD) / average_clustering(
        lattice
    )
    found = small_world_omega(SMALL_WORLD, seed=5, n_null=n_null)
    assert found.value == pytest.approx(omega)
    assert found.null_mean == pytest.approx(np.mean(own))
    assert found.null_std == pytest.approx(np.std(own, ddof=1))
    assert found.z_score == pytest.approx((omega - np.mean(own)) / np.std(own, ddof=1))
    assert found.n_null == n_null


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sigma", (0.4 / 0.1) / (3 / 2)),
        ("omega", 2 / 3 - 0.4 / 0.5),
        ("index", (3 - 6) / (2 - 6) * (0.4 - 0.1) / (0.5 - 0.1)),
        ("propensity", 1 - math.sqrt((0.25**2 + 0.25**2) / 2)),
    ],
)
def test_formulas_of_the_papers(name, expected) -> None:
    graph, rand, lattice = Measured(3, 0.4, True), Measured(2, 0.1, True), Measured(6, 0.5, True)
    assert FORMULAS[name].formula(graph, rand, lattice) == pytest.approx(expected)


def test_deviations_of_the_propensity_are_cut() -> None:
    rand, lattice = Measured(2, 0.1, True), Measured(6, 0.5, True)
    formula = FORMULAS["propensity"].formula
    for graph, deviations in (
        (Measured(1.5, 0.7, True), (0, 0)),
        (Measured(9, 0.05, True), (1, 1)),
        (Measured(9, 0.7, True), (0, 1)),
    ):
        assert formula(graph, rand, lattice) == pytest.approx(1 - math.hypot(*deviations) / 2**0.5)


@given(st.integers(0, 9), st.floats(0, 1), st.integers(0, 99), st.sampled_from(sorted(CLUSTERINGS)))
def test_undefined_is_nan_and_nothing_is_infinite(n_nodes, p, seed, clustering) -> None:
    graph = nx.gnp_random_graph(n_nodes, p, seed=seed)
    found = small_world_coefficients(graph, seed=0, n_null=2, clustering=clustering)
    for coefficient in found.values():
        numbers = (coefficient.value, coefficient.null_mean, coefficient.null_std)
        assert not any(map(math.isinf, (*numbers, coefficient.z_score)))
        assert math.isnan(coefficient.value) == bool(coefficient.reason)
    if not graph.number_of_edges():
        assert all(math.isnan(coefficient.value) for coefficient in found.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_coefficient_like_all_of_them(name) -> None:
    options = {"seed": 1, "n_null": 30, "null": "erdos_renyi", "clustering": "transitivity"}
    alone = FUNCTIONS[name](SMALL_WORLD, **options)
    together = small_world_coefficients(SMALL_WORLD, **options)[name]
    # Other samples of the same ensemble.
    assert alone.value == pytest.approx(together.value, rel=0.1, abs=0.1)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_gives_the_same(pool) -> None:
    alone = small_world_sigma(SMALL_WORLD, seed=0, n_null=3)
    with pool(2) as executor:
        assert small_world_sigma(SMALL_WORLD, seed=0, n_null=3, executor=executor) == alone
    assert small_world_sigma(SMALL_WORLD, seed=1, n_null=3) != alone


def test_progress() -> None:
    calls: list[tuple[int, int]] = []
    small_world_propensity(
        SMALL_WORLD, seed=0, n_null=2, progress=lambda done, total: calls.append((done, total))
    )
    # Two null samples and the lattice.
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_layered_networks() -> None:
    g = rewire(layered((30, 20, 20, 5)), 0.1, seed=0)
    # No triangle at all: sigma is 0 against random graphs, and undefined within its own blocks.
    pure = layered((30, 20, 20, 5))
    assert small_world_sigma(pure, seed=0, n_null=2).value == 0
    assert math.isnan(small_world_sigma(pure, seed=0, n_null=2, null="layer_blocks").value)
    found = small_world_sigma(
        g, seed=0, n_null=5, null="layer_blocks_with_degrees", clustering="bipartite"
    )
    assert found.value == pytest.approx(1, abs=0.05)
    assert found.mixed
    frozen = small_world_sigma(
        pure, seed=0, n_null=2, null="layer_blocks_with_degrees", clustering="bipartite"
    )
    assert frozen.value == 1
    assert math.isnan(frozen.z_score)
    assert not frozen.mixed


def test_one_sample_has_no_spread() -> None:
    found = small_world_sigma(SMALL_WORLD, seed=0, n_null=1)
    assert found.value > 5
    assert found.null_mean == 1
    assert math.isnan(found.null_std)
    assert math.isnan(found.z_score)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null": "erdos"}, "did you mean erdos_renyi"),
        ({"clustering": "local"}, "allowed: average, transitivity, bipartite"),
        ({"n_null": 0}, "n_null: 0"),
        ({"n_null": 2.5}, "n_null: 2.5"),
        ({"null": "layer_blocks"}, "give a LayeredGraph"),
        ({"seed": -3}, "seed: -3"),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(InputError, match=message):
        small_world_sigma(SMALL_WORLD, **{"seed": 0, **options})
