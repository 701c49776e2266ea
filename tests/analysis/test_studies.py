"""The scripts that read studies: from stores, CSV and run folders to tables, figures and words."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.studies import noise_floor
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep

# seaborn's heat map calls what matplotlib means to take away.
pytestmark = pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")
FILES = ["correlations", "early_vs_final", "explained_variance", "metrics_vs_performance"]


@pytest.fixture
def script(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return import_module


@pytest.fixture
def performance(script, monkeypatch, coarse_pictures):
    module = script("metrics_vs_performance")
    quick = partial(module.explained_variance, repeats=1, folds=3, models=["ridge"])
    monkeypatch.setattr(module, "explained_variance", quick)
    monkeypatch.setattr(module, "early_against_final", few_resamples(module.early_against_final))
    monkeypatch.setattr(module, "correlations", few_resamples(module.correlations))
    return module


@pytest.fixture
def undrawn(performance, monkeypatch):
    """The same without its figures, which take longer than all numbers."""
    monkeypatch.setattr(performance, "figures", Mock())
    monkeypatch.setattr(performance, "save", lambda figure, path: path)
    return performance


def few_resamples(function):
    return partial(function, n_bootstrap=49)


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *map(str, arguments)])
    module.main()


def made_up(n_settings=14, seeds=2):
    """Runs whose error follows hops_to_output, in two families."""
    rng = np.random.default_rng(0)
    n = n_settings * seeds
    hops = np.repeat(rng.uniform(1, 5, n_settings), seeds)
    return pd.DataFrame(
        {
            "key": [f"k{i}" for i in range(n)],
            "family": np.repeat(np.where(np.arange(n_settings) % 3, "rewire", "thin"), seeds),
            "p": np.repeat(np.arange(n_settings) / n_settings, seeds),
            "seed": np.tile(np.arange(seeds), n_settings),
            "epochs": 3,
            "final_training_error": 0.1 * hops,
            "final_test_error": 0.1 * hops + rng.normal(0, 0.02, n),
            "final_log_spread_interlayer": rng.normal(0.5, 0.1, n),
            "epoch1_test_error": 0.12 * hops + rng.normal(0, 0.02, n),
            "epoch1_log_spread_interlayer": rng.normal(0.5, 0.1, n),
            "metric_n_nodes": 100.0,
            "metric_density": 0.3,
            "metric_density_0_1": rng.random(n),
            "metric_characteristic_path_length": rng.random(n),
            "metric_hops_to_output": hops,
            "metric_transitivity": np.nan,
        }
    )


def test_a_table_becomes_figures_tables_and_a_conclusion(performance, monkeypatch, capsys):
    runs = made_up()
    runs.to_csv("runs.csv", index=False)
    run(performance, monkeypatch, "runs.csv", "--out", "out", "--permutations", 199)
    names = {path.name for path in Path("out").iterdir()}
    assert names == {
        *(f"{name}.{ending}" for name in FILES for ending in ("csv", "png")),
        "metrics_vs_performance_bins.csv",
        "seed_noise.csv",
    }
    found = pd.read_csv("out/correlations.csv").set_index(["metric", "outcome", "kind"])
    assert found.value["metric_hops_to_output", "final_test_error", "spearman"] > 0.9
    assert set(found.n) == {14, 0}  # settings, not runs; none with a transitivity
    assert "metric_n_nodes" not in found.index
    assert "metric_density_0_1" not in found.index
    undefined = found.undefined["metric_density", "final_test_error", "pearson"]
    assert undefined == "the metric does not vary"
    explained = pd.read_csv("out/explained_variance.csv")
    assert set(explained.features) == {
        "p", "structure", "p + structure", "p + topology", "p + topology + structure",
    }  # fmt: skip
    out = capsys.readouterr().out
    noise = noise_floor(runs, ["final_test_error"]).within[0]
    assert f"seeds of one setting spread by {noise:.3g}" in out
    error, spread = out.split("\n\n")[1:3]
    strong = r": \+(0\.9|1\.0)"
    assert re.search("hops to output" + strong, error)
    assert not re.search("hops to output" + strong, spread)
    assert re.search("first epoch against last: test error" + strong, error)


def test_the_same_seed_gives_the_same_tables(undrawn, monkeypatch):
    made_up().to_csv("runs.csv", index=False)
    tables = []
    for out in ("a", "b"):
        run(undrawn, monkeypatch, "runs.csv", "--out", out, "--permutations", 19)
        tables.append([path.read_bytes() for path in sorted(Path(out).glob("*.csv"))])
    assert tables[0] == tables[1]


def test_part_of_the_runs(undrawn, monkeypatch, capsys):
    made_up().to_csv("runs.csv", index=False)
    part = "metric_hops_to_output > 2 and family == 'rewire'"
    run(undrawn, monkeypatch, "runs.csv", "--where", part, "--permutations", 19)
    kept = made_up().query(part)
    assert capsys.readouterr().out.startswith(f"{len(kept)} runs, {len(kept) // 2} settings.")
    explained = pd.read_csv("runs/analysis/explained_variance.csv")
    assert set(explained.features) == {"p", "structure", "p + structure"}  # one topology is left
    with pytest.raises(SystemExit, match=r"^error: where: 'nothing > 0' cannot be evaluated"):
        run(undrawn, monkeypatch, "runs.csv", "--where", "nothing > 0")
    with pytest.raises(SystemExit, match=r"^error: where: 'p > 2' is true of none of the 28 runs"):
        run(undrawn, monkeypatch, "runs.csv", "--where", "p > 2")


def test_matched_networks_are_ranked_among_those_of_equal_p_and_edges(performance):
    settings = pd.DataFrame(
        {
            "p": [0.1] * 6 + [0.3] * 6 + [0.5] * 3,
            "metric_n_edges": [100.0] * 15,
            # Against p the other way round, and without a say within equal p.
            "metric_hops_to_output": [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16, 7, 8, 9],
            "metric_density": [3.0, 1, 2, 2, 1, 3, 9, 7, 8, 8, 7, 9, 4, 5, 6],
            "final_test_error": [31, 32, 33, 34, 35, 36, 1, 2, 3, 4, 5, 6, 0, 0, 0],
        }
    )
    metrics = ["metric_hops_to_output", "metric_density"]
    options = {"seed": 0, "n_permutations": 999}
    outcomes = ["final_test_error"]
    hops, density = performance.matched_correlations(settings, metrics, outcomes, **options).value
    assert hops == pytest.approx(1)
    assert density == pytest.approx(0, abs=1e-12)
    ranks = performance.matched_ranks(settings, metrics)
    assert len(ranks) == 12  # three of a kind are too few
    assert ranks["metric_hops_to_output"].agg(["min", "max"]).tolist() == [-0.5, 0.5]


def test_a_study_of_single_seeds_has_no_noise_floor(performance, monkeypatch, capsys):
    made_up(seeds=1).to_csv("runs.csv", index=False)
    run(performance, monkeypatch, "runs.csv", "--permutations", 19)
    assert "noise floor: unknown, no setting has two seeds" in capsys.readouterr().out


def test_seed_noise_in_words_tables_and_a_figure(script, monkeypatch, capsys):
    made_up().to_csv("runs.csv", index=False)
    run(script("seed_noise"), monkeypatch, "runs.csv", "--out", "out")
    floor = pd.read_csv("out/seed_noise.csv")
    assert floor.within[1] == pytest.approx(0.02, rel=0.5)
    settings = pd.read_csv("out/seed_noise_settings.csv")
    assert len(settings) == 3 * 14
    assert set(settings.topology) == {"rewire", "thin"}
    pooled = np.sqrt((settings["std"] ** 2).groupby(settings.outcome).mean())
    assert pooled["final_test_error"] == pytest.approx(floor.within[1], rel=1e-4)
    assert Path("out/seed_noise.png").stat().st_size > 10_000
    assert f"test error: seeds of one setting spread by {floor.within[1]:.3g}" in (
        capsys.readouterr().out
    )


def config(**changes):
    base = RunConfig(data=named("digits", 100), topology=Rewire((64, 9, 8, 10)))
    return base.changed(**changes)


def test_folders_and_stores_are_read_alike(script, capsys):
    tables = script("tables")
    study = Study("s", grid(config(), p=[0.1, 0.3], seed=[0, 1]), epochs=2)
    with ThreadPoolExecutor(1) as pool:
        sweep(study, "s.sqlite", pool)
    folders = [Path(f"run{i}") for i in range(4)]
    for folder, one in zip(folders, study.runs, strict=True):
        train(one, folder, epochs=2)
    stored, found = tables.read_runs([Path("s.sqlite")]), tables.read_runs(folders)
    common = [name for name in found if name not in ("key", "layer_sizes")]
    assert {"final_test_error", "epoch1_log_spread", "epochs", "p"} <= set(common)
    pd.testing.assert_frame_equal(
        found[common].sort_values(["p", "seed"], ignore_index=True),
        stored[common].sort_values(["p", "seed"], ignore_index=True),
        check_dtype=False,
    )
    first = tables.read_runs(folders, epoch=1)
    assert first.final_test_error.tolist() == found.epoch1_test_error.tolist()
    # A folder that has not got there is left out with a note.
    train(config(p=0.5), "behind", epochs=1)
    assert len(tables.read_runs([*folders, Path("behind")], epoch=2)) == 4
    assert "behind: left out, has not finished epoch 2" in capsys.readouterr().err


def test_topologies_are_named_by_what_is_unusual(script):
    runs = pd.DataFrame(
        {
            "p": 0.1,
            "family": ["rewire", "rewire", "rewire", "thin"],
            "places": ["skip", "input", "skip", "skip"],
            "intralayer": [False, False, True, False],
            "neighbours": 0,
        }
    )
    names = script("tables").topologies(runs)
    assert names.tolist() == ["rewire", "rewire, places input", "rewire, intralayer", "thin"]
    assert set(script("tables").topologies(runs[:1])) == {"all"}
    inside = script("tables").topologies(runs[["p", "intralayer"]])
    assert inside.tolist() == ["usual", "usual", "intralayer", "usual"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "none.csv: cannot be read"),
        (["none.sqlite"], "none.sqlite: no store here"),
        (["runs.csv", "--outcomes", "final_eror"], "unknown column 'final_eror'"),
        (["runs.csv", "--epoch", "1"], "epoch: 1 can be asked of run folders only"),
        (["runs.csv", "runs.csv"], "runs.csv: give one store or CSV"),
        (["empty.sqlite"], "empty.sqlite: no finished run in it yet"),
    ],
)
def test_bad_input_is_one_line(script, monkeypatch, arguments, message):
    made_up().to_csv("runs.csv", index=False)
    Store("empty.sqlite").close()
    with pytest.raises(SystemExit, match=f"^error: {message}"):
        run(script("seed_noise"), monkeypatch, *arguments)
