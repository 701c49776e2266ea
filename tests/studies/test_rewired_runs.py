"""Rewiring in runs: as a table of a file, in the key, after a kill, in a folder and in a store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from smallworld_eqprop import RunConfig, layered, train
from smallworld_eqprop.cli.metrics import read_network
from smallworld_eqprop.graphs.measure import skip_share
from smallworld_eqprop.graphs.topology import Layered
from smallworld_eqprop.learning import AbsentCorrection, Cosine, Fixed, RandomGrowth
from smallworld_eqprop.studies.measures import Measured, take
from smallworld_eqprop.studies.report import write_report
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.sweeping import sweep

RULE = AbsentCorrection(0.05, 0.5, batches=3)
LAYERED = layered((64, 15, 12, 10))


@pytest.fixture
def growing(tiny):
    return tiny.changed(topology=Layered((64, 15, 12, 10)), rewire=RULE)


def test_rewiring_is_written_as_a_table_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[topology]\nkind = "layered"\nlayer_sizes = [64, 15, 10]\n[rewire]\n'
        'kind = "absent-correction"\nevery = 0.5\nplaces = "any"\n'
        'share = { kind = "cosine", rate = 0.3, epochs = 4 }\n'
    )
    run = RunConfig.from_toml(path)
    assert run.training.rewire == AbsentCorrection(Cosine(0.3, epochs=4), 0.5, places="any")
    assert RunConfig.from_dict(run.to_dict()) == run
    assert run.flat()["rewire"] == "absent-correction"
    changed = run.changed(rewire="random", **{"rewire.places": "output", "every": 2.0})
    assert changed.training.rewire == RandomGrowth(every=2.0, places="output")
    assert changed.topology == run.topology


def test_no_rewiring_is_no_part_of_a_key():
    assert RunConfig().key == RunConfig().changed(rewire="fixed").key == "9f14360d7f518ea1"
    assert "rewire" not in RunConfig().to_dict()
    runs = [RunConfig().changed(rewire=each) for each in (Fixed(), RandomGrowth(), RULE)]
    assert len({run.key for run in runs}) == 3


def test_a_killed_run_ends_with_the_same_bits(growing, tmp_path, same_outcome):
    whole = train(growing, tmp_path / "whole", epochs=2)
    for after in (6, 13):
        folder, asked = tmp_path / str(after), iter(range(100))
        with pytest.raises(KeyboardInterrupt):
            train(growing, folder, epochs=2, stop=lambda: next(asked) >= after)  # noqa: B023
        resumed = train(growing, folder, epochs=2, existing="resume")
        same_outcome(whole.folder, resumed.folder)
    again = whole.trainer()
    assert again.graph == whole.graph
    assert np.array_equal(again.network.weights, whole.network().weights)


def test_a_folder_has_both_graphs_and_what_moved(growing, tmp_path):
    run = train(growing, tmp_path / "run", epochs=2)
    assert run.initial_graph == LAYERED != run.graph
    assert run.network(initial=True).graph == LAYERED
    assert run.graph == run.network().graph
    n = round(0.05 * LAYERED.n_edges)
    assert run.graph.n_edges == LAYERED.n_edges
    assert run.graph.provenance[-1] == {"step": "train", "times": 3, "moved": 3 * n}
    assert run.history.moved_edges.tolist() == [n, 2 * n]
    skips = run.history.filter(like="_skip").sum(axis=1)
    assert skips.iloc[-1] == pytest.approx(skip_share(run.graph))
    assert run.pairs == ["0-1", "0-2", "0-3", "1-2", "1-3", "2-3"]
    graph, provenance, _ = read_network(str(run.folder), None)
    assert (graph, provenance) == (run.graph, run.graph.provenance)
    page = write_report(run.folder).read_text()
    assert "train(times=3" in page
    unmoved = train(growing.changed(rewire="fixed"), tmp_path / "fixed", epochs=1)
    assert unmoved.graph == unmoved.initial_graph == LAYERED
    assert not [name for name in unmoved.history if name.startswith(("moved_", "share_"))]


def test_a_study_measures_the_graph_that_was_grown(growing, tmp_path):
    fixed = growing.changed(rewire="fixed")
    study = Study("grown", (growing, fixed), metrics=("structure", "couplings"))
    path = tmp_path / "grown.sqlite"
    with ThreadPoolExecutor(1) as executor:
        assert sweep(study, path, executor).done == 2
    with Store(path) as store:
        table, corrections = store.runs(), store.corrections()
    grown, unmoved = (row for _, row in table.iterrows())
    skips = table.filter(regex="final_share.*_skip").sum(axis=1)
    assert skips[0] == pytest.approx(grown.metric_skip_share)
    assert grown.metric_skip_share > 0 == unmoved.metric_skip_share
    assert np.isnan(unmoved.final_moved_edges)
    assert grown.metric_before_coupling_strength_std == unmoved.metric_before_coupling_strength_std
    # Pairs that got their first edge within the epoch have no mean of all of its batches.
    pairs = corrections[corrections.key == grown.key].pair
    assert pairs.tolist() == ["0-1", "1-2", "2-3"]


def test_a_grown_graph_is_not_measured_from_its_beginning(growing):
    _, errors = take(("structure",), Measured(growing, LAYERED))
    assert errors["structure"].startswith("structure: needs the trained network")
    assert Measured(growing, LAYERED).before.graph == LAYERED
