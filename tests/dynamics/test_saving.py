"""Networks on disk, pickled and copied come back as they were."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.io import load_graph, save_graph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

GRAPH = rewire(add_intralayer(layered((5, 6, 4, 3))), 0.2, seed=1)


@dataclass(frozen=True)
class Leaky(Model):
    """A model of somebody else."""

    leak: float = 2.0

    def self_term(self, graph):
        return self.leak


def network(model, dtype=np.float32):
    rng = np.random.default_rng(0)
    weights, biases = rng.normal(size=GRAPH.n_edges), rng.normal(size=13)
    return Network(GRAPH, weights, biases, model, dtype=dtype)


def same(a, b):
    assert a.graph == b.graph
    assert (a.model, a.dtype) == (b.model, b.dtype)
    np.testing.assert_array_equal(a.weights, b.weights)
    np.testing.assert_array_equal(a.biases, b.biases)


@pytest.mark.parametrize("model", [Hopfield(-1, 1), WeakFeedback(feedback=0.3, depth="hops")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_network_comes_back(tmp_path, model, dtype):
    first = network(model, dtype)
    first.save(tmp_path / "n.npz")
    again = Network.load(tmp_path / "n.npz")
    same(first, again)
    assert load_graph(tmp_path / "n.npz").provenance == GRAPH.provenance


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])  # noqa: S301
def test_copies_follow_their_own_parameters(copied):
    first = network(WeakFeedback(feedback=0.3))
    again = copied(first)
    same(first, again)
    state = np.random.default_rng(1).random((2, 13), np.float32)
    before = first.circuit.field(state)
    np.testing.assert_array_equal(again.circuit.field(state), before)
    again.weights = 2 * again.weights
    np.testing.assert_allclose(again.circuit.field(state), 2 * before, rtol=1e-5)
    np.testing.assert_array_equal(first.circuit.field(state), before)


def test_a_model_of_somebody_else_is_named_by_its_module(tmp_path, monkeypatch):
    import sys
    import types

    module = types.ModuleType("somebody")
    module.Leaky = Leaky
    monkeypatch.setitem(sys.modules, "somebody", module)
    monkeypatch.setattr(Leaky, "__module__", "somebody")
    first = network(Leaky(3.0))
    first.save(tmp_path / "n.npz")
    assert Network.load(tmp_path / "n.npz").model == Leaky(3.0)
    monkeypatch.delitem(sys.modules, "somebody")
    with pytest.raises(InputError, match=r"n.npz: model 'somebody:Leaky' cannot be made"):
        Network.load(tmp_path / "n.npz")


def test_bad_files_are_one_line(tmp_path):
    @dataclass(frozen=True)
    class Local(Model):
        pass

    with pytest.raises(InputError, match="must be a dataclass that can be imported"):
        network(Local()).save(tmp_path / "n.npz")
    with pytest.raises(InputError, match=r"must end in .npz"):
        network(Hopfield()).save(tmp_path / "n.txt")
    with pytest.raises(InputError, match="give a file to read"):
        Network.load(tmp_path / "nothing.npz")
    save_graph(GRAPH, tmp_path / "graph.npz")
    with pytest.raises(InputError, match="a graph without a network"):
        Network.load(tmp_path / "graph.npz")
    network(Hopfield()).save(tmp_path / "n.npz")
    content = (tmp_path / "n.npz").read_bytes()
    for cut in (100, len(content) // 2, len(content) - 5):
        (tmp_path / "n.npz").write_bytes(content[:cut])
        with pytest.raises(InputError, match="damaged"):
            Network.load(tmp_path / "n.npz")
