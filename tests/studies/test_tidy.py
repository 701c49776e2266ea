from __future__ import annotations

import json

import numpy as np
import pytest

from smallworld_eqprop import InputError, RunConfig, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.studies import tidy

N_BATCHES = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    def make(name, seed, epochs=2, **training):
        config = RunConfig(
            name=name,
            data=named("digits", 230),
            topology=Rewire((64, 8, 6, 10), p=0.1),
        ).changed(seed=seed, **training)
        folder = tmp_path_factory.mktemp("run") / f"{name}-{seed}"
        return train(config, folder, epochs=epochs)

    return make


@pytest.fixture(scope="module")
def seeds(run):
    return [run("net", 1, epochs=3), run("net", 0), run("other", 5, epochs=1)]


def test_learning_curves_are_the_histories(seeds):
    table = tidy.learning_curves(seeds)
    assert list(table) == ["network", "seed", *tidy.CURVE_COLUMNS]
    assert list(table.groupby(["network", "seed"]).size()) == [2, 3, 1]
    for run in seeds:
        key = run.config.name, run.config.training.seed
        part = table[(table.network == key[0]) & (table.seed == key[1])]
        for name in tidy.CURVE_COLUMNS:
            assert np.array_equal(part[name], run.history[name])


def test_corrections_are_averages_of_what_the_run_recorded(seeds):
    table = tidy.corrections(seeds, every=5)
    run = seeds[1]
    of_run = table[(table.network == "net") & (table.seed == 0)]
    assert list(of_run.batch.unique()) == [1, 6, 11, N_BATCHES + 6]
    for column, (pair, kind) in enumerate(zip(run.pairs, run.kinds, strict=True)):
        rows = of_run[of_run.pair == pair]
        assert set(rows.kind) == {kind}
        recorded = run.corrections(1)[:, column].astype(float)
        # Cut off where the run begins and ends.
        expected = [recorded[:6].mean(), recorded[:11].mean(), recorded[5:].mean()]
        expected.append(run.corrections(2)[:, column].astype(float).mean())
        assert np.allclose(rows.rms, expected, rtol=1e-12)


def test_every_seed_is_kept_batch_by_batch(seeds):
    table = tidy.corrections(seeds)
    closely = table[table.epoch == 1].groupby(["network", "seed"]).batch.unique()
    assert {name: list(found) for name, found in closely.items()} == {
        ("net", 0): [1, 11],
        ("net", 1): [1, 11],
        ("other", 5): [1, 11],
    }


def test_provenance_says_how_to_make_the_runs_again(seeds):
    made = json.loads(json.dumps(tidy.provenance(seeds)))
    assert [entry["seed"] for entry in made["net"]] == [0, 1]
    entry = made["net"][1]
    assert RunConfig.from_dict(entry["config"]).key == entry["key"] == seeds[0].config.key
    assert entry["epochs"] == 3
    assert entry["dataset"]["n_train"] == 230
    assert entry["graph"]["provenance"][-1]["step"] == "rewire"
    assert {"version", "threads", "seconds"} <= set(entry)


def test_one_network_and_seed_twice_is_refused(seeds, run):
    again = run("net", 0, epochs=1)
    for table in (tidy.learning_curves, tidy.corrections, tidy.provenance):
        with pytest.raises(InputError, match="both are net, seed 0; give one of them"):
            table([*seeds, again])


def test_one_name_for_two_configurations_is_refused(seeds, run):
    with pytest.raises(InputError, match="differ in more than the seed"):
        tidy.provenance([*seeds, run("net", 2, epochs=1, beta=0.5)])


def test_bad_arguments_are_one_line(seeds):
    with pytest.raises(InputError, match="every: 0"):
        tidy.corrections(seeds, every=0)
    with pytest.raises(InputError, match="none given"):
        tidy.learning_curves([])
