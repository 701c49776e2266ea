"""The settings of the large study, and its tables on made-up errors."""

from __future__ import annotations

import large_study
import large_study_hypotheses as hypotheses
import large_study_prediction as prediction
import large_study_results as results
import large_study_untrained as untrained
import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import Dataset, InputError, LayeredGraph, Network
from smallworld_eqprop.learning.trainer import initial_network
from smallworld_eqprop.studies.measures import Measured, take

PAPER = large_study.RECIPES["paper"]


@pytest.fixture(scope="module")
def everything() -> list:
    return list(large_study.studies())


def test_settings_have_names_of_their_own_and_the_halves_are_alike() -> None:
    settings = large_study.settings()
    assert len({each.name for each in settings}) == len(settings) >= 60
    halves = [sum(each.half == half for each in settings) for half in large_study.HALVES]
    assert abs(halves[0] - halves[1]) <= 2
    assert {*large_study.TWELVE, *large_study.QUICK} <= {each.name for each in settings}


def test_every_run_has_its_setting_recipe_and_schedule(everything: list) -> None:
    assert [each.name for each in everything][:2] == [
        "weak-feedback-explore",
        "weak-feedback-confirm",
    ]
    runs = [run for study in everything for run in study.runs]
    assert len({run.name for run in runs}) * len(large_study.SEEDS) == len(runs)
    for run in runs:
        rate = getattr(run.training.optimiser, "learning_rate", None)
        assert getattr(rate, "epochs", large_study.EPOCHS) == large_study.EPOCHS
    lengths = {each.name.rpartition("-")[0]: each.epochs for each in everything}
    assert lengths.pop("paper-long") == 30
    assert set(lengths.values()) == {10}


def test_settings_know_whether_layers_have_edges_inside() -> None:
    for setting in large_study.settings():
        if setting.layers:
            config = large_study.run(setting, PAPER, seed=0)
            graph = config.topology.build(0)
            lower, upper = graph.layers[graph.edges].T
            assert (lower == upper).any() == setting.inside, setting.name


@pytest.mark.parametrize("kind", ["rewire", "rewire_ends", "rewire_keeping_degrees", "random_like"])
def test_compared_families_have_equally_many_edges(kind: str) -> None:
    for setting in large_study.settings():
        spec = setting.topology
        if spec["kind"] == kind and not {"intralayer", "neighbours"} & spec.keys():
            config = large_study.run(setting, PAPER, seed=0)
            assert config.topology.build(0).n_edges == 49_700, setting.name


def test_hidden_graphs_have_as_many_edges() -> None:
    for setting in large_study.settings():
        if setting.topology["kind"] == "hidden_graph":
            config = large_study.run(setting, PAPER, seed=0)
            assert config.topology.build(0).n_edges == 49_700, setting.name


def test_deeper_networks_have_ten_layers_or_as_many_nodes_and_edges() -> None:
    deep = large_study.RECIPES["paper-10x64"]
    edges = 64 * (784 + 9 * 64 + 10)
    for setting in large_study.settings():
        if setting.name in large_study.TWELVE:
            config = large_study.run(setting, deep, seed=0)
            graph = config.topology.build(0)
            assert graph.n_nodes == 784 + 640 + 10
            cliques = 10 * 64 * 63 // 2 * (setting.name == "cliques-p0.1")
            assert graph.n_edges == edges + cliques, setting.name


def test_recipes_say_on_what_they_train(everything: list) -> None:
    runs = {run.name.partition("--")[2]: run for study in everything for run in study.runs}
    data = {name: (type(run.data).__name__, run.data.n_train) for name, run in runs.items()}
    assert data["paper"] == data["weak-feedback"] == data["paper-10x64"] == ("Mnist", 30_000)
    assert data["weak-feedback-fashion"] == ("FashionMnist", 30_000)
    assert data["paper-full"] == ("Mnist", 60_000)
    assert {run.training.validation for run in runs.values()} == {10_000}


