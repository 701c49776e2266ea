from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire


@pytest.fixture(scope="session")
def toy():
    """Three noisy prototypes of 8 features; batches of 10 leave 3 over."""
    rng = np.random.default_rng(0)
    prototypes = rng.random((3, 8))

    def draw(n):
        labels = np.arange(n) % 3
        x = np.clip(prototypes[labels] + rng.normal(0, 0.15, (n, 8)), 0, 1)
        return x.astype(np.float32), np.eye(3, dtype=np.float32)[labels]

    return Dataset("toy", "classification", *draw(43), *draw(21), sha256={})


@pytest.fixture(scope="session")
def toy_graph():
    """Every kind of edge: adjacent, intralayer, skip."""
    return rewire(add_intralayer(layered((8, 7, 6, 3))), 0.2, seed=1)
