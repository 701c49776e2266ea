from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallworld_eqprop import RunConfig, TrainingConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire


@pytest.fixture
def tiny():
    """Ten batches an epoch, with edges of every kind."""
    return RunConfig(
        name="tiny",
        data=named("digits", 200),
        topology=Rewire((64, 15, 12, 10), intralayer=True, law="edges", p=0.1),
        training=TrainingConfig.paper(nudged_steps=4, seed=3),
    )


def assert_same_outcome(one, other):
    """The same to the bit, except for the seconds."""
    with np.load(one / "checkpoint.npz") as left, np.load(other / "checkpoint.npz") as right:
        assert set(left.files) == set(right.files)
        for name in set(left.files) - {"header"}:
            assert left[name].tobytes() == right[name].tobytes(), name
    for quantity in ("corrections", "errors"):
        names = sorted(path.name for path in (one / quantity).iterdir())
        assert names == sorted(path.name for path in (other / quantity).iterdir())
        for name in names:
            left, right = (folder / quantity / name for folder in (one, other))
            assert left.read_bytes() == right.read_bytes(), left
    left, right = ((folder / "history.csv").read_text() for folder in (one, other))
    assert without_seconds(left) == without_seconds(right)
    assert (one / "graph.npz").read_bytes() == (other / "graph.npz").read_bytes()


def without_seconds(history):
    rows = [line.split(",") for line in history.splitlines()]
    place = rows[0].index("seconds")
    return [row[:place] + row[place + 1 :] for row in rows]


@pytest.fixture
def same_outcome():
    return assert_same_outcome


@pytest.fixture
def reference(tiny, tmp_path):
    """Two epochs that nothing disturbed."""
    from smallworld_eqprop import train

    return train(tiny, tmp_path / "reference", epochs=2)


def changed(config, **training):
    return dataclasses.replace(config, training=dataclasses.replace(config.training, **training))
