from __future__ import annotations

import dataclasses
import json
import math
from typing import ClassVar

import numpy as np
import pytest

from smallworld_eqprop import (
    InputError,
    Run,
    Trainer,
    __version__,
    characteristic_path_length,
    train,
)
from smallworld_eqprop.graphs.topology import Layered
from smallworld_eqprop.learning import log_spread
from smallworld_eqprop.learning.history import EpochRecord


def test_the_folder_records_what_was_run(tiny, reference):
    run = Run(reference.folder)
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "checkpoint.npz",
        "corrections",
        "errors",
        "graph.npz",
        "history.csv",
        "run.json",
    ]
    assert run.config == tiny
    assert run.graph == tiny.topology.build(tiny.training.seed)
    record = run.record
    assert (record["key"], record["version"]) == (tiny.key, __version__)
    assert record["dataset"]["n_train"] == 200
    assert all(len(digest) == 64 for digest in record["dataset"]["sha256"].values())
    assert [step["step"] for step in record["graph"]["provenance"]] == [
        "layered",
        "add_intralayer",
        "rewire",
    ]
    assert set(record["libraries"]) >= {"numpy", "scipy"}


def test_a_run_has_its_couplings_before_and_after_training(tiny, reference):
    run = Run(reference.folder)
    untrained = Trainer(run.graph, tiny.data.load(), tiny.training).network
    assert np.array_equal(run.network(initial=True).weights, untrained.weights)
    trained = run.network().weighted_graph()
    assert trained == run.graph
    assert np.array_equal(trained.edge_data["weight"], run.network().weights)
    before, after = (
        characteristic_path_length(network.weighted_graph(), weighted=True)
        for network in (run.network(initial=True), run.network())
    )
    assert before != after


def test_the_history_has_a_row_per_epoch(reference):
    history = reference.history
    names = [field.name for field in dataclasses.fields(EpochRecord)]
    # Nothing is set apart for validation, and no edge moves.
    without = ("validation_", "moved_", "share_")
    assert list(history.columns) == [name for name in names if not name.startswith(without)]
    assert {
        "epoch",
        "training_error",
        "test_error",
        "seconds",
        "mean_sweeps",
        "log_spread",
    } <= set(history.columns)
    assert list(history.epoch) == [1, 2]
    assert history.training_error.between(0, 1).all()
    assert (history.seconds > 0).all()


def test_the_records_of_every_batch_agree_with_the_history(reference):
    corrections, errors = reference.corrections(), reference.errors()
    assert corrections.shape == (20, len(reference.pairs))
    assert set(reference.kinds) == {"interlayer", "intralayer", "skip"}
    assert errors.shape == (20,)
    for epoch, row in enumerate(reference.history.itertuples(), start=1):
        part = reference.corrections(epoch)
        assert np.array_equal(part, corrections[10 * (epoch - 1) : 10 * epoch])
        assert log_spread(part) == pytest.approx(row.log_spread)
        assert reference.errors(epoch).sum() / 200 == pytest.approx(row.training_error)


def test_the_callback_sees_every_batch_and_every_epoch(tiny, tmp_path):
    seen = []
    train(tiny, tmp_path / "run", epochs=2, on_batch=seen.append)
    batches = [(s.batch.epoch, s.batch.batch) for s in seen if s.finished is None]
    assert batches == [(epoch, batch) for epoch in (1, 2) for batch in range(10)]
    finished = [s for s in seen if s.finished is not None]
    assert [s.finished.epoch for s in finished] == [1, 2]
    assert all(s.running_error == s.finished.training_error for s in finished)
    assert all((s.n_batches, s.n_epochs) == (10, 2) for s in seen)


def test_a_second_start_is_refused_resumed_or_anew(tiny, reference, tmp_path, same_outcome):
    folder = tmp_path / "run"
    train(tiny, folder, epochs=1)
    with pytest.raises(InputError, match=r'run already; give existing="resume" or'):
        train(tiny, folder, epochs=2)
    train(tiny, folder, epochs=2, existing="resume")
    same_outcome(reference.folder, folder)
    before = (folder / "history.csv").read_bytes()
    train(tiny, folder, epochs=1, existing="resume")  # has more already
    assert (folder / "history.csv").read_bytes() == before
    train(tiny, folder, epochs=1, existing="overwrite")
    assert len(Run(folder).history) == 1
    assert len(list((folder / "corrections").iterdir())) == 1


