from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop import (
    InputError,
    RunConfig,
    TopologyConfig,
    add_intralayer,
    add_rings,
    layered,
)

SIZES = (8, 6, 6, 6, 3)
EDGES = layered(SIZES).n_edges


def degrees(graph):
    return np.bincount(graph.edges.ravel(), minlength=graph.n_nodes)


def moved(graph):
    return np.setdiff1d(layered(SIZES).edges @ (100, 1), graph.edges @ (100, 1)).size


@pytest.mark.parametrize("places", ["skip", "input", "hidden", "output"])
def test_added_edges_are_a_share_of_those_there_are_and_go_where_they_are_told(places):
    graph = TopologyConfig(SIZES, family="add_skips", p=0.2, places=places).build(0)
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
    graph = TopologyConfig(SIZES, p=0.2, places=places).build(0)
    assert graph.n_edges == EDGES
    assert graph.provenance[-1]["places"] == places
    assert moved(graph) > 0


def test_thin_removes_a_share():
    graph = TopologyConfig(SIZES, family="thin", p=0.25).build(0)
    assert graph.n_edges == EDGES - round(0.25 * EDGES)


def test_exchanged_ends_keep_degrees():
    graph = TopologyConfig(SIZES, family="rewire_keeping_degrees", p=0.5).build(0)
    assert moved(graph) > 0
    assert (degrees(graph) == degrees(layered(SIZES))).all()


def test_moved_ends_cross_layers_when_they_may():
    stay = TopologyConfig(SIZES, family="rewire_ends", p=0.5)
    assert stay.build(0) == layered(SIZES)  # complete blocks leave no free place
    cross = TopologyConfig(SIZES, family="rewire_ends", p=0.5, across_layers=True)
    assert moved(cross.build(0)) > 0


def test_rings_are_the_start_of_any_family():
    assert TopologyConfig(SIZES, neighbours=2).build(0) == add_rings(layered(SIZES), 2)
    rings = TopologyConfig(SIZES, neighbours=2, family="rewire_ends", p=1.0).build(0)
    assert rings.intralayer.sum() == 3 * 6
    assert rings != add_rings(layered(SIZES), 2)


def test_a_random_network_has_as_many_edges():
    random = TopologyConfig(SIZES, family="random_like").build(0)
    assert random.n_edges == EDGES
    assert random != layered(SIZES)
    more = TopologyConfig(SIZES, intralayer=True, family="random_like").build(0)
    assert more.n_edges == add_intralayer(layered(SIZES)).n_edges


@pytest.mark.parametrize(
    "topology",
    [
        TopologyConfig(SIZES, family="rewire_ends", p=0.3, across_layers=True),
        TopologyConfig(SIZES, family="rewire_keeping_degrees", p=0.3),
        TopologyConfig(SIZES, family="add_skips", p=0.3),
        TopologyConfig(SIZES, family="thin", p=0.3),
        TopologyConfig(SIZES, family="random_like"),
    ],
    ids=lambda topology: topology.family,
)
def test_the_seed_decides_the_graph(topology):
    assert topology.build(1) == topology.build(1)
    assert topology.build(1) != topology.build(2)
    if topology.family != "random_like":
        assert TopologyConfig(SIZES, family=topology.family).build(1) == layered(SIZES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"family": "rewier"}, ["rewier", "'rewire'", "'thin'"]),
        ({"family": ["thin"]}, ["['thin']", "'thin'"]),
        ({"family": "thin", "places": "hidden"}, ["places", "'hidden'", "rewire, add_skips"]),
        ({"family": "random_like", "p": 0.1}, ["p: 0.1", "random_like"]),
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
@pytest.mark.parametrize("family", ["thin", "add_skips", "rewire_ends", "rewire_keeping_degrees"])
def test_p_is_a_share_for_every_family(family, p):
    with pytest.raises(InputError, match="p: "):
        TopologyConfig(SIZES, family=family, p=p).build(0)


def test_a_new_family_forgets_what_the_old_one_was_told():
    preset = RunConfig.preset("rewired-3x500")
    assert preset.topology.moves == 100_000
    thinned = preset.changed(family="thin", p=0.1).topology
    assert (thinned.family, thinned.p, thinned.moves, thinned.law) == ("thin", 0.1, None, "edges")
    assert preset.changed(p=0.2).changed(family="random_like").topology.p == 0.0


def test_hashes_of_runs_older_than_the_families_stay():
    # As computed before there were any.
    assert RunConfig.preset("layered-5x100").key == "87804ecf8d9cb135"
    assert RunConfig.preset("rewired-3x500").key == "7d70aa43f45abc70"
    assert RunConfig.preset("layered-5x100", neighbours=2).key != "87804ecf8d9cb135"
