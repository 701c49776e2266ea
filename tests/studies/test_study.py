from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop import InputError, RunConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.dynamics import Euler
from smallworld_eqprop.graphs.topology import Thin
from smallworld_eqprop.learning import Centred, OneSided, RandomSign
from smallworld_eqprop.studies.study import Study, grid, run_key

BASE = RunConfig.preset("layered-5x100", dataset="digits", layer_sizes=[64, 12, 12, 10])
LAYERS = RunConfig.preset("layered-5x100").topology.layer_sizes

FILE = """
epochs = 3
metrics = ["structure", "small_world"]

[base]
preset = "layered-5x100"
n_train = 200

[grid]
p = [0, 0.1]
seed = [0, 1, 2]

[[grids]]
grid.seed = [0, 1, 2, 3]

[[grids]]
base = { family = "thin", dataset = "digits" }
grid = { p = [0.1], learning_rate = [0.1, [0.1, 0.2, 0.1, 0.2, 0.1, 0.2]] }
"""


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_a_file_is_the_union_of_its_grids(tmp_path):
    study = Study.from_toml(written(tmp_path, FILE))
    assert (study.name, study.epochs) == ("mine", 3)
    assert study.metrics == ("small_world", "structure")
    # Seeds 0 to 2 without rewiring are in two grids.
    assert len(study.runs) == 6 + 1 + 2
    assert [getattr(run.topology, "p", 0) for run in study.runs] == [
        0,
        0,
        0,
        0.1,
        0.1,
        0.1,
        0,
        0.1,
        0.1,
    ]
    assert [run.training.seed for run in study.runs] == [0, 1, 2, 0, 1, 2, 3, 0, 0]
    assert {run.data.n_train for run in study.runs} == {200}
    last = study.runs[-1]
    assert (last.data, last.topology) == (named("digits", 200), Thin(LAYERS, p=0.1))
    assert last.training.optimiser.learning_rate == (0.1, 0.2, 0.1, 0.2, 0.1, 0.2)
    assert study.runs[0].training.rule.solver.steps == 12  # of the preset
    assert {"dataset", "family", "p", "seed", "learning_rate"} <= set(study.varying)


def test_tables_may_be_written_as_tables(tmp_path):
    text = """
[base]
preset = "layered-5x100"
[base.topology]
intralayer = true
[grid]
rule.beta = [0.5, 1.0]
rule.solver.steps = [3]
[[grids]]
base = { preset = "layered-3x500", rule.beta = 2.0 }
grid.optimiser = ["sgd", { kind = "sgd", bias_rate = 1.0 }]
grid.rule = ["centred", { kind = "one-sided" }]
"""
    study = Study.from_toml(written(tmp_path, text))
    assert all(run.topology.intralayer for run in study.runs)
    rules = [run.training.rule for run in study.runs]
    assert rules[:2] == [RandomSign(beta, Euler(3)) for beta in (0.5, 1.0)]
    assert rules[2:] == [Centred(2.0), OneSided(2.0)] * 2


def test_python_says_the_same(tmp_path):
    text = '[base]\npreset = "layered-5x100"\n[grid]\np = [0.0, 0.5]\nseed = [0, 1]'
    by_hand = Study("mine", grid(RunConfig.preset("layered-5x100"), p=[0, 0.5], seed=np.arange(2)))
    assert Study.from_toml(written(tmp_path, text)) == by_hand


def test_a_base_alone_is_one_run():
    assert Study.from_dict({"base": {"preset": "layered-5x100", "p": 0.1}}).runs == (
        RunConfig.preset("layered-5x100", p=0.1),
    )


def test_a_grid_may_vary_the_preset():
    study = Study.from_dict({"grid": {"preset": ["layered-3x500", "layered-5x100"]}})
    assert [run.name for run in study.runs] == ["layered-3x500", "layered-5x100"]