def test_resuming_in_a_new_folder_starts(tiny, reference, tmp_path, same_outcome):
    train(tiny, tmp_path / "new", epochs=2, existing="resume")
    same_outcome(reference.folder, tmp_path / "new")


def test_regression_is_recorded_as_costs(tiny, tmp_path):
    config = tiny.changed(dataset="diabetes", layer_sizes=[10, 8, 6, 1], n_train=40)
    run = train(config, tmp_path / "run", epochs=1)
    row = run.history.iloc[0]
    assert row.training_error == row.training_cost
    assert row.test_error == row.test_cost
    assert math.isclose(run.errors().sum() / 40, row.training_cost, rel_tol=1e-5)


@pytest.mark.torch
def test_a_run_on_torch_is_recorded_and_resumed_on_another_device(tiny, reference, tmp_path):
    torch = pytest.importorskip("torch")
    folder = tmp_path / "run"
    run = train(tiny.changed(device="cpu"), folder, epochs=1)
    assert run.record["libraries"]["torch"] == torch.__version__
    assert run.config.training.device == "cpu"
    resumed = train(tiny, folder, epochs=2, existing="resume")
    assert run.pairs == reference.pairs
    np.testing.assert_allclose(
        resumed.history.training_cost, reference.history.training_cost, rtol=0.3
    )
    np.testing.assert_allclose(
        resumed.corrections().mean(axis=0), reference.corrections().mean(axis=0), rtol=0.7
    )


@pytest.mark.parametrize("epochs", [0, -1, 1.5, float("nan")])
def test_epochs_are_a_positive_integer(tiny, tmp_path, epochs):
    with pytest.raises(InputError, match="epochs: "):
        train(tiny, tmp_path / "run", epochs=epochs)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"p": float("nan")},
        {"p": 2.0},
        {"layer_sizes": [64, 12, 11]},
        {"n_train": -5},
        {"n_train": 10**6},
        {"device": "cuda:99"},
    ],
)
def test_bad_input_leaves_nothing_behind(tiny, tmp_path, change):
    with pytest.raises(InputError) as caught:
        train(tiny.changed(**change), tmp_path / "run", epochs=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_reading_says_what_is_missing(tmp_path, tiny, reference):
    with pytest.raises(InputError, match=r"no run here"):
        Run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot be read"):
        Run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(InputError, match=r"version, pairs, kinds missing"):
        Run(tmp_path)
    with pytest.raises(InputError, match=r"epoch-0003"):
        reference.corrections(3)
    (reference.folder / "errors" / "epoch-0001.npy").write_bytes(b"")
    with pytest.raises(InputError, match=r"epoch-0001"):
        reference.errors()
    (reference.folder / "history.csv").unlink()
    with pytest.raises(InputError, match="no epoch is finished yet"):
        _ = reference.history


def test_the_record_says_where_errors_were_counted_from(tiny, reference, tmp_path):
    assert reference.start == "particles"
    assert reference.record["errors_from"] == {"training": "particles", "test": "particles"}
    run = train(tiny.changed(start="rest"), tmp_path / "rest", epochs=1)
    assert run.record["errors_from"] == {"training": "rest", "test": "rest"}
    # From rest, the test error is that of the network read back.
    data = run.config.data.load()
    wrong = run.network().predict(data.x_test) != data.labels_test
    assert run.history.test_error.iloc[-1] == wrong.mean()


@dataclasses.dataclass(frozen=True)
class Switched(Layered):
    """Layers without one edge, which another one takes the place of from one day to the next."""

    gone: ClassVar[int] = 0

    def change(self, graph, rng):
        return graph.replace_edges(np.delete(graph.edges, self.gone, axis=0), {"step": "switched"})


def test_a_topology_that_makes_another_graph_is_not_gone_on_with(tiny, tmp_path, monkeypatch):
    config = dataclasses.replace(tiny, topology=Switched((64, 5, 10)))
    folder = tmp_path / "run"
    run = train(config, folder, epochs=1)
    assert len(train(config, folder, epochs=2, existing="resume").history) == 2
    monkeypatch.setattr(Switched, "gone", 1)
    with pytest.raises(InputError, match=r"another graph now \(edge 0 was 0-65, is 0-64\); rest"):
        train(config, folder, epochs=3, existing="resume")
    # A run of a version that kept no hash goes on with the graph that it kept.
    record = dict(run.record)
    del record["graph"]["sha256"], record["sha256"]
    (folder / "run.json").write_text(json.dumps(record))
    assert len(train(config, folder, epochs=3, existing="resume").history) == 3
