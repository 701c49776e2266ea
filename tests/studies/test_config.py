from __future__ import annotations

import dataclasses
import json

import pytest

from smallworld_eqprop import InputError, RunConfig, TopologyConfig, preset_names

NAN = float("nan")


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_survives_json(name):
    config = RunConfig.preset(name)
    again = RunConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.key == config.key
    assert config.summary


def test_presets_are_the_networks_of_the_paper():
    per_layer = RunConfig.preset("layered-3x500-per-layer").training.learning_rate
    assert per_layer == (0.128, 0.032, 0.008, 0.002)
    rewired = RunConfig.preset("rewired-3x500")
    assert rewired.n_train == 50_000
    assert rewired.topology == TopologyConfig(
        (784, 500, 500, 500, 10), intralayer=True, law="moves", moves=100_000
    )
    graph = rewired.topology.build(0)
    assert graph.n_edges == 1_271_250
    assert graph.provenance[-1]["p"] == pytest.approx(0.0756, abs=5e-5)
    deep = RunConfig.preset("layered-5x100")
    assert deep.topology.layer_sizes == (784, 100, 100, 100, 100, 100, 10)
    assert (deep.training.learning_rate, deep.training.nudged_steps) == (0.015, 12)


def test_the_key_is_of_all_that_decides_the_outcome_and_nothing_else():
    config = RunConfig.preset("layered-5x100")
    assert dataclasses.replace(config, name="x", summary="y").key == config.key
    assert config.changed(device="cuda").key == config.key
    changes = [
        {"seed": 99},
        {"p": 0.1},
        {"layer_sizes": [784, 10, 10]},
        {"dataset": "fashion-mnist"},
        {"n_train": 10},
        {"learning_rate": 0.1},
        {"relaxation": "euler"},
    ]
    keys = {config.changed(**change).key for change in changes}
    assert len(keys | {config.key}) == len(changes) + 1


def test_changed_finds_keys_in_every_table():
    config = RunConfig.preset("rewired-3x500", seed=4, p=0.2, dataset="digits")
    assert config.training.seed == 4
    assert (config.topology.p, config.topology.moves) == (0.2, None)
    assert config.dataset == "digits"
    assert config.n_train is None  # 50,000 counted examples of MNIST
    by_edges = RunConfig.preset("rewired-3x500-no-intralayer").changed(moves=7)
    assert (by_edges.topology.law, by_edges.topology.moves) == ("moves", 7)


def test_the_seed_decides_the_graph():
    topology = TopologyConfig((8, 6, 6, 3), law="edges", p=0.5)
    assert topology.build(1) == topology.build(1)
    assert topology.build(1) != topology.build(2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batchsize": 3}, ["batchsize", "did you mean batch_size?"]),
        ({"dataset": "mnits"}, ["mnits", "did you mean mnist?"]),
        ({"layer_sizes": [784, -5, 10]}, ["layer_sizes", "-5"]),
        ({"layer_sizes": []}, ["layer_sizes", "at least two"]),
        ({"layer_sizes": "wide"}, ["layer_sizes", "wide"]),
        ({"layer_sizes": [784, 2.5, 10]}, ["layer_sizes[1]", "2.5", "int"]),
        ({"learning_rate": [0.1, 0.2]}, ["learning_rate", "2 rates"]),
        ({"learning_rate": NAN}, ["learning_rate", "nan"]),
        ({"learning_rate": "fast"}, ["learning_rate", "fast"]),
        ({"batch_size": 0}, ["batch_size", "0"]),
        ({"batch_size": True}, ["batch_size", "True"]),
        ({"beta": NAN}, ["beta", "nan"]),
        ({"tolerance": NAN}, ["tolerance", "nan"]),
        ({"relaxation": "newton"}, ["relaxation", "newton", "euler"]),
        ({"law": "ants"}, ["law", "ants", "moves"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"p": 0.1, "moves": 3}, ["0.1", "3", "one of them"]),
    ],
)
def test_a_bad_value_is_named_in_one_line(change, words):
    with pytest.raises(InputError) as caught:
        RunConfig.preset("layered-5x100", **change)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("p", [NAN, -0.1, 1.1, float("inf")])
def test_p_is_a_share(p):
    with pytest.raises(InputError, match="p: "):
        TopologyConfig((8, 6, 6, 3), p=p).build(0)


def test_more_moves_than_places_are_refused():
    with pytest.raises(InputError, match=r"moves: 1000; .* free places"):
        TopologyConfig((8, 6, 6, 3), law="moves", moves=1000).build(0)


def test_an_unknown_preset_suggests_one():
    with pytest.raises(InputError, match="did you mean rewired-3x500"):
        RunConfig.preset("rewird-3x500")


def test_a_toml_file_is_a_preset_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('dataset = "wine"\n[topology]\nlayer_sizes = [13, 10, 3]\n')
    config = RunConfig.from_toml(path)
    assert (config.name, config.dataset, config.topology.layer_sizes) == (
        "mine",
        "wine",
        (13, 10, 3),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[topology\n", "not a TOML file"),
        ("[topology]\nlayers = 3\n", "did you mean layer_sizes"),
        ("topology = 3\n", "must be a table"),
        ("epochs = 3\n", "unknown key 'epochs'"),
        (b"\xff\xfe", "not a TOML file"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_toml_file_is_one_line(tmp_path, content, words):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as caught:
        RunConfig.from_toml(path)
    assert "\n" not in str(caught.value)


def test_a_summary_goes_when_it_no_longer_tells_the_truth():
    preset = RunConfig.preset("rewired-5x100")
    assert preset.summary
    assert preset.changed(seed=3, name="mine").summary == preset.summary
    assert preset.changed(layer_sizes=[64, 12, 10]).summary == ""
    assert preset.changed(beta=0.5, summary="weaker").summary == "weaker"
