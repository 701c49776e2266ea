from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop import InputError, RunConfig, add_intralayer, layered
from smallworld_eqprop.graphs.generate import add_rings
from smallworld_eqprop.graphs.topology import (
    AddSkips,
    Layered,
    RandomLike,
    Rewire,
    RewireEnds,
    RewireKeepingDegrees,
    Thin,
)

SIZES = (8, 6, 6, 6, 3)
EDGES = layered(SIZES).n_edges


def degrees(graph):
    return np.bincount(graph.edges.ravel(), minlength=graph.n_nodes)


def moved(graph):
    return np.setdiff1d(layered(SIZES).edges @ (100, 1), graph.edges @ (100, 1)).size


@pytest.mark.parametrize("places", ["skip", "input", "hidden", "output"])
def test_added_edges_are_a_share_of_those_there_are_and_go_where_they_are_told(places):
    graph = AddSkips(SIZES, p=0.2, places=places).build(0)
    assert moved(graph) == 0
    assert graph.skip.sum() == round(0.2 * EDGES) == graph.n_edges - EDGES
    layers = graph.layers[graph.edges[graph.skip]]
    ends = {"input": 0, "output": 4}
    if places in ends:
        assert (layers == ends[places]).any(axis=1).all()
    if places == "hidden":
        assert not np.isin(layers, (0, 4)).any()


@pytest.mark.parametrize("places", ["skip", "input", "output"])
def test_rewired_edges_go_where_they_are_told(places):
    graph = Rewire(SIZES, p=0.2, places=places).build(0)
    assert graph.n_edges == EDGES
    assert graph.provenance[-1]["places"] == places
    assert moved(graph) > 0


def test_thin_removes_a_share():
    graph = Thin(SIZES, p=0.25).build(0)
    assert graph.n_edges == EDGES - round(0.25 * EDGES)


def test_exchanged_ends_keep_degrees():
    graph = RewireKeepingDegrees(SIZES, p=0.5).build(0)
    assert moved(graph) > 0
    assert (degrees(graph) == degrees(layered(SIZES))).all()


def test_moved_ends_cross_layers_when_they_may():
    with pytest.raises(InputError, match="has a free place to move an end to"):
        RewireEnds(SIZES, p=0.5).build(0)  # complete blocks leave none
    cross = RewireEnds(SIZES, p=0.5, across_layers=True)
    assert moved(cross.build(0)) > 0


def test_rings_are_the_start_of_any_family():
    assert Rewire(SIZES, neighbours=2).build(0) == add_rings(layered(SIZES), 2)
    rings = RewireEnds(SIZES, neighbours=2, p=1.0).build(0)
    assert rings.intralayer.sum() == 3 * 6
    assert rings != add_rings(layered(SIZES), 2)


def test_a_random_network_has_as_many_edges():
    random = RandomLike(SIZES).build(0)
    assert random.n_edges == EDGES
    assert random != layered(SIZES)
    more = RandomLike(SIZES, intralayer=True).build(0)
    assert more.n_edges == add_intralayer(layered(SIZES)).n_edges


@pytest.mark.parametrize(
    "topology",
    [
        RewireEnds(SIZES, p=0.3, across_layers=True),
        RewireKeepingDegrees(SIZES, p=0.3),
        AddSkips(SIZES, p=0.3),
        Thin(SIZES, p=0.3),
        RandomLike(SIZES),
    ],
    ids=lambda topology: type(topology).__name__,
)
def test_the_seed_decides_the_graph(topology):
    assert topology.build(1) == topology.build(1)
    assert topology.build(1) != topology.build(2)
    if not isinstance(topology, RandomLike):
        assert type(topology)(SIZES).build(1) == layered(SIZES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "rewier"}, ["rewier", "did you mean rewire?", "thin"]),
        ({"family": ["thin"]}, ["['thin']", "a table with a kind"]),
        ({"family": "thin", "places": "hidden"}, ["'places'", "rewire, add_skips"]),
        ({"family": "random_like", "p": 0.1}, ["'p'", "kinds of topology only rewire, "]),
        ({"across_layers": True}, ["across_layers", "rewire_ends"]),
        ({"places": "somewhere"}, ["places", "somewhere", "'hidden'"]),
    ],
)
def test_a_key_that_means_nothing_is_refused(change, words):
    with pytest.raises(InputError) as caught:
        RunConfig.preset("layered-5x100", **change)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("kind", [Rewire, Thin, AddSkips, RewireEnds, RewireKeepingDegrees])
def test_p_is_a_share_for_every_family(kind, p):
    with pytest.raises(InputError, match="p: "):
        kind(SIZES, p=p).build(0)


def test_a_new_family_forgets_what_the_old_one_was_told():
    preset = RunConfig.preset("rewired-3x500")
    layers = {"layer_sizes": preset.topology.layer_sizes, "intralayer": True}
    assert preset.topology.moves == 100_000
    assert preset.changed(family="thin", p=0.1).topology == Thin(**layers, p=0.1)
    assert preset.changed(p=0.2).changed(family="random_like").topology == RandomLike(**layers)
    assert preset.changed(family="layered").topology == Layered(**layers)
    assert preset.changed(family="rewire", p=0.1).topology == Rewire(**layers, law="moves", p=0.1)


def test_layers_may_be_any_sequence():
    for sizes in ([8, 6, 3], (8, 6, 3), range(3, 9)):
        topology = Layered(sizes)
        assert topology == Layered(tuple(sizes))
        assert hash(topology) == hash(Layered(tuple(sizes)))
