from __future__ import annotations

import dataclasses
import json
import os
import tomllib
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop import Hopfield, InputError, RunConfig, TrainingConfig, WeakFeedback
from smallworld_eqprop.data import named
from smallworld_eqprop.data.table_files import Csv
from smallworld_eqprop.dynamics import SOR, Euler, Initial
from smallworld_eqprop.graphs.topology import Layered, Rewire, RewireEnds, Thin
from smallworld_eqprop.graphs.topology.null import NullOf
from smallworld_eqprop.learning import (
    SGD,
    Adjoint,
    Centred,
    Contrastive,
    Coupled,
    OneSided,
    RandomSign,
    ReadoutOnly,
    SquaredError,
)
from smallworld_eqprop.learning.schedules import Constant
from smallworld_eqprop.presets import preset_names
from smallworld_eqprop.studies.config import FILE_NAME

NAN = float("nan")


def toml(table, path=""):
    """A table as TOML, without short forms."""
    lines = [f"{key} = {toml_value(v)}" for key, v in table.items() if not isinstance(v, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{path}{key}]", toml(value, f"{path}{key}.")]
    return "\n".join(lines)


def toml_value(value):
    return repr(value) if isinstance(value, float) else json.dumps(value)


def again(config):
    """A configuration that was written as JSON and read."""
    return RunConfig.from_dict(json.loads(json.dumps(config.to_dict())))


# --- as it is written --------------------------------------------------------------------------


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_survives_dictionaries_json_and_toml(name, tmp_path):
    config = RunConfig.preset(name)
    assert config.summary
    path = tmp_path / f"{name}.toml"
    path.write_text(toml(config.to_dict()))
    for read in (RunConfig.from_dict(config.to_dict()), again(config), RunConfig.from_toml(path)):
        assert read == config
        assert read.key == config.key
        assert read.to_dict() == config.to_dict()


def test_defaults_are_left_out():
    assert RunConfig().to_dict() == {
        "name": "run",
        "summary": "",
        "topology": {"kind": "rewire"},
        "data": {"kind": "mnist"},
        "model": {"kind": "hopfield"},
        "rule": {"kind": "random-sign"},
        "loss": {"kind": "squared-error"},
        "optimiser": {"kind": "sgd"},
        "relaxation": {"kind": "sor"},
    }
    config = RunConfig(
        topology=Thin((784, 30, 10), p=0.5),
        data=named("digits", 20),
        training=TrainingConfig(rule=Centred(0.1, SOR(1e-5)), initial=Initial(0.5), seed=3),
    )
    written = config.to_dict()
    assert written["topology"] == {"kind": "thin", "layer_sizes": [784, 30, 10], "p": 0.5}
    assert written["data"] == {"kind": "digits", "n_train": 20}
    assert written["rule"] == {
        "kind": "centred",
        "beta": 0.1,
        "solver": {"kind": "sor", "tolerance": 1e-5},
    }
    assert (written["initial"], written["training"]) == ({"gain": 0.5}, {"seed": 3})
    assert RunConfig.from_dict({}) == RunConfig()


rates = st.floats(0, 10) | st.lists(st.floats(0, 10), min_size=3, max_size=3).map(tuple)
rates |= st.builds(Constant, st.floats(0, 10))
betas = st.floats(1e-6, 10)
solvers = st.builds(SOR, st.floats(1e-12, 1), st.integers(1, 1000), st.floats(0.1, 1.9))
solvers |= st.builds(Euler, st.integers(1, 1000), st.floats(0.1, 1))
rules = st.one_of(
    *(st.builds(kind, betas, solvers) for kind in (RandomSign, OneSided, Centred)),
    st.builds(Contrastive, solvers),
    st.builds(Coupled, st.floats(1e-6, 1), solvers),
    st.builds(Adjoint, st.floats(1e-12, 1), st.integers(1, 1000)),
)
configs = st.builds(
    RunConfig,
    name=st.text(min_size=1).filter(FILE_NAME.fullmatch),
    summary=st.text(),
    topology=st.builds(
        Rewire,
        st.lists(st.integers(1, 9), min_size=4, max_size=4),
        st.booleans(),
        st.integers(0, 4),
        st.floats(0, 1),
        st.none() | st.integers(0, 100),
        st.sampled_from(["edges", "moves"]),
        st.sampled_from(["skip", "any"]),
    ),
    data=st.builds(named, st.sampled_from(["digits", "wine", "diabetes"]), st.integers(1, 50)),
    training=st.builds(
        TrainingConfig,
        model=st.sampled_from([Hopfield(-1, 1), Hopfield(), WeakFeedback(feedback=0.3)]),
        rule=rules | st.builds(ReadoutOnly, rules),
        optimiser=st.builds(SGD, rates, st.none() | st.floats(0, 1)),
        relaxation=solvers,
        initial=st.builds(Initial, st.floats(0, 2), st.none() | st.floats(0, 1)),
        batch_size=st.integers(1, 100),
        start=st.sampled_from(["particles", "rest"]),
        seed=st.integers(0, 2**31),
        device=st.sampled_from(["numpy", "cuda:1"]),
    ),
)


@given(configs)
def test_any_configuration_survives_json_and_toml(config):
    read = again(config)
    assert read == config
    assert read.key == config.key
    assert hash(read) == hash(config)
    assert read.to_dict() == config.to_dict()
    # Control characters aside, which JSON and TOML write in two ways.
    table = {**config.to_dict(), "name": "x", "summary": ""}
    read = RunConfig.from_dict(tomllib.loads(toml(table)))
    assert read == dataclasses.replace(config, name="x", summary="")


def test_fields_of_a_rule_within_a_rule_go_by_their_path():
    config = RunConfig().changed(rule={"kind": "readout-only", "rule": "coupled"})
    changed = config.changed(**{"rule.rule.eta": 0.3, "rule.rule.solver": "euler"})
    assert changed.training.rule == ReadoutOnly(Coupled(0.3, Euler()))
    assert changed.flat()["rule.rule.eta"] == 0.3
    assert changed.flat()["rule.rule"] == "coupled"
    with pytest.raises(InputError, match=r"rule\.rule\.eta: '2', must be float"):
        config.changed(**{"rule.rule.eta": "2"})


@given(configs, configs)
def test_equal_keys_are_equal_runs(one, other):
    def decisive(config):
        topology, training = config.topology, dataclasses.replace(config.training, device="numpy")
        if not topology.p and topology.moves is None:
            topology = dataclasses.replace(topology, law="edges", places="skip")
        return topology, config.data, training

    assert (one.key == other.key) == (decisive(one) == decisive(other))
    assert dataclasses.replace(one, name="x", summary="y").key == one.key
    assert one.changed(device="cpu", name="z").key == one.key


@given(configs)
def test_flat_names_what_changed_understands(config):
    flat = config.flat()
    json.dumps(flat)
    changes = {key: value for key, value in flat.items() if key not in ("p", "moves", "law")}
    assert config.changed(**changes) == config


def test_a_number_is_the_same_however_it_is_given():
    config = RunConfig()
    assert RunConfig(training=TrainingConfig(rule=RandomSign(1))).key == config.key
    assert RunConfig(training=TrainingConfig(rule=RandomSign(np.float64(1)))).key == config.key
    assert RunConfig(topology=Rewire([784, 500, 500, 500, 10])).key == config.key
    assert RunConfig(topology=Rewire(np.array([784, 500, 500, 500, 10]))).key == config.key
    assert config.changed(seed=np.int64(3)).key == config.changed(seed=3).key
    assert config.changed(p=np.float64(0.5)).topology.p == 0.5
    rates = np.full(4, 0.1)
    assert config.changed(learning_rate=rates.tolist()).training.optimiser == SGD(rates)


def test_presets_are_the_networks_of_the_paper():
    per_layer = RunConfig.preset("layered-3x500-per-layer").training.optimiser
    assert per_layer == SGD((0.128, 0.032, 0.008, 0.002))
    rewired = RunConfig.preset("rewired-3x500")
    assert rewired.data == named("mnist", 50_000)
    assert rewired.topology == Rewire(
        (784, 500, 500, 500, 10), intralayer=True, law="moves", moves=100_000
    )
    assert rewired.training == TrainingConfig(initial=Initial(other_amplitude=0.05))
    graph = rewired.topology.build(0)
    assert graph.n_edges == 1_271_250
    assert graph.provenance[-1]["p"] == pytest.approx(0.0756, abs=5e-5)
    deep = RunConfig.preset("layered-5x100")
    assert deep.topology == Layered((784, 100, 100, 100, 100, 100, 10))
    assert deep.training == TrainingConfig(
        rule=RandomSign(1.0, Euler(12, 0.5)), optimiser=SGD(0.015)
    )


# --- keys --------------------------------------------------------------------------------------


def test_the_key_is_of_all_that_decides_the_outcome_and_nothing_else():
    config = RunConfig.preset("layered-5x100")
    assert dataclasses.replace(config, name="x", summary="y").key == config.key
    assert config.changed(device="cuda").key == config.key
    assert config.changed(device="cuda", seed=3).key == config.changed(seed=3).key
    changes = [
        {"seed": 99},
        {"p": 0.1},
        {"layer_sizes": [784, 10, 10]},
        {"dataset": "fashion-mnist"},
        {"n_train": 10},
        {"learning_rate": 0.1},
        {"relaxation": "euler"},
        {"rule": "centred"},
        {"rule.solver.steps": 11},
        {"model": WeakFeedback()},
        {"gain": 0.5},
        {"start": "rest"},
    ]
    keys = {config.changed(**change).key for change in changes}
    assert len(keys | {config.key}) == len(changes) + 1


def test_a_network_in_which_nothing_moves_is_the_layered_one():
    config = RunConfig(topology=Layered((8, 6, 3), intralayer=True))
    assert config.changed(p=0).topology == Rewire((8, 6, 3), intralayer=True)
    same = [config.changed(p=0), config.changed(p=0, law="moves", places="any")]
    assert {other.key for other in same} == {config.key}
    other = [config.changed(p=0.1), config.changed(moves=0), config.changed(intralayer=False, p=0)]
    assert config.key not in {each.key for each in other}


def test_the_seed_decides_the_graph():
    topology = Rewire((8, 6, 6, 3), law="edges", p=0.5)
    assert topology.build(1) == topology.build(1)
    assert topology.build(1) != topology.build(2)


# --- changed -----------------------------------------------------------------------------------


def test_changed_finds_keys_in_every_table():
    config = RunConfig.preset("rewired-3x500", seed=4, p=0.2, dataset="digits")
    assert config.training.seed == 4
    assert (config.topology.p, config.topology.moves) == (0.2, None)
    assert config.data == named("digits")  # 50,000 counted examples of MNIST
    by_edges = RunConfig.preset("rewired-3x500-no-intralayer").changed(moves=7)
    assert (by_edges.topology.law, by_edges.topology.moves) == ("moves", 7)
    assert by_edges.changed().topology == by_edges.topology


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"beta": 0.3}, {"rule": RandomSign(0.3)}),
        ({"rule.beta": 0.3}, {"rule": RandomSign(0.3)}),
        ({"rule": {"beta": 0.3}}, {"rule": RandomSign(0.3)}),
        ({"rule": "centred"}, {"rule": Centred()}),
        ({"rule": {"kind": "centred"}}, {"rule": Centred()}),
        ({"rule": Centred(0.1)}, {"rule": Centred(0.1)}),
        ({"rule": "one-sided", "beta": 0.5}, {"rule": OneSided(0.5)}),
        ({"rule.solver.steps": 12}, {"rule": RandomSign(1.0, Euler(12))}),
        ({"rule": {"solver": {"steps": 12}}}, {"rule": RandomSign(1.0, Euler(12))}),
        ({"rule.solver": "sor"}, {"rule": RandomSign(1.0, SOR())}),
        ({"solver": SOR(1e-5)}, {"rule": RandomSign(1.0, SOR(1e-5))}),
        (
            {"rule.solver": "sor", "rule.solver.tolerance": 1e-5},
            {"rule": RandomSign(1.0, SOR(1e-5))},
        ),
        ({"relaxation": "euler", "steps": 30}, {"relaxation": Euler(30)}),
        ({"relaxation.tolerance": 1e-5}, {"relaxation": SOR(1e-5)}),
        ({"model": "weak-feedback", "feedback": 0.3}, {"model": WeakFeedback(feedback=0.3)}),
        ({"learning_rate": Constant(0.1)}, {"optimiser": SGD(Constant(0.1))}),
        ({"learning_rate": {"kind": "constant", "rate": 1}}, {"optimiser": SGD(Constant(1.0))}),
        ({"initial.gain": 0.5}, {"initial": Initial(0.5)}),
        ({"initial": {"gain": 0.5}}, {"initial": Initial(0.5)}),
        ({"initial": Initial(0.5)}, {"initial": Initial(0.5)}),
        ({"training.seed": 3}, {"seed": 3}),
        ({"training": {"seed": 3, "batch_size": 5}}, {"seed": 3, "batch_size": 5}),
        (
            {"training": TrainingConfig(rule=Adjoint(), seed=3, loss=SquaredError())},
            {"rule": Adjoint(), "seed": 3},
        ),
    ],
)
def test_training_is_changed_by_short_dotted_and_kind_keys(changes, expected):
    assert RunConfig().changed(**changes).training == TrainingConfig(**expected)


