"""Edges that move while a network is trained: which go, where new ones grow, and what stays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from problems import MODELS, make_problem
from test_resume import run, saved

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.edges import edge_keys, keys_to_edges
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.hardware import Levels
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.growth import Growth
from smallworld_eqprop.learning.optimisers import SGD, Adam
from smallworld_eqprop.learning.rewiring import AbsentCorrection, Fixed, RandomGrowth, Rewiring
from smallworld_eqprop.learning.rules import Adjoint
from smallworld_eqprop.learning.schedules import Cosine
from smallworld_eqprop.learning.trainer import Trainer

# The toy data: five batches an epoch, so that edges move before steps 2, 4, 6, ...
GRAPH = layered((8, 7, 6, 3))
OFTEN = {"share": 0.1, "every": 0.4}
RULES = {
    "random": RandomGrowth(**OFTEN),
    "any place": RandomGrowth(**OFTEN, places="any", drop="random"),
    "absent correction": AbsentCorrection(**OFTEN, batches=2),
    "long memory": AbsentCorrection(Cosine(0.2, epochs=2), 1.0, places="any", batches=3),
}


def config(rule, **others):
    optimiser = others.pop("optimiser", Adam(0.01))
    return TrainingConfig(rewire=rule, optimiser=optimiser, batch_size=10, seed=2, **others)


@pytest.fixture(params=RULES)
def rule(request):
    return RULES[request.param]


def growth_of(rule, graph, n_batches=5, weights=None):
    network = Network(graph, weights, seed=1)
    return network, Growth(rule, network, n_batches, seed=0)


def keys(graph):
    return set(edge_keys(graph.edges, graph.n_nodes).tolist())


# --- which pairs, how many, when ---------------------------------------------------------------


@pytest.mark.parametrize("drop", ["smallest", "random"])
@pytest.mark.parametrize("places", ["skip", "input", "hidden", "output", "short", "hub", "any"])
def test_the_number_of_edges_stays_and_new_ones_lie_at_such_places(places, drop):
    rule = RandomGrowth(0.3, 0.4, places=places, drop=drop)
    network, growth = growth_of(rule, add_intralayer(layered((5, 6, 6, 5, 3))))
    assert FreePlaces(network.graph, places).count
    allowed = FreePlaces(LayeredGraph((5, 6, 6, 5, 3), []), places)
    allowed = set(allowed.keys(np.arange(allowed.count)).tolist())
    for t in (2, 4, 6):
        before = network.graph
        n = min(round(0.3 * before.n_edges), FreePlaces(before, places).count)
        if not n:  # all places are taken
            assert growth.moved(network, t) is None
            break
        network, _ = network.moved_to(growth.moved(network, t))
        new = keys(network.graph) - keys(before)
        assert network.graph.n_edges == before.n_edges
        assert len(new) == n
        assert new <= allowed
        ends = network.graph.layers[keys_to_edges(np.array(sorted(new)), before.n_nodes)]
        assert set(map(tuple, ends.tolist())) <= set(rule.layer_pairs(before))
        assert not {(0, 0), (4, 4)} & set(map(tuple, ends.tolist()))


def test_edges_move_at_the_steps_asked_for():
    found = [t for t in range(31) if RandomGrowth(0.1, 0.5, until=2).moves(t, 10)]
    assert found == [5, 10, 15, 20]
    assert [t for t in range(9) if RandomGrowth(0.1, 0.01).moves(t, 10)] == list(range(1, 9))
    falling = RandomGrowth(Cosine(0.2, steps=20), 0.5)
    assert falling.moves(10, 10) == pytest.approx(0.1)
    assert falling.moves(20, 10) == falling.moves(30, 10) == 0


def test_a_batch_that_was_broken_off_moves_edges_once():
    network, growth = growth_of(RULES["random"], GRAPH)
    assert growth.moved(network, 2) is not None
    assert growth.moved(network, 2) is None


def test_the_smallest_weights_go():
    weights = np.random.default_rng(3).normal(size=GRAPH.n_edges)
    network, growth = growth_of(RandomGrowth(0.1, 0.4), GRAPH, weights=weights)
    kept = keys(growth.moved(network, 2))
    n = round(0.1 * GRAPH.n_edges)
    smallest = np.argsort(np.abs(weights))[:n]
    gone = np.array([key not in kept for key in edge_keys(GRAPH.edges, GRAPH.n_nodes)])
    assert np.flatnonzero(gone).tolist() == sorted(smallest.tolist())


def test_edges_that_are_not_trained_stay_and_data_come_back():
    graph = replace(GRAPH, edge_data={"trainable": np.arange(GRAPH.n_edges) % 2 == 0})
    network, growth = growth_of(RandomGrowth(1.0, 0.4, places="any", drop="random"), graph)
    frozen = keys(graph.replace_edges(graph.edges[1::2]))
    for t in (2, 4, 6):
        network, _ = network.moved_to(growth.moved(network, t))
        assert frozen <= keys(network.graph)
        untrained = network.graph.edges[~network.graph.edge_data["trainable"]]
        assert set(edge_keys(untrained, graph.n_nodes).tolist()) == frozen


# --- the correction of a pair without an edge --------------------------------------------------


ZERO = ["hopfield", "between -1 and 1", "linear outputs", "weak feedback by layers", "patchwork"]


def free_pairs(graph, places="any"):
    free = FreePlaces(graph, places)
    return keys_to_edges(free.keys(np.arange(free.count)), graph.n_nodes)


@pytest.mark.parametrize("model", ZERO)
@pytest.mark.parametrize("few", [0, 10**9], ids=["pair by pair", "row by row"])
def test_an_absent_edge_has_the_gradient_that_it_gets_once_it_is_there(model, few, monkeypatch):
    monkeypatch.setattr("smallworld_eqprop.dynamics.pairs.FEW", few)
    monkeypatch.setattr("smallworld_eqprop.dynamics.pairs.ROWS", 5)
    problem = make_problem(layered((4, 6, 5, 3)), MODELS[model])
    network, graph, rule = problem.network(), problem.graph, Adjoint(tolerance=1e-13)
    pairs = free_pairs(graph)
    found = network.pair_gradient(rule.contrast(problem.phases(network)), pairs)
    there, origin = network.moved_to(graph.replace_edges(np.concatenate((graph.edges, pairs))))
    assert np.array_equal(there.graph.edges[origin < 0], pairs)
    assert not there.weights[origin < 0].any()
    expected = there.edge_gradient(rule.contrast(problem.phases(there))).weights[origin < 0]
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-11)


def test_edges_grow_where_the_mean_correction_of_the_last_batches_is_largest(toy):
    rule = AbsentCorrection(0.1, 1.0, batches=2)
    trainer = Trainer(GRAPH, toy, config(rule, optimiser=SGD(0.1)))
    seen, train = [], trainer.engine.updates.step

    def step(contrast, t, write=None):
        seen.append(contrast)
        return train(contrast, t, write)

    trainer.engine.updates.step = step
    list(trainer.run_epoch())
    next(trainer.run_epoch())
    pairs, counts = free_pairs(GRAPH, "skip"), [10, 3]
    sums = sum(
        n * trainer.network.pair_gradient(each, pairs)
        for n, each in zip(counts, seen[3:5], strict=True)
    )
    n = round(0.1 * GRAPH.n_edges)
    best = pairs[np.argsort(-np.abs(sums))[:n]]
    new = keys(trainer.graph) - keys(GRAPH)
    assert new == set(edge_keys(best, GRAPH.n_nodes).tolist())


def test_a_pair_without_a_correction_gets_no_edge():
    network, growth = growth_of(AbsentCorrection(0.5, 0.4, batches=1), GRAPH)
    deviation, inputs = np.zeros((2, 16), np.float32), np.ones((2, 8), np.float32)
    deviation[:, -1] = 1  # skips from the inputs to one output alone: those of the first layer too
    growth.watch(Contrast(deviation, np.zeros_like(deviation), inputs, 1.0), 1)
    graph = growth.moved(network, 2)
    assert keys(graph) - keys(GRAPH) == {u * GRAPH.n_nodes + 23 for u in range(8)}
    growth.watch(Contrast(0 * deviation, deviation, inputs, 1.0), 3)
    assert growth.moved(network, 4) is None


# --- what follows ------------------------------------------------------------------------------


@pytest.mark.parametrize(("sizes", "share"), [((8, 7, 6, 3), 0.3), ((8, 40, 40, 40, 3), 0.02)])
def test_weights_and_memory_of_edges_that_stay_are_kept(toy, sizes, share, monkeypatch):
    """Also where a block gets its first edges, or stores them otherwise than before."""
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", 20)
    graph = layered(sizes)
    trainer = Trainer(graph, toy, config(RandomGrowth(share, 0.4, places="any", drop="random")))
    list(trainer.run_epoch())
    engine, dense = trainer.engine, [b.dense for b in trainer.network.blocks]
    for t in (100, 102, 104):
        before, old = trainer.graph, engine.arrays()
        old = {name: array.copy() for name, array in old.items()}
        engine.rewire(t)
        new, where = engine.arrays(), trainer.network.moved_to(before)[1]
        assert trainer.graph is trainer.network.graph is engine.updates.network.graph
        stay = where >= 0  # of the old edges
        assert 0 < (~stay).sum() == round(share * graph.n_edges)
        fresh = np.setdiff1d(np.arange(graph.n_edges), where)
        for name in ("weights", "optimiser/mean/weights", "optimiser/square/weights"):
            assert np.array_equal(new[name][where[stay]], old[name][stay]), name
            assert old[name][~stay].any()
            assert not new[name][fresh].any()
        for name in ("biases", "optimiser/mean/biases", "train_particles"):
            assert np.array_equal(new[name], old[name])
        assert np.array_equal(trainer.network.circuit.rest(), np.zeros(graph.n_nodes - 8))
        dense += [b.dense for b in trainer.network.blocks]
    assert set(dense) == ({True} if len(sizes) == 4 else {True, False})
    next(trainer.run_epoch())


def test_records_say_what_moved_and_where(toy):
    trainer = run(
        Trainer(GRAPH, toy, config(RandomGrowth(0.1, 0.4, places="any", drop="random"))), 3
    )
    n = round(0.1 * GRAPH.n_edges)
    assert [record.moved_edges for record in trainer.history] == [2 * n, 2 * n, 3 * n]
    last, graph = trainer.history[-1], trainer.graph
    shares = {k: v for k, v in vars(last).items() if k.startswith("share_")}
    assert sum(shares.values()) == pytest.approx(1)
    assert last.share_interlayer == graph.interlayer.mean() < 1
    assert last.share_intralayer == graph.intralayer.mean() > 0
    direct = (graph.edges[:, 0] < 8) & (graph.edges[:, 1] > 20)
    assert last.share_direct_skip == direct.mean() > 0
    assert last.share_hidden_skip == 0 < last.share_input_skip
    assert graph.provenance[-1] == {"step": "train", "times": 7, "moved": 7 * n}
    assert len(graph.provenance) == 2


def test_corrections_are_those_of_pairs_that_have_edges(toy):
    trainer = Trainer(GRAPH, toy, config(RandomGrowth(0.1, 1.0)))
    assert trainer.pairs == ["0-1", "0-2", "0-3", "1-2", "1-3", "2-3"]
    assert trainer.kinds == ["interlayer", "skip", "skip", "interlayer", "skip", "interlayer"]
    skips = np.array(trainer.kinds) == "skip"
    list(trainer.run_epoch())
    assert np.isnan(trainer.corrections[:, skips]).all()
    assert (trainer.corrections[:, ~skips] > 0).all()
    assert trainer.history[0].log_spread == trainer.history[0].log_spread_interlayer > 0
    list(trainer.run_epoch())
    assert (trainer.corrections > 0).all()
    assert trainer.history[1].log_spread != trainer.history[1].log_spread_interlayer


# --- to the bit --------------------------------------------------------------------------------


def assert_same(one, other):
    arrays, others = one.state()[0], other.state()[0]
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        assert array.tobytes() == others[name].tobytes(), name
    assert one.graph == other.graph
    for first, second in zip(one.history, other.history, strict=True):
        assert repr(replace(first, seconds=0)) == repr(replace(second, seconds=0))


@pytest.mark.parametrize("batches", [1, 4, 5, 7, 10])
def test_a_checkpoint_after_any_batch_goes_on_as_if_never_stopped(toy, rule, batches):
    whole, stopped, resumed = (Trainer(GRAPH, toy, config(rule)) for _ in range(3))
    run(whole, 3)
    assert whole.graph != GRAPH
    done = 0
    while done < batches:
        for _ in stopped.run_epoch():
            done += 1
            if done == batches:
                break
    resumed.restore(*saved(stopped))
    assert resumed.graph == stopped.graph
    assert resumed.graph.provenance == stopped.graph.provenance
    assert_same(run(resumed, 3), whole)


@pytest.mark.parametrize("rule", [RandomGrowth(0.0, 0.4), RandomGrowth(0.5, until=0)])
def test_no_share_and_no_time_change_nothing(toy, rule):
    moving, fixed = (run(Trainer(GRAPH, toy, config(each))) for each in (rule, Fixed()))
    arrays, others = moving.state()[0], fixed.state()[0]
    for name in others.keys() - {"corrections"}:
        assert arrays[name].tobytes() == others[name].tobytes(), name
    assert moving.graph is fixed.graph is GRAPH
    assert [r.test_error for r in moving.history] == [r.test_error for r in fixed.history]
    assert [r.log_spread for r in moving.history] == [r.log_spread for r in fixed.history]
    assert {r.moved_edges for r in moving.history} == {0}
    assert np.isnan([r.moved_edges for r in fixed.history]).all()


# --- rewirings of one's own, and what is refused -------------------------------------------------


@dataclass(frozen=True)
class Once(Rewiring):
    """One edge, once."""

    def moves(self, t, n_batches):
        return float(t == 3)

    def grown(self, network, contrast, n, rng):
        return np.array([[0, 23]])


@dataclass(frozen=True)
class Doubling(Once):
    """A place where there is an edge."""

    def grown(self, network, contrast, n, rng):
        return network.graph.edges[-1:]


def test_a_rewiring_of_ones_own_moves_what_it_says(toy):
    trainer = run(Trainer(GRAPH, toy, config(Once())))
    assert keys(trainer.graph) - keys(GRAPH) == {23}
    assert trainer.graph.n_edges == GRAPH.n_edges
    with pytest.raises(InputError, match="is given twice"):
        run(Trainer(GRAPH, toy, config(Doubling())))


def test_edges_do_not_move_where_weights_cannot_follow(toy):
    rule = RandomGrowth()
    with pytest.raises(InputError, match="rewire: edges cannot move in device = 'cpu'"):
        config(rule, device="cpu")
    with pytest.raises(InputError, match="rewire: edges cannot move on a chip"):
        config(rule, hardware=Levels(5))
    with pytest.raises(InputError, match=r"rewire: RandomGrowth.* has no place for an edge"):
        Trainer(layered((8, 3)), toy, config(rule))
    with pytest.raises(InputError, match="rewire: cannot be changed during training"):
        Trainer(GRAPH, toy, config(rule)).change(rewire=Fixed())
    with pytest.raises(InputError, match="rewire: 3, must be a Rewiring"):
        TrainingConfig(rewire=3)


def test_outputs_that_are_cut_off_are_named():
    rule, graph = RandomGrowth(0.25, 0.4, places="hidden"), layered((1, 1, 1, 1, 1))
    network, growth = growth_of(rule, graph, weights=[4, 3, 2, 1])
    with pytest.raises(InputError, match=r"rewire: 1 of 1 outputs can no longer be reached"):
        growth.moved(network, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 1.5}, "share: 1.5; give a number from 0 to 1"),
        ({"every": 0}, "every: 0, must be above 0"),
        ({"until": -1}, "until: -1, must be at least 0"),
        ({"places": "skips"}, "places: 'skips'; did you mean"),
        ({"drop": "large"}, "drop: 'large', allowed: smallest, random"),
        ({"batches": 0}, "batches: 0, must be a whole number from 1 to 1000000"),
    ],
)
def test_values_that_are_not_usable_are_named(values, message):
    with pytest.raises(InputError, match=message):
        AbsentCorrection(**values)
