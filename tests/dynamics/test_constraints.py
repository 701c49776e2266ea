from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.dynamics.constraints import edge_signs, frozen_edges, weight_limits
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.families import add_skips
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire


@dataclass(frozen=True)
class Conductances(Model):
    """Edges that see differences, with weights from 0.01 up."""

    sees = "difference"

    def limits(self, graph):
        """From 0.01 up."""
        return 0.01, np.inf

    def initial(self, graph, seed):
        """Above the limit."""
        return 0.01 + np.abs(super().initial(graph, seed))


MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1, linear_outputs=True),
    "weak feedback": WeakFeedback(feedback=0.3),
}


def arbitrary(sizes, density, seed):
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    return LayeredGraph(sizes, pairs[np.random.default_rng(seed).random(len(pairs)) < density])


SHAPES = {
    "rewired": rewire(add_intralayer(layered((8, 20, 15, 4))), 0.3, seed=1),
    "sparse": arbitrary((10, 150, 20), 0.02, 4),
    "no hidden layer": layered((9, 4)),
}


def with_data(graph, seed=0, **kinds):
    """A third of the edges frozen, a third each of every sign."""
    rng = np.random.default_rng(seed)
    data = {
        "trainable": rng.random(graph.n_edges) < 0.67,
        "sign": rng.integers(-1, 2, graph.n_edges),
    }
    return dataclasses.replace(graph, edge_data={k: v for k, v in data.items() if kinds.get(k, 1)})


def made(engine, graph, model, seed=3, dtype=np.float32):
    weights = Initial().draw(graph, model, seed)
    if engine == "numpy":
        return Network(graph, weights, None, model, dtype=dtype)
    pytest.importorskip("torch")
    from smallworld_eqprop.dynamics.torch_network import TorchNetwork

    return TorchNetwork(graph, weights, None, model, dtype=dtype)


def contrast_of(network, engine, seed=0, batch=6):
    rng = np.random.default_rng(seed)
    arrays = [
        rng.normal(size=(batch, n)).astype(network.dtype)
        for n in (network.n_free, network.n_free, network.n_inputs)
    ]
    if engine == "torch":
        arrays = [network.backend.array(each)[None] for each in arrays]
    return Contrast(*arrays, 1.0)


ENGINES = ["numpy", pytest.param("torch", marks=pytest.mark.torch)]


def respects(graph, before, after):
    frozen = ~graph.edge_data.get("trainable", np.ones(graph.n_edges, bool))
    assert before[frozen].tobytes() == after[frozen].tobytes()
    assert (after[~frozen] != before[~frozen]).any()
    signs = graph.edge_data.get("sign", np.zeros(graph.n_edges))
    assert (after * signs >= 0).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kinds", [{}, {"sign": 0}, {"trainable": 0}])
def test_plain_descent_keeps_frozen_bits_and_signs(engine, model, shape, kinds):
    graph = with_data(SHAPES[shape], **kinds)
    network = made(engine, graph, MODELS[model])
    before = network.weights
    rates = np.full(graph.n_layers - 1, 0.5)
    for seed in range(4):
        network.descend(contrast_of(network, engine, seed), rates, rates)
    respects(graph, before, network.weights)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", MODELS)
def test_any_step_keeps_frozen_bits_and_signs(engine, model):
    graph = with_data(SHAPES["rewired"])
    network = made(engine, graph, MODELS[model])
    before = network.weights
    for factor in (3.0, -3.0, 0.1):
        steps = [factor * (0 * each + 1) for each in network.parameters]
        corrections = network.add(steps)
        respects(graph, before, network.weights)
    assert np.all(np.isfinite(corrections))


def test_corrections_count_what_really_changed():
    graph = dataclasses.replace(layered((3, 2)), edge_data={"trainable": [1, 0, 0, 0, 0, 0]})
    network = Network(graph, np.ones(6))
    assert network.add([np.full((3, 2), 2.0), np.zeros(2)]) == pytest.approx(2 / np.sqrt(6))


def test_the_fast_path_of_descent_is_left_where_weights_are_bound():
    for graph in (with_data(SHAPES["rewired"], **each) for each in ({"sign": 0}, {"trainable": 0})):
        network = Network(graph, seed=0)
        assert not network._physics.plain
    free = dataclasses.replace(
        SHAPES["rewired"],
        edge_data={
            "trainable": np.ones(SHAPES["rewired"].n_edges),
            "sign": np.zeros(SHAPES["rewired"].n_edges),
        },
    )
    assert Network(free, seed=0)._physics.plain


@pytest.mark.parametrize("model", MODELS)
def test_what_an_optimiser_writes_is_restrained_as_steps_are(model):
    graph = with_data(SHAPES["rewired"])
    added, written = (Network(graph, model=MODELS[model], seed=0) for _ in range(2))
    rng = np.random.default_rng(2)
    for _ in range(2):
        drawn = rng.normal(0, 0.5, graph.n_edges).astype(np.float32)
        steps = added.pack(drawn, np.ones(added.n_free, np.float32))

        def write(arrays, steps=steps):
            for array, step in zip(arrays, steps, strict=True):
                array += step
            return [float(np.vdot(step, step)) for step in steps]

        assert written.update(write) == pytest.approx(added.add(steps), rel=1e-5)
        np.testing.assert_array_equal(written.weights, added.weights)
        np.testing.assert_array_equal(written.biases, added.biases)


def test_assigning_sets_frozen_weights_anew():
    graph = with_data(SHAPES["rewired"])
    network = Network(graph, seed=0)
    network.weights = network.weights * 0.5
    before = network.weights
    network.add([0 * each + 1 for each in network.parameters])
    respects(graph, before, network.weights)
    wrong = network.weights
    place = np.flatnonzero(graph.edge_data["sign"] > 0)[0]
    wrong[place] = -1
    with pytest.raises(InputError, match=rf"-1.0 on edge {place}, must be from 0.0 to inf"):
        network.weights = wrong


