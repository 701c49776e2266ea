"""Hidden graphs by law as topologies of runs."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from smallworld_eqprop import InputError, RunConfig, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.generate.hidden import Law
from smallworld_eqprop.graphs.topology import HiddenGraph

SMALL = {"inputs": 64, "hidden": 20, "outputs": 10, "edges": 45}


@pytest.mark.parametrize("law", get_args(Law))
def test_written_read_and_built_alike(law):
    topology = HiddenGraph(**SMALL, law=law, p=0.3, modules=4, entry=5)
    config = RunConfig(topology=topology)
    written = config.to_dict()
    assert written["topology"]["kind"] == "hidden_graph"
    again = RunConfig.from_dict(written)
    assert again.topology == topology
    assert again.key == config.key
    graph = again.topology.build(3)
    assert graph == topology.build(3)
    assert graph.layer_sizes == (64, 20, 10)
    assert graph.n_edges == 64 * 5 + 45 + 4 * 10
    assert (graph != topology.build(4)) or law == "lattice"


def test_p_is_a_short_key():
    config = RunConfig(topology=HiddenGraph(**SMALL, law="watts-strogatz"))
    assert config.changed(p=0.5).topology.p == 0.5


PAPER = {"kind": "random-sign", "solver": {"kind": "euler", "steps": 12}}


@pytest.mark.parametrize(
    "recipe",
    [{"model": "weak-feedback", "depth": "hops"}, {"rule": PAPER}],
    ids=["weak feedback by hops", "the paper's"],
)
def test_trains_on_digits(tmp_path, recipe):
    topology = HiddenGraph(**SMALL, law="watts-strogatz")
    config = RunConfig(data=named("digits", 200), topology=topology).changed(**recipe)
    run = train(config, tmp_path / "run", epochs=2)
    assert run.graph == topology.build(config.training.seed)
    assert np.isfinite(run.network().weights).all()
    first, last = run.history.training_cost
    assert last < first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"law": "ring"}, r"topology\.law: 'ring'"),
        ({"edges": "many"}, r"topology\.edges: 'many', must be"),
    ],
)
def test_bad_tables_are_one_line(change, message):
    with pytest.raises(InputError, match=message) as error:
        RunConfig.from_dict(
            {"topology": {"kind": "hidden_graph", "law": "random"} | SMALL | change}
        )
    assert "\n" not in str(error.value)