def test_a_changed_grid_keeps_the_keys_of_what_it_shares():
    few, more = (Study("s", grid(BASE, p=[0, 0.1][:n], seed=[0, 1])) for n in (1, 2))
    assert set(few.keys) < set(more.keys)
    assert not set(Study("s", few.runs, epochs=2).keys) & set(few.keys)
    assert few.keys[0] == run_key(few.runs[0], 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", ["unknown key 'epoch'", "did you mean epochs?"]),
        ("epochs = 0", ["epochs: 0"]),
        ("epochs = true", ["epochs: True"]),
        ('name = "a/b"', ["name: 'a/b'"]),
        (f'name = "{"n" * 201}"', ["name: 'nnn", "up to 200"]),
        ('metrics = ["omega"]', ["metrics: 'omega'", "sigma"]),
        ('metrics = "structure"', ["metrics: 'structure'", "list"]),
        ("base = 3", ["base: 3", "table"]),
        ("[base]\nbatchsize = 3", ["unknown key 'batchsize'", "did you mean batch_size?"]),
        ('[base]\npreset = "layerd-5x100"', ["did you mean layered-5x100?"]),
        ("[grid]\np = 0.1", ["p is 0.1", "list"]),
        ("[grid]\np = []", ["p has no values"]),
        ("[grid]\np = [0.1]\nmoves = [3]", ["p: 0.1 and moves: 3"]),
        ('[grid]\nseed = [0, "one"]', ["seed: 'one'", "whole number"]),
        ("[grids]\nseed = [0]", ["[[grids]]"]),
        ("[[grids]]\nseed = [0]", ["grids 1", "unknown key 'seed'"]),
        ("[[grids]]\ngrid.sed = [0]", ["grids 1", "did you mean seed?"]),
        ("grids = [3]", ["grids 1: 3, must be a table"]),
        ("[grid", ["not a TOML file"]),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path, text, words):
    with pytest.raises(InputError) as caught:
        Study.from_toml(written(tmp_path, text))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in ["mine.toml", *words]), message


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.toml: cannot be read"):
        Study.from_toml(tmp_path / "nowhere.toml")


def test_a_study_without_runs_is_refused():
    with pytest.raises(InputError, match="has no runs"):
        Study("empty", ())


def test_a_study_says_what_it_is():
    study = Study("mine", grid(BASE, p=[0, 0.1], seed=range(3)), epochs=2)
    assert repr(study) == "Study(mine: runs 6, epochs 2; p, seed vary)"
    assert repr(Study("one", (BASE,))) == "Study(one: runs 1, epochs 1)"


def test_keys_are_made_once(monkeypatch):
    """A sweep asks for them all the time, and each hashes the files of data and graph."""
    made = []
    monkeypatch.setattr("smallworld_eqprop.studies.study.run_key", lambda *_: made.append(1))
    study = Study("s", grid(RunConfig(), seed=[0, 1]), epochs=1)
    assert study.keys is study.keys
    assert len(made) == 2


def test_a_grid_changes_no_table_that_others_share():
    study = Study.from_dict({
        "name": "s",
        "epochs": 1,
        "base": {"model": {"kind": "weak-feedback", "feedback": 0.1}},
        "grids": [
            {"base": {"feedback": 0.5, "depth": "hops"}, "grid": {"seed": [0]}},
            {"grid": {"seed": [0, 1]}},
        ],
    })  # fmt: skip
    models = [run.training.model for run in study.runs]
    assert [(model.feedback, model.depth) for model in models] == [
        (0.5, "hops"), (0.1, "layers"), (0.1, "layers"),
    ]  # fmt: skip


def test_a_grid_replaces_fields_of_its_base_inside_tables_too():
    study = Study.from_dict({
        "name": "s",
        "epochs": 1,
        "base": {"feedback": 0.5, "depth": "hops", "model": "weak-feedback"},
        "grid": {"model": [{"kind": "weak-feedback", "feedback": 0.1}, "weak-feedback"]},
    })  # fmt: skip
    models = [run.training.model for run in study.runs]
    assert [(model.feedback, model.depth) for model in models] == [(0.1, "hops"), (0.5, "hops")]


def test_of_a_field_and_its_table_the_later_one_counts():
    table = {"kind": "weak-feedback", "feedback": 0.1}
    assert RunConfig().changed(model=table, feedback=0.5).training.model.feedback == 0.5
    assert RunConfig().changed(model={**table}, depth="hops").training.model.feedback == 0.1
    first = {"rule.beta": 0.5, "rule": {"kind": "centred", "beta": 0.25}}
    assert RunConfig().changed(**first).training.rule.beta == 0.25
