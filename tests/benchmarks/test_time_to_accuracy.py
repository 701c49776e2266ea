"""The contestants of the benchmark: what the peer computes, and when errors are measured."""

from __future__ import annotations

from argparse import Namespace
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import Hopfield, Network, layered
from smallworld_eqprop.dynamics import SOR
from smallworld_eqprop.learning import Centred, Phases

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module


def test_generated_data_are_as_sparse_as_mnist_and_the_same_every_time(script):
    stand_in = script("stand_in").stand_in
    data, again = stand_in(300, 100), stand_in(300, 100)
    assert data.x_train.shape == (300, 784)
    assert data.y_test.shape == (100, 10)
    assert (data.x_train > 0).mean() == pytest.approx(0.19, abs=0.01)
    np.testing.assert_array_equal(data.x_test, again.x_test)
    assert data.x_train.max() <= 1


@pytest.mark.torch
@pytest.mark.parametrize("input_once", [False, True])
def test_the_peer_steps_down_the_gradient_of_half_our_cost(script, torch, input_once):
    """Both relax to the end under the same nudges: a beta of ours is half of theirs."""
    layerwise, sizes = script("layerwise"), (8, 7, 6, 5, 3)
    settings = layerwise.Published(
        free=400, nudged=400, beta=0.2, rates=(1.0, 1.0, 1.0, 1.0), input_once=input_once
    )
    peer = layerwise.Layerwise(sizes, settings, seed=1)
    rng = np.random.default_rng(0)
    inputs, targets = (rng.random((16, n)).astype(np.float32) for n in (8, 3))
    before = [each.numpy().copy() for each in peer.weights]
    network = Network(layered(sizes), model=Hopfield(linear_outputs=True), dtype=np.float64)
    network.weights = np.concatenate([each.ravel() for each in before])
    peer.train(torch.from_numpy(inputs), torch.from_numpy(targets), epoch=0)
    solver = SOR(1e-12, 20_000)
    contrast = Centred(0.1, solver).contrast(Phases.of(network, inputs, targets, solver))
    gradient = network.edge_gradient(contrast)
    steps = [after.numpy() - old for after, old in zip(peer.weights, before, strict=True)]
    moved = np.concatenate([each.ravel() for each in steps])
    np.testing.assert_allclose(moved, -0.5 * gradient.weights, atol=2e-6)
    np.testing.assert_allclose(np.concatenate(peer.biases), -0.5 * gradient.biases, atol=2e-6)
    assert np.abs(moved).max() > 1e-3


def options(**changes):
    found = {"seed": 0, "threads": 1, "limit": 1, "peer_batch": 16, "peer_beta": 0.2}
    return Namespace(**(found | {"peer_input_once": False} | changes))


@pytest.mark.torch
def test_errors_are_measured_every_quarter_of_an_epoch(script, torch, monkeypatch):
    bench, data = script("time_to_accuracy"), script("stand_in").stand_in(512, 40)
    monkeypatch.setattr(bench, "SIZES", (784, 12, 12, 12, 10))
    for points in (
        bench.train_peer(data, options(limit=2)),
        bench.train_preset("weak-feedback-3x500", data, options(limit=2)),
    ):
        epochs, errors = zip(*points, strict=True)
        np.testing.assert_allclose(epochs, np.arange(1, 9) / 4, atol=0.02)
        assert errors[-1] < errors[0] or errors[-1] == 0


def test_times_are_shares_of_the_peers(script):
    bench = script("time_to_accuracy")
    rows = [("ours", 10, 0.09), ("ours", 20, 0.02), ("peer", 30, 0.11), ("peer", 40, 0.05)]
    table = pd.DataFrame(rows, columns=["network", "seconds", "test_error"])
    table["cpu_seconds"] = table.seconds
    found = bench.summary(bench.with_shares(table)).set_index(["network", "test error (%)"])
    share = found["share of the peer's time to 6%"]
    assert share["ours"].tolist()[:4] == [0.25, 0.5, 0.5, 0.5]
    assert share["peer"].tolist()[:2] == [1, 1]
    assert np.isnan(share["ours"].iloc[4])
    assert np.isnan(share["peer"].iloc[2])


@pytest.mark.torch
def test_a_section_that_fails_is_told_and_loses_no_other(script, torch, monkeypatch):
    check = script("gpu_check")
    monkeypatch.setattr(check.sys, "argv", ["gpu_check.py", "--device", "cpu"])
    assert "no such section" in check.run_apart("no such section", 1, 60)["failed"]
    results = {
        "work on cuda": {"seconds per epoch": 2.0},
        "work on cpu": {"seconds per epoch": 10.0},
        "work on numpy": {"seconds per epoch": 4.0},
        "other on cuda": {"failed": "a reason"},
    }
    check.with_ratios(results)
    assert results["work on cuda"]["times as fast as NumPy"] == 2
    assert results["work on cuda"]["times as fast as torch on the processor"] == 5
    assert results["work on numpy"] == {"seconds per epoch": 4.0}
    assert "a reason" in check.report(results)