def test_a_field_of_a_part_within_a_part_is_changed_again():
    config = RunConfig().changed(learning_rate=Constant(0.1))
    assert config.changed(**{"optimiser.learning_rate.rate": 0.3}).training.optimiser == SGD(
        Constant(0.3)
    )


def test_a_field_that_is_called_like_a_table_has_its_table_in_front():
    null = NullOf(Thin((8, 6, 3), p=0.5), sample=1)
    config = RunConfig(topology=null)
    flat = config.flat()
    assert (flat["model"], flat["topology.model"]) == ("hopfield", "degree_preserving")
    assert (flat["topology.of"], flat["topology.of.p"], flat["sample"]) == ("thin", 0.5, 1)
    other = config.changed(**{"topology.model": "erdos_renyi", "topology.of.p": 0.25}, sample=2)
    assert other.topology == NullOf(Thin((8, 6, 3), p=0.25), "erdos_renyi", 2)
    assert config.changed(model="weak-feedback").topology == null
    assert again(other) == other
    assert again(other).key == other.key != config.key


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"family": "thin", "p": 0.1}, Thin((8, 6, 3), p=0.1)),
        ({"topology": "thin"}, Thin((8, 6, 3))),
        ({"topology": {"kind": "thin", "layer_sizes": [8, 3]}}, Thin((8, 3))),
        ({"topology": Thin((8, 3), p=1.0)}, Thin((8, 3), p=1.0)),
        ({"topology": {"intralayer": True}}, Layered((8, 6, 3), intralayer=True)),
        ({"family.neighbours": 2}, Layered((8, 6, 3), neighbours=2)),
        ({"p": 0.2}, Rewire((8, 6, 3), p=0.2)),
        ({"topology.p": 0.2}, Rewire((8, 6, 3), p=0.2)),
        ({"moves": 3}, Rewire((8, 6, 3), law="moves", moves=3)),
        ({"places": "any", "p": 0.5}, Rewire((8, 6, 3), p=0.5, places="any")),
        (
            {"family": "rewire_ends", "across_layers": True},
            RewireEnds((8, 6, 3), across_layers=True),
        ),
    ],
)
def test_topology_is_changed_by_family_or_by_name(changes, expected):
    config = RunConfig(topology=Layered((8, 6, 3)))
    assert config.changed(**changes).topology == expected


