"""Measures of one's own: registered, taken in sweeps, filled in later, and never fatal."""

from __future__ import annotations

import dataclasses
import sys
import types

import numpy as np
import pytest

from smallworld_eqprop.data import named
from smallworld_eqprop.dynamics import attractors
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.measure.betweenness import betweenness_metrics
from smallworld_eqprop.graphs.measure.communities import community_metrics
from smallworld_eqprop.graphs.measure.cores import core_metrics
from smallworld_eqprop.graphs.measure.flow import input_output_resistance
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.graphs.measure.weight_table import weight_metrics
from smallworld_eqprop.hardware import hardware_costs
from smallworld_eqprop.studies import measures
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.measures import MEASURES, Measured, measure, measure_named, take
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep

BASE = RunConfig(data=named("digits", 60)).changed(
    family="rewire", layer_sizes=[64, 8, 10], p=0.2, batch_size=20
)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(measures, "MEASURES", dict(MEASURES))
    return measures.MEASURES


@pytest.fixture
def mine(monkeypatch):
    """A module of somebody's own, with a measure of every kind."""
    module = types.ModuleType("mine_of_test")
    monkeypatch.setitem(sys.modules, "mine_of_test", module)

    def add(function, **options):
        function.__module__ = "mine_of_test"
        function.__qualname__ = function.__name__
        setattr(module, function.__name__, measure(**options)(function))

    def crowding(graph):
        """Edges per node."""
        return np.float32(graph.n_edges / graph.n_nodes)

    def size(network):
        return float(np.abs(network.weights).mean())

    def told(run, generator):
        return {
            "gain": run.history[0]["training_error"] - run.history[-1]["training_error"],
            "drawn": generator.random(),
            "moved": float(np.abs(run.network.weights - run.before.weights).mean()),
            "examples": len(run.data.x_train),
        }

    def broken(graph):
        raise RuntimeError("no such\nthing")

    add(crowding, needs="graph", unit="edges")
    add(size, needs="network", before=True)
    add(told, needs="run")
    add(broken, needs="graph")
    return module


class Inline:
    """An executor that works in this process, where the test's module is."""

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


NAMES = ("mine_of_test:crowding", "mine_of_test:size", "mine_of_test:told", "mine_of_test:broken")


def test_measures_are_plain_functions_with_a_name_a_unit_and_a_doc(mine):
    found = measure_named("mine_of_test:crowding")
    assert (found.name, found.unit, found.doc) == ("crowding", "edges", "Edges per node.")
    assert measure_named("crowding") is found
    assert mine.crowding(BASE.topology.build(0)) > 1


def test_a_sweep_takes_them_and_an_error_costs_its_value_alone(mine, tmp_path):
    study = Study("mine", grid(BASE, seed=[0, 1]), epochs=2, metrics=("structure", *NAMES))
    with Store(tmp_path / "s.sqlite") as store:
        assert sweep(study, store, Inline()).done == 2
        runs, errors = store.runs(), store.measure_errors()
        assert list(errors.measure) == ["mine_of_test:broken"] * 2
        assert set(errors.error) == {"RuntimeError: no such thing"}
        assert not any("broken" in name for name in runs.columns)
        assert (runs.metric_examples == 60).all()
        assert (runs.metric_moved > 0).all()
        assert runs.metric_size.gt(0).all()
        assert not np.allclose(runs.metric_size, runs.metric_before_size, rtol=1e-6)
        assert runs.metric_drawn.nunique() == 2
        graph = BASE.changed(seed=1).topology.build(1)
        density = structure_metrics(graph, seed=1)["density"]
        assert runs[runs.seed == 1].metric_density.item() == pytest.approx(density)
        # What raised is tried again by the next sweep, and nothing else.
        before = store.results_digest()
        mine.broken.__code__ = (lambda graph: 7.0).__code__
        sweep(study, store, Inline())
        assert store.measure_errors().empty
        assert (store.runs().metric_broken == 7).all()
        assert store.results_digest() != before


def test_new_measures_fill_an_old_store_where_weights_were_kept(mine, tmp_path):
    study = Study("kept", grid(BASE, seed=[0]), epochs=1, weights=True)
    more = dataclasses.replace(study, metrics=("structure", "mine_of_test:size"))
    with Store(tmp_path / "s.sqlite") as store:
        sweep(study, store, Inline())
        (key,) = study.keys
        network = store.network(key)
        sweep(more, store, Inline())
        expected = float(np.abs(network.weights).mean())
        assert store.runs().metric_size.item() == pytest.approx(expected)
        path, _ = store.weights_of(key)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        with pytest.raises(InputError, match=r"npz: is not the file that was kept"):
            store.network(key)


