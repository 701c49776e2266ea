"""Seeds that nobody gave: drawn anew every time, recorded, and good for the same draws again."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import smallworld_eqprop as sw
from smallworld_eqprop import InputError
from smallworld_eqprop.graphs import convert, core, generate, measure, nulls
from smallworld_eqprop.graphs.core.arguments import seeded

G = sw.layered((6, 8, 8, 4))

TRANSFORMATIONS = {
    "rewire": lambda seed: sw.rewire(G, 0.3, **seed),
    "rewire by moves": lambda seed: sw.rewire(G, moves=20, **seed),
    "rewire_ends": lambda seed: generate.rewire_ends(G, 0.5, across_layers=True, **seed),
    "rewire_keeping_degrees": lambda seed: generate.rewire_keeping_degrees(G, 0.5, **seed),
    "add_skips": lambda seed: generate.add_skips(G, 9, **seed),
    "random_like": lambda seed: generate.random_like(G, **seed),
    "thin": lambda seed: generate.thin(G, 60, **seed),
}

SAMPLES = {
    "erdos_renyi": lambda seed: nulls.erdos_renyi(G, **seed),
    "degree_preserving": lambda seed: sw.degree_preserving(G, **seed),
    "layer_blocks": lambda seed: nulls.layer_blocks(SKIPPING, **seed),
    "layer_blocks_with_degrees": lambda seed: nulls.layer_blocks_with_degrees(SKIPPING, **seed),
    "ring_lattice": lambda seed: nulls.ring_lattice(G, **seed),
    "degree_preserving_lattice": lambda seed: nulls.degree_preserving_lattice(G, **seed),
}

SKIPPING = sw.rewire(G, 0.3, seed=0)


@pytest.mark.parametrize("name", TRANSFORMATIONS)
@pytest.mark.parametrize("without", [{}, {"seed": None}])
def test_a_graph_made_without_a_seed_is_made_again_from_its_provenance(name, without):
    make = TRANSFORMATIONS[name]
    first, second = make(without), make(without)
    assert first != second
    again = make({"seed": first.provenance[-1]["seed"]})
    assert again == first
    assert again.provenance == first.provenance


def test_the_drawn_seed_is_kept_in_files(tmp_path):
    made = sw.rewire(G, 0.3)
    for ending in ("npz", "graphml"):
        sw.save_graph(made, tmp_path / f"g.{ending}")
        read = convert.load_graph(tmp_path / f"g.{ending}")
        assert sw.rewire(G, 0.3, seed=read.provenance[-1]["seed"]) == made


@pytest.mark.parametrize("name", SAMPLES)
def test_null_models_draw_anew_without_a_seed(name):
    drawn = [SAMPLES[name]({}).edges.tobytes() for _ in range(3)]
    assert len(set(drawn)) > 1
    assert len({SAMPLES[name]({"seed": 1}).edges.tobytes() for _ in range(3)}) == 1


def test_measures_need_no_seed():
    assert 1 <= measure.sample_path_length(SKIPPING, 5).value <= 3
    assert sw.structure_metrics(SKIPPING) == pytest.approx(
        sw.structure_metrics(SKIPPING, seed=0), nan_ok=True
    )
    assert set(sw.small_world_coefficients(SKIPPING, n_null=2)) == {
        "sigma", "omega", "index", "propensity",
    }  # fmt: skip
    assert measure.small_world_propensity(SKIPPING, n_null=2, clustering="bipartite").n_null == 2


def test_no_graph_function_insists_on_a_seed():
    for package in (convert, core, generate, measure, nulls):
        for name in package.__all__:
            found = getattr(package, name)
            if inspect.isfunction(found):
                seed = inspect.signature(found).parameters.get("seed")
                assert seed is None or seed.default is not inspect.Parameter.empty, name


def test_a_drawn_seed_is_a_small_whole_number():
    seeds = [seeded(None)[1] for _ in range(20)]
    assert all(type(seed) is int and 0 <= seed < 2**32 for seed in seeds)
    assert len(set(seeds)) > 1
    rng, seed = seeded(None)
    assert rng.random() == np.random.default_rng(seed).random()


@pytest.mark.parametrize("seed", [-1, 0.5, "0", [1]])
def test_a_bad_seed_is_named_in_one_line(seed):
    with pytest.raises(InputError, match=r"seed: .*from 0 up.*None to have one drawn") as caught:
        sw.rewire(G, 0.1, seed=seed)
    assert "\n" not in str(caught.value)