def test_p_takes_the_place_of_moves_and_moves_that_of_p():
    moves = RunConfig(topology=Rewire((8, 6, 3), law="moves", moves=3))
    for key in ("p", "topology.p", "family.p"):
        assert moves.changed(**{key: 0.5}).topology == Rewire((8, 6, 3), law="moves", p=0.5)
    assert moves.changed(p=0.5).changed(moves=2).topology == Rewire((8, 6, 3), law="moves", moves=2)
    for one in ("p", "topology.p"):
        for other in ("moves", "topology.moves"):
            with pytest.raises(InputError, match=r"p: 0.1 and moves: 3; give one of them"):
                moves.changed(**{one: 0.1, other: 3})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dataset": "wine"}, named("wine")),
        ({"data": "wine"}, named("wine")),
        ({"data": {"kind": "wine", "n_train": 3}}, named("wine", 3)),
        ({"data": named("wine", 3)}, named("wine", 3)),
        ({"dataset": "wine", "n_train": 3}, named("wine", 3)),
        ({"data": {"n_train": 3}}, named("digits", 3)),
        ({"n_train": None}, named("digits")),
        ({"dataset": "csv", "path": "x.csv", "target": "y"}, Csv("x.csv", "y")),
    ],
)
def test_data_is_changed_by_dataset_or_by_name(changes, expected):
    assert RunConfig(data=named("digits", 20)).changed(**changes).data == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batchsize": 3}, ["batchsize", "did you mean batch_size?"]),
        ({"dataset": "mnits"}, ["mnits", "did you mean mnist?"]),
        ({"layer_sizes": [784, -5, 10]}, ["layer_sizes", "-5"]),
        ({"layer_sizes": []}, ["layer_sizes", "at least two"]),
        ({"layer_sizes": "wide"}, ["layer_sizes", "wide", "list of whole numbers"]),
        ({"layer_sizes": [784, 2.5, 10]}, ["layer_sizes[1]", "2.5", "whole number"]),
        ({"learning_rate": [0.1, 0.2]}, ["learning_rate", "2 rates"]),
        ({"learning_rate": NAN}, ["learning_rate", "nan"]),
        ({"learning_rate": "fast"}, ["learning_rate", "fast", "constant"]),
        ({"batch_size": 0}, ["batch_size", "0"]),
        ({"batch_size": True}, ["batch_size", "True", "whole number"]),
        ({"beta": NAN}, ["beta", "nan"]),
        ({"tolerance": NAN}, ["tolerance", "nan"]),
        ({"relaxation": "newton"}, ["relaxation", "newton", "euler"]),
        ({"law": "ants"}, ["law", "ants", "moves"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"p": 0.1, "moves": 3}, ["0.1", "3", "one of them"]),
        ({"nudged_steps": 3}, ["nudged_steps", "it is rule.solver.steps now"]),
        ({"free_steps": 3}, ["free_steps", "it is relaxation.steps now"]),
        ({"rule.solver.stesp": 3}, ["rule.solver.stesp", "did you mean steps?"]),
        ({"rule.beta.x": 3}, ["rule.beta: holds no object"]),
        ({"rule.nothing.x": 3}, ["rule.nothing: holds no object"]),
        ({"seed.x": 3}, ["unknown key 'seed.x'"]),
        ({"training.seed.x": 3}, ["training.seed.x: seed has no fields"]),
        ({"feedback": 3}, ["'feedback'", "of the kinds of model only weak-feedback knows it"]),
        ({"feedbck": 3}, ["did you mean feedback? (of the kinds of model only weak-feedback"]),
        ({"model": "weak-feedback", "feedbck": 3}, ["did you mean feedback? (allowed: "]),
        ({"lr": 0.1}, ["unknown key 'lr'; did you mean learning_rate? (allowed: "]),
        ({"hardware": "readout"}, ["hardware.bits: none, and noise: 0"]),
        ({"hardware": "redout"}, ["hardware: unknown kind 'redout'; did you mean readout?"]),
        ({"hardware": ["converters", "readout"]}, ["hardware[1].bits: none"]),
        ({"dataset": "mnits"}, ["dataset: unknown kind 'mnits'; did you mean mnist?"]),
        ({"learning_rate": "abc"}, ["optimiser.learning_rate: unknown kind 'abc'"]),
        ({"eta": 2, "rule": "coupled"}, ["rule.eta: 2.0, must be above 0"]),
        ({"training.rule": "centred"}, ["training.rule", "[rule]"]),
        ({"beta": 0.1, "rule.beta": 0.2}, ["rule.beta", "given twice"]),
        ({"rule": 3}, ["rule: 3", "a table with a kind"]),
        ({"rule": SOR()}, ["rule: SOR", "a table with a kind"]),
        ({"name": 3}, ["name: 3", "str"]),
    ],
)
def test_a_bad_value_is_named_in_one_line(change, words):
    preset = RunConfig.preset("layered-5x100")
    with pytest.raises(InputError) as caught:
        preset.changed(**change)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_a_summary_goes_when_it_no_longer_tells_the_truth():
    preset = RunConfig.preset("rewired-5x100")
    assert preset.summary
    assert preset.changed(seed=3, name="mine", device="cpu").summary == preset.summary
    assert preset.changed(batch_size=20, beta=1).summary == preset.summary
    assert preset.changed(layer_sizes=[64, 12, 10]).summary == ""
    assert preset.changed(**{"rule.solver.steps": 3}).summary == ""
    assert preset.changed(dataset="digits").summary == ""
    assert preset.changed(beta=0.5, summary="weaker").summary == "weaker"