def test_without_weights_a_measure_of_networks_says_so(mine, tmp_path):
    study = Study("lost", grid(BASE, seed=[0]), epochs=1)
    more = dataclasses.replace(study, metrics=("structure", "mine_of_test:size"))
    with Store(tmp_path / "s.sqlite") as store:
        sweep(study, store, Inline())
        sweep(more, store, Inline())
        (error,) = store.measure_errors().error
        assert "weights were not kept; set weights = true" in error


def test_values_that_are_no_numbers_are_errors():
    graph = BASE.topology.build(0)
    for bad in ("three", np.inf, None, {"a": [1]}):
        MEASURES_HERE = measures.MEASURES
        MEASURES_HERE.pop("bad", None)
        measure(needs="graph", name="bad")(lambda graph, bad=bad: bad)
        values, errors = take(["bad"], Measured(BASE, graph))
        assert not values
        assert "must be a finite number or nan" in errors["bad"]


def test_bad_definitions_are_one_line():
    with pytest.raises(InputError, match="needs: 'grph'; did you mean"):
        measure(needs="grph")

    def structure(graph):
        return 0.0

    with pytest.raises(InputError, match=r"measure 'structure': defined in .* already"):
        measure(needs="graph")(structure)
    with pytest.raises(InputError, match="metrics: 'strcture'; did you mean structure"):
        Study("s", (BASE,), metrics=("strcture",))
    with pytest.raises(InputError, match="'math:sqrt' is not a measure; put @measure"):
        measure_named("math:sqrt")
    with pytest.raises(InputError, match="'no_such_module:f' cannot be imported"):
        measure_named("no_such_module:f")


def measured(folder, *names):
    """Row and trained network of a study of one run that takes these measures."""
    study = Study("s", grid(BASE, seed=[0]), epochs=1, weights=True, metrics=names)
    with Store(folder / "s.sqlite") as store:
        sweep(study, store, Inline())
        assert store.measure_errors().empty
        (row,) = store.runs().to_dict("records")
        return row, store.network(*study.keys)


def test_couplings_before_and_after_training(tmp_path):
    row, trained = measured(tmp_path, "couplings")
    before = Measured(BASE.changed(seed=0), trained.graph)
    for prefix, network in (("", trained), ("before_", before.before)):
        sizes = np.abs(network.weights.astype(float))
        found = row[f"metric_{prefix}coupling_strength_mean"]
        assert found == pytest.approx(2 * sizes.sum() / trained.graph.n_nodes)
    lengths = [row[f"metric_{each}coupling_weighted_path_length"] for each in ("", "before_")]
    assert lengths[0] != lengths[1]
    graph = trained.weighted_graph()
    assert lengths[0] == pytest.approx(weight_metrics(graph, seed=0)["weighted_path_length"])


def test_attractors_before_training_and_after(tmp_path):
    row, network = measured(tmp_path, "attractors")
    inputs = BASE.data.load().x_train[:50]
    found = attractors(network, inputs, seed=0)
    assert row["metric_attractors"] == found.mean
    assert row["metric_attractors_several"] == found.share_of_several
    assert row["metric_before_attractors"] >= 1


def test_what_carries_a_signal_and_its_groups(tmp_path):
    names = (
        "betweenness",
        "communities",
        "cores",
        "coupling_signal",
        "hardware_costs",
        "structure",
    )
    row, network = measured(tmp_path, *names)
    graph = network.graph
    for found in (
        betweenness_metrics(graph),
        community_metrics(graph, seed=0),
        core_metrics(graph, seed=0),
        hardware_costs(graph),
    ):
        for name, value in found.items():
            assert row[f"metric_{name}"] == pytest.approx(value)
    assert row["metric_input_output_resistance"] == input_output_resistance(graph)
    weights = dataclasses.replace(graph, edge_data={"weight": network.weights})
    resistance = input_output_resistance(weights, weighted=True)
    assert row["metric_coupling_input_output_resistance"] == pytest.approx(resistance)
    assert row["metric_before_coupling_input_output_resistance"] != resistance
    assert 0 < row["metric_coupling_largest_edge_betweenness"] < 1
    assert {"metric_coupling_input_output_resolvent", "metric_coupling_skip_betweenness"} < set(row)
