"""Null models by name: in coefficients, in topologies, and within the blocks of layers."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import weighted_adjacency
from smallworld_eqprop.graphs.core.blocks import edges_between_layers
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure.ensembles import (
    NULL_MODELS,
    Comparison,
    measure,
    measure_nulls,
)
from smallworld_eqprop.graphs.measure.smallworld import small_world_propensity, small_world_sigma
from smallworld_eqprop.graphs.nulls.names import (
    CONNECTABLE,
    NEED_NODES,
    PLACE_WEIGHTS,
    NullModel,
)
from smallworld_eqprop.graphs.topology import NullOf
from smallworld_eqprop.graphs.topology.base import Topology

PLAIN = rewire(add_intralayer(layered((6, 8, 8, 4))), 0.3, seed=0)


def with_data() -> LayeredGraph:
    rng = np.random.default_rng(0)
    data = {"weight": rng.lognormal(size=PLAIN.n_edges), "number": np.arange(PLAIN.n_edges)}
    place = {"position": rng.random((PLAIN.n_nodes, 3))}
    return replace(PLAIN, edge_data=data, node_data=place)


G = with_data()


class Given(Topology):
    """The graph of these tests."""

    def build(self, seed: int) -> LayeredGraph:
        return G


def test_every_name_has_a_model() -> None:
    assert set(get_args(NullModel)) == set(NULL_MODELS)
    assert {*CONNECTABLE, *NEED_NODES, *PLACE_WEIGHTS} <= set(NULL_MODELS)


@pytest.mark.parametrize("name", NULL_MODELS)
def test_samples_of_every_name(name) -> None:
    sample = NULL_MODELS[name](G, seed=0)
    drawn = sample.applied_to(G)
    assert drawn.n_edges == G.n_edges
    if name.startswith("layer_blocks"):
        assert np.array_equal(edges_between_layers(drawn), edges_between_layers(G))
        with pytest.raises(InputError, match="has no layers; give a LayeredGraph"):
            NULL_MODELS[name](nx.cycle_graph(5), seed=0)
    assert (sample.origin is not None) == (name in PLACE_WEIGHTS)
    if name in PLACE_WEIGHTS:
        assert np.array_equal(drawn.edge_data["weight"], sample.weights)
        assert np.array_equal(np.sort(sample.weights), np.sort(G.edge_data["weight"]))


@pytest.mark.parametrize("name", PLACE_WEIGHTS)
def test_a_topology_of_a_null_carries_data_along(name) -> None:
    found = NullOf(Given(), name, 2).build(0)
    assert sorted(found.edge_data["number"]) == list(range(G.n_edges))
    at = found.edge_data["number"]
    assert np.array_equal(found.edge_data["weight"], G.edge_data["weight"][at])
    assert (found.provenance[-1]["model"], found.provenance[-1]["sample"]) == (name, 2)
    again, other = (NullOf(Given(), name, sample).build(1) for sample in (2, 3))
    assert again == found
    assert np.array_equal(again.edge_data["number"], at)
    assert not np.array_equal(other.edge_data["number"], at)


@pytest.mark.parametrize("name", NULL_MODELS)
def test_coefficients_beside_every_null(name) -> None:
    found = small_world_propensity(G, seed=0, n_null=2, null=name)
    assert found.weighted
    assert found.null == name
    assert 0 <= found.value <= 1 or found.reason


def test_nulls_that_keep_the_edges_have_sigma_1() -> None:
    found = small_world_sigma(G, seed=0, n_null=2, null="shuffled_weights")
    assert found.value == 1
    assert not found.mixed


def test_the_weights_that_a_null_places_are_measured() -> None:
    # One weight in every block of layers: within blocks nothing changes, dealt out anew they do.
    weights = 1.0 + PLAIN.layers[PLAIN.edges].sum(axis=1)
    g = replace(PLAIN, edge_data={"weight": weights})
    comparison = Comparison(g, weights, "average", "undefined", connected=False)
    own = measure(weighted_adjacency(g), comparison)
    matrix = comparison._replace(graph=g.adjacency())
    rng = np.random.default_rng(0)
    (inside,) = measure_nulls(comparison, ["layer_blocks_with_weights"], rng, None, None)
    assert inside[:2] == pytest.approx(own[:2])
    (dealt,) = measure_nulls(comparison, ["layer_blocks_with_degrees"], rng, None, None)
    assert dealt.path_length != pytest.approx(own.path_length, rel=1e-3)
    (anew,) = measure_nulls(matrix, ["shuffled_weights"], rng, None, None)
    assert anew.path_length != pytest.approx(own.path_length, rel=1e-3)


def test_a_component_has_no_layers_and_positions() -> None:
    parts = LayeredGraph((2, 2), [(0, 2), (1, 3)], node_data={"position": np.eye(4, 2)})
    for null in ("layer_blocks_with_geometry", "geometry_preserving"):
        with pytest.raises(InputError, match="no layers and positions, which null"):
            small_world_sigma(parts, seed=0, null=null, disconnected="largest_component")
