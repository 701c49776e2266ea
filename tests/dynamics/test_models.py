from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

GRAPH = rewire(add_intralayer(layered((4, 6, 5, 3))), 0.3, seed=1)


# --- fixed points ------------------------------------------------------------------------------


def test_the_fixed_point_is_the_minimum_of_the_energy(every_network, request):
    network = every_network.convex(0.9)
    expected = network.minimiser()
    assert network.residual(expected).max() < 1e-9
    for size in ("whole", "large"):  # the minimum of both takes longest
        if size == "large":
            request.getfixturevalue("large")
        circuit = network.network().circuit
        drive = circuit.drive(network.inputs)
        found = SOR(1e-11, 20_000).relax(circuit, drive, network.states()[0])
        assert found.converged.all(), size
        np.testing.assert_allclose(found.state, expected, atol=1e-8, err_msg=size)


def test_a_node_between_resistors_divides_the_voltage(models):
    model = replace(models["conductances"], leak=0.25)
    # Nodes 1 and 2 are free; edge k is 0.5, 1 or 1.5 by the sum of its ends.
    network = Network(layered((1, 1, 1)), [1.0, 2.0], [0.0, 0.4], model, dtype=np.float64)
    g, f = 1.0 * 1.0, 2.0 * 0.5  # k of (0, 1) is 1, of (1, 2) 0.5
    expected = np.linalg.solve([[g + f + 0.25, -f], [-f, f + 0.25]], [g * 0.7, 0.25 * 0.4])
    circuit = network.circuit
    drive = circuit.drive(np.array([[0.7]]))
    found = SOR(1e-13, 1000).relax(circuit, drive, np.zeros((1, 2)))
    assert expected[0] < 0.6  # within its bounds
    np.testing.assert_allclose(found.state, [expected], atol=1e-10)


# --- weak feedback -----------------------------------------------------------------------------


def depths(graph, depth):
    """Distance of every free node from the outputs, by networkx."""
    n = graph.layer_sizes[0]
    if depth == "layers":
        return graph.n_layers - 1.0 - graph.layers[n:]
    free = nx.Graph()
    free.add_nodes_from(range(n, graph.n_nodes))
    free.add_edges_from(edge for edge in graph.edges.tolist() if min(edge) >= n)
    outputs = set(range(graph.n_nodes - graph.layer_sizes[-1], graph.n_nodes))
    found = nx.multi_source_dijkstra_path_length(free, outputs, weight=None)
    return np.array([float(found[node]) for node in range(n, graph.n_nodes)])


@pytest.mark.parametrize("depth", ["layers", "hops"])
@pytest.mark.parametrize("feedback", [0.1, 0.5, 1.0])
def test_feedback_is_weakened_by_every_layer_or_hop_that_it_crosses(depth, feedback):
    rng = np.random.default_rng(0)
    model = WeakFeedback(feedback=feedback, depth=depth)
    weights, biases = rng.normal(size=GRAPH.n_edges), rng.normal(size=14)
    network = Network(GRAPH, weights, biases, model, dtype=np.float64)
    d = depths(GRAPH, depth)
    matrix = np.zeros((18, 18))
    u, v = GRAPH.edges.T
    matrix[u, v] = matrix[v, u] = weights
    state, inputs = rng.random((3, 14)), rng.random((3, 4))
    # Row j of `passed` is what node j adds to the others.
    passed = matrix[4:, 4:] * feedback ** np.maximum(0, d[None, :] - d[:, None])
    expected = inputs @ matrix[:4, 4:] + biases + state @ passed
    circuit = network.circuit
    found = circuit.field(state, circuit.drive(inputs))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_hops_do_not_pass_through_the_inputs():
    # Node 2 reaches the output 4 over node 3 alone; over the input 1 it would be one hop less.
    graph = LayeredGraph((2, 2, 1), [(0, 2), (1, 2), (1, 4), (2, 3), (3, 4)])
    model = WeakFeedback(feedback=0.5, depth="hops")
    assert model.self_term(graph).tolist() == [4, 2, 1]
    pairs = np.array([(0, 1), (0, 2), (1, 4), (2, 3), (3, 4), (2, 4)])
    assert model.edge_scale(graph, pairs).tolist() == [1, 4, 1, 2, 1, 1]


def test_hops_need_a_way_to_an_output():
    graph = LayeredGraph((2, 3, 1), [(0, 2), (0, 3), (1, 4), (2, 5), (3, 4)])
    told = "^depth: 'hops', but 2 of 4 free nodes have no path to an output, the first is node 3; "
    with pytest.raises(InputError, match=told) as caught:
        Network(graph, model=WeakFeedback(depth="hops"))
    assert "\n" not in str(caught.value)
    Network(graph, model=WeakFeedback(depth="layers"))


@pytest.mark.parametrize("feedback", [0, -0.5, 1.5, float("nan")])
def test_feedback_outside_0_to_1_is_refused(feedback):
    with pytest.raises(InputError, match=r"^feedback: .*, must be above 0 and at most 1$"):
        WeakFeedback(feedback=feedback)


