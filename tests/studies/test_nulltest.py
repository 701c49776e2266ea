"""A graph beside its nulls: the test finds what is there, and nothing where nothing is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.cli import main
from smallworld_eqprop.data import named
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.topology import NullOf, Rewire
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.nulltest import against_nulls
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep


def table(rng, shift=0.0, nulls=19, seeds=3):
    rows = [
        {"sample": k, "seed": s, "final_test_error": rng.normal() + (shift if k == 0 else 0)}
        for k in range(nulls + 1)
        for s in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_without_a_difference_every_p_is_as_probable_as_another():
    rng = np.random.default_rng(0)
    found = [against_nulls(table(rng), resamples=10).p for _ in range(400)]
    # Multiples of 1/20, each as often: 1, 2, ... of 20 outcomes lie as far out.
    assert set(np.round(np.array(found) * 20, 6)) <= set(range(1, 21))
    counts = np.bincount(np.round(np.array(found) * 20).astype(int), minlength=21)[1:]
    assert np.abs(counts - 20).max() < 20


def test_a_difference_is_found_with_its_size_and_an_interval():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(40):
        found = against_nulls(table(rng, shift=-4.0, seeds=5), resamples=500)
        assert found.p == pytest.approx(1 / 20)
        covered += found.low <= -4 <= found.high
        assert found.effect < -4
    assert covered >= 32
    told = str(found)
    assert "19 nulls" in told
    assert "p = 0.05" in told


def test_nulls_that_are_alike_have_no_effect_size():
    runs = table(np.random.default_rng(0), nulls=3, seeds=2)
    runs["final_test_error"] = 0.1 + 1e-17 * runs["sample"] + (runs["sample"] == 2) * 2e-17
    assert np.isnan(against_nulls(runs, resamples=10).effect)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="sample"), "no column 'sample'; needs a study with"),
        (lambda t: t[t["sample"] > 0], "needs 0, the graph, and two nulls"),
        (lambda t: t[t["sample"] < 2], "needs 0, the graph, and two nulls"),
        (
            lambda t: pd.concat([t, t[3:5]]),
            "sample 1 with seed 0 is there twice; give the runs of one",
        ),
        (lambda t: t.drop(index=4), r"samples \[1\] lack some seeds"),
        (lambda t: t.rename(columns={"final_test_error": "final_test_errr"}), "did you mean"),
    ],
)
def test_tables_that_do_not_fit_are_one_line(change, message):
    with pytest.raises(InputError, match=message):
        against_nulls(change(table(np.random.default_rng(0))))


def test_samples_keep_degrees_and_say_where_they_come_from():
    spec = NullOf(Rewire((6, 8, 8, 3), p=0.2))
    graph, sample = spec.build(1), NullOf(spec.of, sample=3).build(1)
    assert graph == spec.of.build(1)
    assert sample != graph
    degrees = [np.bincount(g.edges.ravel(), minlength=25) for g in (graph, sample)]
    assert np.array_equal(*degrees)
    last = sample.provenance[-1]
    assert (last["step"], last["model"], last["sample"]) == ("null", "degree_preserving", 3)
    assert NullOf(spec.of, sample=3).build(1) == sample
    assert NullOf(spec.of, sample=4).build(1) != sample


def test_from_a_study_file_to_the_answer(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = RunConfig(data=named("digits", 80), topology=NullOf(Rewire((64, 8, 10), p=0.2))).changed(
        batch_size=20
    )
    study = Study("nulls", grid(base, sample=range(4), seed=[0, 1]), epochs=1)
    assert len(study.runs) == 8
    sweep(study, "runs/nulls.sqlite", workers=1)
    assert main(["compare", "runs/nulls.sqlite", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["nulls"]) == 3
    assert told["p"] in (0.25, 0.5, 0.75, 1.0)
    assert main(["compare", "runs/nulls.sqlite", "--outcome", "final_test_err"]) == 2
    assert "did you mean" in capsys.readouterr().err
