"""Training with frozen edges and signs, on every optimiser and engine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.optimisers import SGD, Adam, Momentum
from smallworld_eqprop.learning.trainer import Trainer

PLAIN = rewire(add_intralayer(layered((6, 8, 8, 3))), 0.3, seed=0)
RNG = np.random.default_rng(0)
GRAPH = dataclasses.replace(
    PLAIN,
    edge_data={
        "trainable": RNG.random(PLAIN.n_edges) < 0.5,
        "sign": RNG.integers(-1, 2, PLAIN.n_edges),
        "weight": RNG.uniform(0.1, 0.4, PLAIN.n_edges),
    },
)
DATA = Dataset(
    name="toy",
    task="classification",
    x_train=RNG.random((40, 6)).astype(np.float32),
    y_train=np.eye(3, dtype=np.float32)[RNG.integers(3, size=40)],
    x_test=RNG.random((10, 6)).astype(np.float32),
    y_test=np.eye(3, dtype=np.float32)[RNG.integers(3, size=10)],
)


@pytest.mark.parametrize(
    "optimiser", [SGD(0.5), Momentum(0.2), Adam(0.05, decay=0.1)], ids=lambda o: type(o).__name__
)
def test_frozen_edges_keep_their_bits_and_signs_never_flip(optimiser, device):
    config = TrainingConfig(optimiser=optimiser, batch_size=10, device=device)
    trainer = Trainer(GRAPH, DATA, config)
    before = trainer.network.weights
    for _ in range(3):
        list(trainer.run_epoch())
    after = trainer.network.weights
    frozen, sign = ~GRAPH.edge_data["trainable"], GRAPH.edge_data["sign"]
    assert after[frozen].tobytes() == before[frozen].tobytes()
    assert (after * sign >= 0).all()
    assert (after[~frozen] != before[~frozen]).mean() > 0.5


def test_training_starts_from_the_weights_of_the_graph():
    positive = dataclasses.replace(GRAPH, edge_data={"weight": GRAPH.edge_data["weight"]})
    config = TrainingConfig(initial=Initial(gain=0.5, weights="graph"))
    found = Trainer(positive, DATA, config).network.weights
    assert np.array_equal(found, (0.5 * GRAPH.edge_data["weight"]).astype(np.float32))