def test_an_unknown_depth_is_refused():
    with pytest.raises(InputError, match=r"^depth: 'nodes', allowed: layers, hops$"):
        WeakFeedback(depth="nodes")


# --- bounds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Hopfield, WeakFeedback])
@pytest.mark.parametrize(
    ("low", "high"),
    [(1, 0), (0.5, 0.5), (float("nan"), 1), (0, float("nan")), (-np.inf, 1), (0, np.inf)],
)
def test_impossible_bounds_are_refused(kind, low, high):
    with pytest.raises(InputError, match=r"^low, high: .*; must be finite, low below high"):
        kind(low, high)


def test_linear_outputs_have_no_bounds():
    network = Network(layered((2, 3, 2)), model=Hopfield(-1, 1, linear_outputs=True))
    assert network.circuit.low.tolist() == [-1, -1, -1, -np.inf, -np.inf]
    assert network.circuit.high.tolist() == [1, 1, 1, np.inf, np.inf]
    bare = Network(layered((2, 2)), model=Hopfield(linear_outputs=True))
    assert np.isinf(bare.circuit.low).all()


# --- answers of a model ------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers(Model):
    """Gives what it is told."""

    question: str = ""
    answer: Any = None

    def bounds(self, graph):
        return self.answer if self.question == "bounds" else super().bounds(graph)

    def self_term(self, graph):
        return self.answer if self.question == "self_term" else super().self_term(graph)

    def bias_scale(self, graph):
        return self.answer if self.question == "bias_scale" else 1.0

    def edge_scale(self, graph, edges):
        return self.answer if self.question == "edge_scale" else super().edge_scale(graph, edges)

    def limits(self, graph):
        return self.answer if self.question == "limits" else super().limits(graph)

    def initial(self, graph, seed):
        return self.answer if self.question == "initial" else super().initial(graph, seed)

    def __repr__(self):
        return "Answers"


class Differences(Answers):
    sees = "difference"


NAN = float("nan")


@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        ("bounds", (np.zeros(4), 1), r"low of Answers: shape \(4,\), must be one number per free "
         r"node, \(5,\), or one for all"),
        ("bounds", (0, np.ones((5, 1))), r"high of Answers: shape \(5, 1\), must be"),
        ("bounds", (1, 0), r"bounds of Answers: 1.0 to 0.0 on free node 0, must not cross"),
        ("bounds", (0, [1, 1, -0.1, 1, 1]),
         r"bounds of Answers: 0.0 to -0.1 on free node 2, must not cross"),
        ("bounds", (NAN, 1), "low of Answers: holds nan"),
        ("self_term", np.ones(7), r"self_term of Answers: shape \(7,\), must be"),
        ("self_term", [1, 1, 0, 1, 1], r"self-term of Answers: 0 on free node 2, must be above 0"),
        ("self_term", -1, r"self-term of Answers: -1 on free node 0, must be above 0"),
        ("self_term", NAN, "self_term of Answers: holds nan"),
        ("bias_scale", np.ones(7), r"bias_scale of Answers: shape \(7,\), must be"),
        ("edge_scale", np.ones(17), r"edge_scale of Answers: shape \(17,\), must be one number per "
         r"edge, \(18,\), or one for all"),
        ("edge_scale", NAN, "edge_scale of Answers: holds nan"),
        ("limits", (np.zeros(3), 1), r"limits of Answers: shape \(3,\), must be"),
        ("limits", (0, NAN), "limits of Answers: holds nan"),
        ("initial", np.zeros(3), r"weights: shape \(3,\), must be \(18,\)"),
        ("initial", np.full(18, NAN), "weights: entry 0 is not finite"),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_refused(question, answer, told):
    with pytest.raises(InputError, match=rf"^{told}") as caught:
        Network(layered((4, 3, 2)), model=Answers(question, answer))
    assert "\n" not in str(caught.value)


def test_a_weight_that_takes_more_than_the_self_term_is_refused():
    weights = np.zeros(18)
    weights[0] = -1.5  # from input 0 to the first free node
    told = r"^self-term of Answers: -0.5 on free node 0, must be above 0$"
    with pytest.raises(InputError, match=told):
        Network(layered((4, 3, 2)), weights, model=Differences())


def test_numbers_for_all_are_as_good_as_one_each():
    graph, rng = layered((4, 3, 2)), np.random.default_rng(0)
    state, inputs = rng.random((2, 5)).astype(np.float32), rng.random((2, 4)).astype(np.float32)
    for question, one, each in (
        ("self_term", 2.0, np.full(5, 2.0)),
        ("bias_scale", 2.0, np.full(5, 2.0)),
        ("edge_scale", 0.5, np.full(18, 0.5)),
        ("bounds", (-1, 2), (np.full(5, -1), np.full(5, 2))),
        ("limits", (-3, 3), (np.full(18, -3), np.full(18, 3))),
    ):
        fields = []
        for answer in (one, each):
            network = Network(graph, None, np.arange(5), Answers(question, answer), seed=1)
            circuit = network.circuit
            fields.append(circuit.clip(circuit.field(state, circuit.drive(inputs))))
        assert np.array_equal(*fields)
