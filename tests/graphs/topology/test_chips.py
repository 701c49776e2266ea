"""Chips as topologies of runs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from smallworld_eqprop import InputError, RunConfig, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Chimera, King, Pegasus, Square, Zephyr

PORTS = {"inputs": 6, "outputs": 2}
SMALL = {
    "square": Square(rows=6, columns=5, placing="sides", **PORTS),
    "king": King(rows=6, missing=0.1, **PORTS),
    "chimera": Chimera(rows=3, shore=2, **PORTS),
    "pegasus": Pegasus(size=2, **PORTS),
    "zephyr": Zephyr(size=1, **PORTS),
}


@pytest.mark.parametrize("kind", SMALL)
def test_written_read_and_built_alike(kind):
    if kind in ("chimera", "pegasus", "zephyr") and find_spec("dwave_networkx") is None:
        pytest.skip("needs the extra hardware")
    config = RunConfig(topology=SMALL[kind])
    written = config.to_dict()
    assert written["topology"]["kind"] == kind
    again = RunConfig.from_dict(written)
    assert again.topology == SMALL[kind]
    assert again.key == config.key
    graph = again.topology.build(3)
    assert graph == SMALL[kind].build(3)
    assert (graph.layer_sizes[0], graph.layer_sizes[-1]) == (6, 2)


def test_the_seed_draws_what_is_missing():
    king = SMALL["king"]
    assert king.build(0).labels != king.build(1).labels


def test_a_kings_graph_trains_on_small_digits(tmp_path):
    config = RunConfig(
        data=named("digits", 200), topology=King(rows=9, inputs=16, outputs=10)
    ).changed(**{"data.pool": 2}, model="weak-feedback", depth="hops")
    run = train(config, tmp_path / "run", epochs=2)
    assert run.graph.layer_sizes[0] == 16
    assert run.history.training_error.iloc[-1] < 0.9


def test_a_field_that_is_needed_is_named():
    with pytest.raises(InputError, match=r"topology\.rows: must be given"):
        RunConfig.from_dict({"topology": {"kind": "king", "inputs": 4, "outputs": 2}})