def test_parts_are_checked_in_python_too():
    with pytest.raises(InputError, match="topology: 'rewire', must be a Topology"):
        RunConfig(topology="rewire")
    with pytest.raises(InputError, match="data: 'mnist', must be a Data"):
        RunConfig(data="mnist")
    with pytest.raises(InputError, match="3 rates for the 4 layers"):
        RunConfig(training=TrainingConfig(optimiser=SGD((1, 2, 3))))


@pytest.mark.parametrize("p", [NAN, -0.1, 1.1, float("inf")])
def test_p_is_a_share(p):
    with pytest.raises(InputError, match="p: "):
        Rewire((8, 6, 6, 3), p=p).build(0)


def test_more_moves_than_places_are_refused():
    with pytest.raises(InputError, match=r"moves: 1000; .* free places"):
        Rewire((8, 6, 6, 3), law="moves", moves=1000).build(0)


def test_a_part_that_cannot_be_imported_is_in_no_key():
    @dataclass(frozen=True)
    class Mine(SquaredError):
        pass

    config = RunConfig().changed(loss=Mine())
    for write in (config.to_dict, lambda: config.key, config.flat):
        with pytest.raises(InputError, match=r"^loss: .*Mine.* cannot be written") as caught:
            write()
        assert "\n" not in str(caught.value)