def test_signs_of_nodes_are_those_of_edges_toward_the_outputs():
    graph = LayeredGraph(
        (2, 3, 1),
        [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4), (2, 5), (3, 5)],
        node_data={"sign": [1, -1, 1, 1, -1, 0]},
    )
    # 2-3 agree within their layer, 2-4 and 3-4 do not.
    assert edge_signs(graph).tolist() == [1, -1, 1, 0, 1, 0, 1]
    own = dataclasses.replace(graph, edge_data={"sign": [-1, 0, 0, 1, 0, 0, 0]})
    assert edge_signs(own).tolist() == [-1, -1, 1, 1, 1, 0, 1]
    assert edge_signs(layered((2, 2))) is None
    assert frozen_edges(layered((2, 2))) is None
    weights = Initial().draw(own, Hopfield(), 0)
    assert (weights * edge_signs(own) >= 0).all()


def test_drawn_weights_take_signs_and_keep_their_size():
    graph = with_data(SHAPES["rewired"])
    plain = Initial(gain=0.5).draw(SHAPES["rewired"], Hopfield(), 7)
    drawn = Initial(gain=0.5).draw(graph, Hopfield(), 7)
    signs = graph.edge_data["sign"]
    assert np.array_equal(np.abs(drawn), np.abs(plain))
    assert np.array_equal(drawn[signs == 0], plain[signs == 0])
    assert (np.sign(drawn[signs != 0]) == signs[signs != 0]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_limits_of_model_and_graph_both_hold(engine):
    model = Conductances()
    graph = with_data(SHAPES["rewired"], sign=0)
    graph = dataclasses.replace(
        graph, edge_data={**graph.edge_data, "sign": np.ones(graph.n_edges)}
    )
    low, high = weight_limits(graph, model)
    assert np.array_equal(low, np.full(graph.n_edges, 0.01))
    assert np.isposinf(high).all()
    network = made(engine, graph, model)
    before = network.weights
    rates = np.full(graph.n_layers - 1, 0.5)
    network.descend(contrast_of(network, engine), rates, rates)
    respects(graph, before, network.weights)
    assert (network.weights >= np.float32(0.01)).all()
    negative = dataclasses.replace(layered((2, 2)), edge_data={"sign": [0, -1, 0, 0]})
    with pytest.raises(InputError, match=r"sign: -1 on edge 1, but .* allows weights from 0.01"):
        made(engine, negative, model)


def test_weights_of_the_graph():
    graph = dataclasses.replace(layered((2, 1)), edge_data={"weight": [0.5, -2]})
    assert Initial(weights="graph", gain=2).draw(graph, Hopfield(), 0).tolist() == [1, -4]
    assert Network(graph, Initial(weights="graph").draw(graph, Hopfield(), 0)).weights.tolist() == [
        0.5,
        -2,
    ]
    signed = dataclasses.replace(graph, edge_data={**graph.edge_data, "sign": [0, 1]})
    with pytest.raises(InputError, match=r"weights: -2.0 on edge 1, must be from 0.0"):
        Network(signed, Initial(weights="graph").draw(signed, Hopfield(), 0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Initial(weights="file"), "weights: 'file', allowed: drawn, graph"),
        (lambda: Initial(weights="graph", other_amplitude=1), "leave it out or draw them"),
        (
            lambda: Initial(weights="graph").draw(layered((2, 1)), Hopfield(), 0),
            "initial.weights: 'graph', but edge_data: the graph has no 'weight'; it has none",
        ),
        (
            lambda: Initial(weights="graph").draw(
                add_skips(
                    dataclasses.replace(layered((2, 1, 1)), edge_data={"weight": [1, 1, 1]}),
                    1,
                    seed=0,
                ),
                Hopfield(),
                0,
            ),
            "1 of 4 edges have no value",
        ),
    ],
)
def test_bad_initial_weights_are_named_in_one_line(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_saved_network_is_bound_as_before(tmp_path):
    network = Network(with_data(SHAPES["rewired"]), None, None, WeakFeedback(), seed=0)
    network.save(tmp_path / "network.npz")
    again = Network.load(tmp_path / "network.npz")
    before = again.weights
    assert before.tobytes() == network.weights.tobytes()
    again.add([0 * each + 1 for each in again.parameters])
    respects(network.graph, before, again.weights)


def test_new_edges_of_a_moved_network_are_free():
    graph = with_data(SHAPES["rewired"])
    network = Network(graph, seed=0)
    more = add_skips(graph, 5, seed=0)
    moved, origin = network.moved_to(more)
    assert (moved.weights[origin < 0] == 0).all()
    before = moved.weights
    moved.add([0 * each + 1 for each in moved.parameters])
    assert (moved.weights[origin < 0] == 1).all()
    respects(more, before, moved.weights)


@pytest.mark.torch
def test_a_stack_binds_each_of_its_networks():
    pytest.importorskip("torch")
    from smallworld_eqprop.dynamics.torch_network import TorchNetwork

    graphs = [with_data(SHAPES["rewired"], 1), SHAPES["rewired"], with_data(SHAPES["rewired"], 2)]
    members = [made("torch", graph, Hopfield()) for graph in graphs]
    before = [each.weights for each in members]
    stack = TorchNetwork.stacked(members)
    stack.add([0 * each + 3 for each in stack.parameters])
    for graph, old, member in zip(graphs, before, members, strict=True):
        respects(graph, old, member.weights)
    assert np.allclose(members[1].weights, before[1] + 3)
