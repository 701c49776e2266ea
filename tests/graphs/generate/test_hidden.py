"""Hidden graphs by law: exact numbers of edges, and statistics that tell the laws apart."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate import hidden_graph, layered
from smallworld_eqprop.graphs.generate.hidden import Law

LAWS = get_args(Law)
DRAWN = [law for law in LAWS if law != "lattice"]
INPUTS, HIDDEN, OUTPUTS = 6, 30, 3
PAIRS = HIDDEN * (HIDDEN - 1) // 2
# Share of the pairs of nodes that lie in different ones of five groups of six.
APART = 360 / PAIRS


def drawn(law, edges, *, hidden=HIDDEN, **options):
    return hidden_graph(INPUTS, hidden, OUTPUTS, edges, law, **{"seed": 0, **options})


def pairs(graph):
    """Edges between hidden nodes, numbered from 0."""
    return graph.edges[graph.intralayer] - graph.layer_sizes[0]


def degrees(graph):
    return np.bincount(pairs(graph).ravel(), minlength=graph.layer_sizes[1])


def distances(graph):
    """How far apart on the ring the ends of every edge are."""
    apart = pairs(graph) @ (-1, 1)
    return np.minimum(apart, graph.layer_sizes[1] - apart)


def clustering(graph):
    return nx.average_clustering(nx.Graph(pairs(graph).tolist()))


def terminals(graph):
    """Hidden nodes that each input is joined to, and each output."""
    inputs, hidden, _ = graph.layer_sizes
    joined = graph.adjacency().toarray()[inputs : inputs + hidden] != 0
    return joined[:, :inputs].T, joined[:, inputs + hidden :].T


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("edges", [HIDDEN - 1, 90, 97, PAIRS - 1, PAIRS])
def test_edges_are_as_many_as_they_are_told(law, edges):
    graph = drawn(law, edges, p=APART, entry=4, exits=5)
    assert graph.layer_sizes == (INPUTS, HIDDEN, OUTPUTS)
    assert len(pairs(graph)) == edges
    assert graph.n_edges == INPUTS * 4 + edges + 5 * OUTPUTS
    assert not graph.skip.any()
    if edges == PAIRS:
        assert pairs(graph).tolist() == [list(pair) for pair in combinations(range(HIDDEN), 2)]


@pytest.mark.parametrize("law", LAWS)
def test_as_many_edges_as_five_hidden_layers(law):
    # In five groups at most 6,125 edges fit within.
    graph = hidden_graph(784, 250, 10, 10_000, law, p=0.5, entry=50, exits=50, seed=0)
    assert graph.n_edges == layered((784, 50, 50, 50, 50, 50, 10)).n_edges == 49_700
    assert graph == hidden_graph(784, 250, 10, 10_000, law, p=0.5, seed=0)


@pytest.mark.parametrize(("hidden", "edges"), [(30, 90), (30, 97), (10, 43), (9, 36), (7, 6)])
def test_a_lattice_has_the_shortest_edges_of_a_ring(hidden, edges):
    graph = drawn("lattice", edges, hidden=hidden)
    shorter, left = divmod(edges, hidden)
    expected = [hidden] * shorter + [left] * (left > 0)
    assert np.bincount(distances(graph))[1:].tolist() == expected
    if not left:
        assert set(degrees(graph)) == {2 * shorter}


def test_the_lattice_leaves_out_other_edges_with_other_seeds():
    assert drawn("lattice", 90, seed=0) == drawn("lattice", 90, seed=1)
    assert drawn("lattice", 97, seed=0) == drawn("lattice", 97, seed=0)
    assert drawn("lattice", 97, seed=0) != drawn("lattice", 97, seed=1)


@pytest.mark.parametrize("law", DRAWN)
def test_the_seed_draws_the_graph(law):
    one, same, other = (drawn(law, 90, p=0.5, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert pairs(one).tolist() != pairs(other).tolist()
    assert one.provenance[0]["seed"] == 1


def test_provenance_has_only_what_the_law_uses():
    (step,) = drawn("watts-strogatz", 90, p=0.2).provenance
    assert step == {
        "step": "hidden_graph",
        "sizes": [6, 30, 3],
        "law": "watts-strogatz",
        "edges": 90,
        "p": 0.2,
        "modules": None,
        "entry": 6,
        "exits": 6,
        "seed": 0,
    }
    assert drawn("random", 90).provenance[0]["p"] is None
    assert drawn("modular", 70).provenance[0]["modules"] == 5


@pytest.mark.parametrize("seed", range(3))
def test_scale_free_graphs_have_hubs(seed):
    # Preferential attachment: about 3 sqrt(200) = 42; random: 6 + 3 sqrt(6) = 13.
    random, scale_free = (
        degrees(drawn(law, 600, hidden=200, seed=seed)).max() for law in ("random", "scale-free")
    )
    assert scale_free > 1.5 * random


def test_preferential_attachment_joins_every_node_alike():
    # 1 + 2 edges among the first three nodes, 2 for each of the others: nothing is left to remove.
    graph = drawn("scale-free", 3 + 2 * 27)
    assert degrees(graph).min() == 2
    assert nx.core_number(nx.Graph(pairs(graph).tolist())) == dict.fromkeys(range(HIDDEN), 2)


@pytest.mark.parametrize(("p", "modules"), [(0.2, 5), (0.347, 5), (1, 5), (0.9, 15), (0, 2)])
def test_p_is_the_share_of_edges_between_groups(p, modules):
    graph = drawn("modular", 80, p=p, modules=modules)
    groups = pairs(graph) // (HIDDEN // modules)
    assert (groups[:, 0] != groups[:, 1]).sum() == round(p * 80)


def test_watts_and_strogatz_start_at_the_lattice():
    for edges in (90, 97):
        assert drawn("watts-strogatz", edges, p=0) == drawn("lattice", edges)


@pytest.mark.parametrize("p", [0.1, 0.5, 1])
def test_watts_and_strogatz_move_one_end_of_a_share_p(p):
    ring, graph = (drawn(law, 1000, hidden=200, p=p) for law in ("lattice", "watts-strogatz"))
    kept = np.isin(pairs(graph) @ (200, 1), pairs(ring) @ (200, 1)).mean()
    # A moved edge may come to a place of the ring that another one has left: 1 place in 20.
    by_chance = p * 0.05
    assert kept == pytest.approx(1 - p + by_chance, abs=by_chance + 4 * np.sqrt(p * (1 - p) / 1000))
    # Every node keeps the ends of its own five edges.
    assert degrees(graph).min() >= 5


def test_watts_and_strogatz_end_near_a_random_graph():
    lattice, end, random = (
        clustering(drawn(law, 1000, hidden=200, p=1))
        for law in ("lattice", "watts-strogatz", "random")
    )
    # Of k = 10 neighbours on a ring: 3 (k - 2) / (4 (k - 1)); at random the density.
    assert lattice == pytest.approx(2 / 3)
    assert random == pytest.approx(1000 / 19_900, abs=0.02)
    assert end == pytest.approx(random, abs=0.02)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("entry", "exits"), [(6, 6), (5, 12), (20, 10), (30, 30)])
def test_all_inputs_and_all_outputs_have_the_same_neighbours(law, entry, exits):
    first, last = terminals(drawn(law, 60, entry=entry, exits=exits))
    assert (first == first[0]).all() and (last == last[0]).all()
    assert (first[0].sum(), last[0].sum()) == (entry, exits)
    assert (first[0] & last[0]).sum() == max(entry + exits - HIDDEN, 0)


@pytest.mark.parametrize(("entry", "exits"), [(6, 6), (5, 11), (25, 25)])
def test_arcs_of_a_ring_lie_opposite_each_other(entry, exits):
    for law in ("lattice", "watts-strogatz"):
        first, last = (each[0] for each in terminals(drawn(law, 60, entry=entry, exits=exits)))
        for arc in (first, last):
            assert (arc & ~np.roll(arc, 1)).sum() == 1
        # The ring turned by half carries the middle of one arc to that of the other.
        turned = np.roll(first, HIDDEN // 2)
        smaller, larger = sorted((turned, last), key=np.sum)
        assert not (smaller & ~larger).any()


def test_groups_of_inputs_and_outputs_are_the_first_and_the_last():
    first, last = (np.flatnonzero(each[0]) for each in terminals(drawn("modular", 60, exits=12)))
    assert first.tolist() == list(range(6))
    assert last.tolist() == list(range(18, 30))


@pytest.mark.parametrize("law", ["random", "scale-free"])
def test_neighbours_of_inputs_and_outputs_are_drawn(law):
    drawn_first = [terminals(drawn(law, 60, seed=seed))[0][0].tolist() for seed in (0, 0, 1)]
    assert drawn_first[0] == drawn_first[1] != drawn_first[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"law": "watts-strogats"}, "law: 'watts-strogats'; did you mean watts-strogatz"),
        ({"edges": 28}, "edges: 28; give a whole number from 29 to 435, of which the least join"),
        ({"edges": 436}, "edges: 436; give a whole number from 29 to 435"),
        ({"edges": 60.5}, "edges: 60.5; give a whole number"),
        ({"p": 1.1}, "p: 1.1; give a number from 0 to 1"),
        ({"hidden": 1, "edges": 0}, "hidden: 1; give at least 2 nodes"),
        ({"inputs": 0}, r"layer sizes: \[0, 30, 3\]; give at least two layers"),
        ({"modules": 7}, "modules: 7; give a number that divides 30 hidden nodes"),
        ({"modules": 0}, "modules: 0; give a whole number from 1 to 30"),
        ({"modules": 31}, "modules: 31; give a whole number from 1 to 30"),
        ({"entry": 0}, "entry: 0; give a whole number from 1 to 30, the number of hidden nodes"),
        ({"exits": 31}, "exits: 31; give a whole number from 1 to 30"),
        ({"seed": -1}, "seed: -1; give a whole number"),
        ({"edges": 100}, "p: 0.1; 90 edges within 5 groups, which have 75 places; give p of at "),
        ({"edges": 400, "p": 1}, "p: 1; 400 edges between 5 groups, which have 360 places; give"),
        ({"modules": 1}, "p: 0.1; 6 edges between 1 groups, which have 0 places; give p of at mos"),
    ],
)
def test_bad_input_is_one_line(change, message):
    arguments = {
        "inputs": INPUTS,
        "hidden": HIDDEN,
        "outputs": OUTPUTS,
        "edges": 60,
        "law": "modular",
        "seed": 0,
        **change,
    }
    with pytest.raises(InputError, match=f"^{message}") as error:
        hidden_graph(**arguments)
    assert "\n" not in str(error.value)


def test_the_p_that_is_told_fits():
    with pytest.raises(InputError, match=r"give p of at least 0\.25, or fewer modules$"):
        drawn("modular", 100, p=0.24)
    assert len(pairs(drawn("modular", 100, p=0.25))) == 100
    with pytest.raises(InputError, match=r"give p of at most 0\.9, or more modules$"):
        drawn("modular", 400, p=0.91)
    assert len(pairs(drawn("modular", 400, p=0.9))) == 400