def table(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ten settings, two seeds: hops decide the first error and not the last."""
    runs, history = [], []
    for setting in range(10):
        for seed in range(2):
            key, hops = f"{setting}-{seed}", 1 + setting / 5
            name = f"{'ab'[setting % 2]}-p0.{setting}--paper"
            errors = {1: 0.1 * hops, 2: 0.05, 5: 0.04, 10: rng.uniform(0.02, 0.03)}
            runs.append(
                {
                    "key": key,
                    "name": name,
                    "half": "explore",
                    "seed": seed,
                    "final_test_error": 0.03,
                    "final_log_spread_interlayer": 1.0,
                    "epoch1_log_spread_interlayer": hops**2,
                    results.HOPS: hops,
                    "metric_n_edges": 100,
                    "metric_skip_share": setting % 3,
                    "metric_density_0_1": 1.0,
                }
            )
            history += [
                {
                    "key": key,
                    "epoch": epoch,
                    "validation_error": error,
                    "training_error": error,
                    "worst_residual": setting / 50,
                }
                for epoch, error in errors.items()
            ]
    return pd.DataFrame(runs), pd.DataFrame(history)


def of_hops(settings: pd.DataFrame) -> pd.DataFrame:
    """Rows of hops, by outcome."""
    found = results.ranks(settings, seed=0).query("kind == 'spearman'")
    return found[found.metric == results.HOPS].set_index("outcome")


def test_ranks_of_made_up_errors() -> None:
    settings = results.means(*table(np.random.default_rng(0)))
    assert len(settings) == 10
    assert set(settings.family) == {"a", "b"}
    assert settings.error_1.tolist() == pytest.approx([10 * (1 + k / 5) for k in range(10)])
    found = of_hops(settings)
    # Of ten settings six have a residual up to 0.1, too few to rank.
    assert set(found.settings) == {"all"}
    assert found.value["error_1"] == pytest.approx(1)
    assert abs(found.value["error_last"]) < 0.9
    # Hops of the two families interleave, so that nothing is left when errors are dealt out.
    assert -1 < found.null_low["error_1"] < 0 < found.null_high["error_1"] < 1
    spread = results.recipes(settings).set_index("outcome")
    assert spread.least_of["error_1"] == "a-p0.0"
    assert spread.largest["error_1"] == pytest.approx(28)


def test_dealing_out_keeps_what_differs_between_families() -> None:
    settings = results.means(*table(np.random.default_rng(0)))
    settings["family"] = np.where(settings[results.HOPS] < 2, "low", "high")
    found = of_hops(settings)
    assert 0.4 < found.null_low["error_1"] < found.null_high["error_1"] <= 1


def test_settled_settings_are_ranked_apart() -> None:
    runs, history = table(np.random.default_rng(0))
    history["worst_residual"] = np.where(history.key.str[0].isin(["0", "9"]), 0.5, 0.01)
    found = results.ranks(results.means(runs, history), seed=0)
    assert found.groupby("settings").n.unique().map(list).to_dict() == {"all": [10], "settled": [8]}


@pytest.mark.parametrize(
    ("side", "low", "high", "verdict"),
    [
        ("above", 0.51, 0.9, "holds"),
        ("above", 0.3, 0.9, "open"),
        ("above", -0.9, 0.49, "refuted"),
        ("below", -0.9, 0.49, "holds"),
        ("below", 0.51, 0.9, "refuted"),
        ("within", -0.3, 0.49, "holds"),
        ("within", -0.6, 0.1, "open"),
        ("within", -0.9, -0.6, "refuted"),
        ("within", float("nan"), 0.1, "open"),
    ],
)
def test_a_verdict_needs_the_whole_interval(side, low, high, verdict) -> None:
    assert hypotheses.Test("", "", "", side, 0.5).verdict(low, high) == verdict


def test_hypotheses_of_made_up_errors() -> None:
    settings = results.means(*table(np.random.default_rng(0)))
    adam = settings.assign(recipe="adam", error_last=settings.error_last / 10)
    found = hypotheses.judge(pd.concat([settings, adam]), seed=0)
    # Small-world coefficients were not measured, and nothing was trained with weak feedback.
    assert found.hypothesis.tolist() == ["H1", "H1", "H2", "H2", "H6", "H4"]
    first = found.iloc[0]
    assert (first.n, first.value, first.verdict) == (10, pytest.approx(1), "holds")
    # Errors of the first epoch and log-spreads are in the order of hops here.
    assert found.value[2] == pytest.approx(found.value[3])
    assert np.isnan(found.value[4])
    ratio = found.iloc[-1]
    assert (ratio.half, ratio.verdict) == ("all", "holds")
    assert ratio[["value", "low", "high"]].tolist() == pytest.approx([0.1] * 3)


def test_other_recipes_are_set_beside_the_papers() -> None:
    paper = results.means(*table(np.random.default_rng(0)))
    hops = paper[results.HOPS]
    adjoint = paper.assign(recipe="adjoint", error_last=10 - hops)
    coarse = paper.assign(recipe="six-bit-steps", error_last=paper.error_last + hops**2)
    found = hypotheses.judge(pd.concat([paper, adjoint, coarse]), seed=0)
    of = {name: part.reset_index() for name, part in found.groupby("hypothesis")}
    # Errors by the exact gradient fall with hops here, and what is lost grows with them.
    assert of["H7"].value[0] == pytest.approx(-1)
    assert of["H7"].value[1] == pytest.approx(of["H2"].value[0] + 1)
    lost = of["H8"].loc[0]
    assert (lost.n, lost.value, lost.verdict) == (10, pytest.approx(1), "holds")


def test_recipes_agree_as_far_as_they_rank_the_same_settings_alike() -> None:
    paper = results.means(*table(np.random.default_rng(0)))
    opposite = paper.assign(recipe="adam", error_last=-paper.error_last).iloc[:9]
    few = paper.assign(recipe="adjoint").iloc[:5]
    found = results.agreement(pd.concat([paper, opposite, few]), seed=0)
    assert found[["recipe", "other", "n"]].to_numpy().tolist() == [["paper", "adam", 9]]
    assert found[["value", "low", "high"]].to_numpy().tolist() == [pytest.approx([-1] * 3)]
    assert results.agreement(paper, seed=0).empty


def test_what_is_predicted_of_families_that_were_not_seen() -> None:
    rng = np.random.default_rng(0)
    hops, edges, skips = rng.random((3, 40))
    settings = pd.DataFrame(
        {
            "recipe": "paper",
            "family": np.arange(40) % 8,
            results.HOPS: hops,
            "metric_n_edges": edges,
            "metric_skip_share": skips,
            "metric_alike": 1.0,
            "metric_missing": np.where(np.arange(40) == 3, np.nan, 1.0),
            "error_last": 10 * hops,
            "seeds_error_last": 1.0,
            "n_seeds": 3,
        }
    )
    found = prediction.predictions(settings, seed=0).set_index(["features", "model"])
    for model in ("ridge", "forest"):
        assert found.r2["edges and skips", model] < 0.2
        assert found.r2["with hops", model] > 0.8
        # Of all measures the same three can be used, in another order.
        both = [found.r2[f"with {what}", model] for what in ("all measures", "hops")]
        assert both[0] == pytest.approx(both[1], abs=0.02)
    noise = (1 / 3) / settings.error_last.var()
    assert found.ceiling.tolist() == pytest.approx([1 - noise] * 6)
    assert prediction.predictions(settings[settings.family < 4], seed=0).empty


def test_measures_before_training_are_those_of_the_table_of_all_settings() -> None:
    runs, history = table(np.random.default_rng(0))
    runs = runs.assign(metric_before_coupling_x=1.0, metric_coupling_x=2.0)
    settings = results.means(runs, history)
    assert "metric_before_coupling_x" not in settings
    assert (settings.metric_coupling_x == 2).all()


def test_epochs_to_an_error_need_all_seeds() -> None:
    runs, history = table(np.random.default_rng(0))
    history.loc[history.key == "0-1", "validation_error"] = 0.2
    settings = results.means(runs, history).set_index("setting")
    # Others have 12 to 28 % after one epoch and 5 % after two.
    assert settings["epochs_to_10"]["b-p0.1"] == 2
    assert np.isnan(settings["epochs_to_10"]["a-p0.0"])
    assert settings["epochs_to_3"]["b-p0.1"] == 10


def test_how_far_training_errors_fell_in_the_last_epochs() -> None:
    errors = {"falls": [0.5, 1, 2, 4, 8], "still": [8, 8, 8, 8], "short": [8, 8, 8]}
    rows = [(key, -k, e) for key, own in errors.items() for k, e in enumerate(own)]
    history = pd.DataFrame(rows, columns=["key", "epoch", "training_error"])
    found = results.fall(history)
    assert (found["falls"], found["still"]) == (1 - 0.5 / 4, 0)
    assert np.isnan(found["short"])


def test_coefficients_are_joined_by_setting(tmp_path) -> None:
    settings = results.means(*table(np.random.default_rng(0)))
    path = tmp_path / "small_world.csv"
    assert results.with_untrained(settings, path) is settings
    rows = [(name, seed, k + seed) for k, name in enumerate(settings.setting) for seed in (0, 1)]
    columns = ["setting", "seed", "metric_small_world_sigma"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    found = results.with_untrained(settings, path)
    assert found.metric_small_world_sigma.tolist() == [k + 0.5 for k in range(10)]
    judged = hypotheses.judge(found, seed=0)
    assert "H5" in set(judged.hypothesis)


def test_what_needs_no_training_is_measured_once(tmp_path, monkeypatch) -> None:
    measured = []

    def sigma(config, graph) -> dict[str, float]:
        assert graph.n_edges > 0
        measured.append((config.name.split("--")[0], config.training.seed))
        return {"sigma": float(config.training.seed)}

    monkeypatch.setattr(untrained, "MEASURES", {"small_world": sigma})
    for names in (["layered"], ["layered", "pegasus"]):
        arguments = ["--out", str(tmp_path), "--settings", *names]
        monkeypatch.setattr("sys.argv", ["x", "small_world", *arguments])
        assert untrained.main() == 0
    assert measured == [(name, seed) for name in ("layered", "pegasus") for seed in (0, 1, 2)]
    table = pd.read_csv(tmp_path / "small_world.csv")
    assert table.metric_sigma.tolist() == [0, 1, 2, 0, 1, 2]


@pytest.fixture
def small(monkeypatch) -> tuple:
    """A layered network with three nodes a layer, and random pixels."""
    spec = {"kind": "layered", "layer_sizes": [784, 3, 3, 10]}
    setting = large_study.Setting("small", "explore", spec)
    config = large_study.run(setting, PAPER, seed=0)
    rng = np.random.default_rng(0)
    pixels = rng.random((60, 784), dtype=np.float32)
    targets = np.eye(10, dtype=np.float32)[rng.integers(10, size=60)]
    data = Dataset("random", "classification", pixels, targets, pixels, targets)
    monkeypatch.setattr(untrained, "_loaded", lambda _: data)
    return config, config.topology.build(0)


def test_coefficients_of_a_complete_layered_network(small) -> None:
    found = untrained.small_world(*small)
    assert found["small_world_sigma"] == 0  # it has no triangles


def test_other_measures_of_a_graph(small) -> None:
    found = untrained.graphs(*small)
    assert found["skip_betweenness"] == 0
    # All shortest paths cross the two hidden layers; three of each share them alike.
    assert found["largest_node_betweenness"] == pytest.approx(1 / 3)
    assert {"modularity", "rich_club_normalised"} <= found.keys()


def test_circuits_of_a_small_network(small) -> None:
    found = untrained.circuits(*small)
    assert 0 < found["cosine"] <= 1
    assert found["attractors"] >= 1
    assert found["condition"] >= 1
    assert found == untrained.circuits(*small)


def test_initial_weights_are_measured_as_in_a_run(small) -> None:
    found = untrained.couplings(*small)
    config, graph = small
    run = Measured(config, graph, initial_network(graph, config.training))
    values, errors = take(large_study.WEIGHTED, run)
    assert not errors
    assert found == {name: v for name, v in values.items() if name.startswith("before_")}


def test_the_condition_number_counts_nodes_between_their_bounds() -> None:
    # An input, two hidden nodes and an output in a chain, with weights of one half.
    graph = LayeredGraph([1, 1, 1, 1], [(0, 1), (1, 2), (2, 3)])
    network = Network(graph, np.full(3, 0.5), dtype=np.float64)
    inside, bound = [0.5, 0.5, 0.5], [0.5, 1, 0.5]
    root = np.sqrt(2) / 2
    assert untrained.condition(network, np.array([inside])) == pytest.approx(
        (1 + root) / (1 - root)
    )
    assert untrained.condition(network, np.array([bound])) == pytest.approx(1)


def test_of_no_gradient_there_is_no_cosine() -> None:
    assert np.isnan(untrained.cosine(np.zeros(2), np.ones(2)))
    assert untrained.cosine(np.array([1, 0]), np.array([1, 1])) == pytest.approx(np.sqrt(0.5))


def test_no_runs_is_one_line() -> None:
    with pytest.raises(InputError, match="no finished run"):
        results.means(pd.DataFrame(), pd.DataFrame())