# --- files -------------------------------------------------------------------------------------


def test_an_unknown_preset_suggests_one():
    with pytest.raises(InputError, match="did you mean rewired-3x500"):
        RunConfig.preset("rewird-3x500")


def test_a_toml_file_is_a_preset_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'data.kind = "wine"\n[topology]\nkind = "layered"\nlayer_sizes = [13, 10, 3]\n'
        '[rule]\nkind = "centred"\nsolver = { kind = "sor", tolerance = 1e-6 }\n'
    )
    assert RunConfig.from_toml(path) == RunConfig(
        name="mine",
        data=named("wine"),
        topology=Layered((13, 10, 3)),
        training=TrainingConfig(rule=Centred(solver=SOR(1e-6))),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[topology\n", "not a TOML file"),
        ("[topology]\nlayers = 3\n", "did you mean layer_sizes"),
        ('[topology]\nkind = "rewire"\nlayers = 3\n', "did you mean layer_sizes"),
        ("topology = 3\n", "topology: 3, must be a table"),
        ("training = 3\n", "training: 3, must be a table"),
        ("initial = 3\n", "initial: 3, must be a table"),
        ("[initial]\ngian = 3\n", "unknown key 'initial.gian'; did you mean gain?"),
        ("epochs = 3\n", "unknown key 'epochs'"),
        ("[rul]\nbeta = 3\n", "unknown key 'rul'; did you mean rule?"),
        ("[rule]\nbeta = 3\n", "rule.kind: None; give one of: random-sign"),
        ('[training]\nrule = "centred"\n', r"'training.rule'; write \[rule\]"),
        ("[training]\nsed = 3\n", "unknown key 'training.sed'; did you mean seed?"),
        ("name = 3\n", "name: 3; it is part of folder names"),
        (b"\xff\xfe", "not a TOML file"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_toml_file_is_one_line_that_names_it(tmp_path, content, words):
    path = tmp_path / "bad.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as caught:
        RunConfig.from_toml(path)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).count(str(path)) == 1
    assert "\n" not in str(caught.value)


# --- files of before there were kinds ----------------------------------------------------------

OLD_PRESET = """
summary = "784-500-500-500-10 with intralayer edges, 100,000 moves (p = 7.56 %)"
n_train = 50000

[topology]
layer_sizes = [784, 500, 500, 500, 10]
intralayer = true
law = "moves"
moves = 100000

[training]
learning_rate = 0.02
other_amplitude = 0.05
free_steps = 500
nudged_steps = 8
"""


def test_a_preset_file_of_before_is_read(tmp_path):
    path = tmp_path / "rewired-3x500.toml"
    path.write_text(OLD_PRESET)
    assert RunConfig.from_toml(path) == RunConfig.preset("rewired-3x500")
    assert RunConfig.from_toml(path).key == RunConfig.preset("rewired-3x500").key


def test_the_configuration_in_an_old_run_is_read():
    old = {
        "name": "tiny",
        "summary": "",
        "dataset": "digits",
        "n_train": None,
        "topology": {
            "layer_sizes": [64, 15, 12, 10],
            "intralayer": False,
            "neighbours": 0,
            "family": "rewire_ends",
            "p": 0.1,
            "moves": None,
            "law": "edges",
            "places": "skip",
            "across_layers": True,
        },
        "training": {
            "learning_rate": [0.1, 0.2, 0.3],
            "bias_rate": None,
            "beta": 0.5,
            "batch_size": 10,
            "relaxation": "euler",
            "tolerance": 0.001,
            "max_sweeps": 500,
            "free_steps": 30,
            "nudged_steps": 4,
            "step_size": 0.25,
            "other_amplitude": None,
            "seed": 3,
            "device": "cpu",
        },
    }
    assert RunConfig.from_dict(old) == RunConfig(
        name="tiny",
        topology=RewireEnds((64, 15, 12, 10), p=0.1, across_layers=True),
        data=named("digits"),
        training=TrainingConfig(
            rule=RandomSign(0.5, Euler(4, 0.25)),
            optimiser=SGD((0.1, 0.2, 0.3)),
            relaxation=Euler(30, 0.25),
            batch_size=10,
            seed=3,
            device="cpu",
        ),
    )


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "learning_rate": st.floats(0, 1) | st.lists(st.floats(0, 1), min_size=4, max_size=4),
            "bias_rate": st.none() | st.floats(0, 1),
            "beta": st.floats(0.01, 2),
            "relaxation": st.sampled_from(["sor", "euler"]),
            "tolerance": st.floats(1e-9, 1),
            "max_sweeps": st.integers(1, 900),
            "free_steps": st.integers(1, 900),
            "nudged_steps": st.integers(1, 900),
            "step_size": st.floats(0.1, 1),
            "other_amplitude": st.none() | st.floats(0, 1),
            "batch_size": st.integers(1, 90),
            "seed": st.integers(0, 90),
        },
    )
)
def test_old_numbers_mean_what_they_meant(values):
    config = RunConfig.from_dict({"training": values})
    assert config.training == TrainingConfig.paper(**values)
    assert config == again(config)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"training": {"beta": "x"}}, ["rule.beta: 'x'", "float"]),
        ({"training": {"beta": -1.0}}, ["beta: -1.0"]),
        ({"training": {"nudged_steps": 1.5}}, ["rule.solver.steps: 1.5", "whole number"]),
        ({"training": {"relaxation": "newton"}}, ["relaxation: unknown kind 'newton'", "euler"]),
        ({"training": {"beta": 1.0, "batchsize": 3}}, ["batchsize", "did you mean batch_size"]),
        ({"n_train": "x"}, ["data.n_train: 'x'", "whole number"]),
        ({"dataset": "mnits"}, ["did you mean mnist?"]),
        ({"topology": {"family": "thni"}}, ["thni", "did you mean thin?"]),
        ({"topology": {"family": "random_like", "p": 0.1}}, ["topology.p"]),
        ({"topology": {"family": "thin", "moves": 3}}, ["topology.moves"]),
        ({"dataset": "wine", "data": {"kind": "wine"}}, ["dataset", "data"]),
        (
            {"rule": {"kind": "centred"}, "training": {"beta": 0.3}},
            ["training.beta", "it is rule.beta"],
        ),
    ],
)
def test_what_is_wrong_in_an_old_file_is_one_line(values, words):
    with pytest.raises(InputError) as caught:
        RunConfig.from_dict(values)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    "name",
    ["../../x", "/x", "a/b", "a\\b", "a\x00", "a\nb", "=HYPERLINK()", ".hidden", "", "a" * 201],
)
def test_a_name_that_cannot_name_a_folder_is_refused_on_entry(name, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(f"name = {json.dumps(name)}\n")
    for read in (
        lambda: RunConfig(name=name),
        lambda: RunConfig().changed(name=name),
        lambda: RunConfig.from_dict({"name": name}),
        lambda: RunConfig.from_toml(path),
    ):
        with pytest.raises(InputError, match=r"name: .*; it is part of folder names") as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["my net (2)", "a.b", "_x", "-3", "Größe", "p=0.1, seed=3"])
def test_other_names_are_taken(name):
    assert RunConfig.from_dict(RunConfig(name=name).to_dict()).name == name


def test_a_key_of_any_length_is_refused_at_once_and_in_a_line_that_fits_a_screen(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(f"{'k' * 100_000} = 1\n")
    with pytest.raises(
        InputError, match=r"unknown key 'kkk.*\[\.\.\. \d+ characters .*allowed"
    ) as caught:
        RunConfig.from_toml(path)
    assert len(str(caught.value)) <= 1000


def test_a_pipe_is_no_configuration(tmp_path):
    path = tmp_path / "run.toml"
    os.mkfifo(path)
    with pytest.raises(InputError, match=r"run\.toml: not a file"):
        RunConfig.from_toml(path)
