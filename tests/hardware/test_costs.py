"""Costs of tiny graphs in closed form, and what must hold for every graph."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop import InputError, LayeredGraph, add_intralayer, layered, rewire
from smallworld_eqprop.hardware import (
    EnergyModel,
    correction_energy,
    count_converters,
    crossbars,
    eqprop_operations,
    fan_in,
    fan_out,
    hardware_costs,
    node_positions,
    weight_memories,
    wire_lengths,
)

NOTHING = EnergyModel(device=0, adc=0, dac=0, write=0, wire=0, pitch=1)


def test_layers_are_blocks_side_by_side():
    # 784 inputs are the image: pixel (row, column) of 28 x 28.
    places = node_positions(layered((784, 4, 1)))
    row, column = np.divmod(np.arange(784), 28)
    np.testing.assert_array_equal(places[:784], np.column_stack((column, 13.5 - row)))
    np.testing.assert_array_equal(places[784:788], [(29, 0.5), (30, 0.5), (29, -0.5), (30, -0.5)])
    np.testing.assert_array_equal(places[788], (32, 0))


def test_given_positions_are_taken_and_lengths_follow_them():
    graph = LayeredGraph((1, 1, 1), [(0, 1), (1, 2)], node_data={
        "position": np.array([(0.0, 0, 0), (3, 4, 0), (3, 4, 12)])
    })  # fmt: skip
    assert wire_lengths(graph).tolist() == [7, 12]
    assert wire_lengths(graph, "euclidean").tolist() == [5, 12]
    costs = hardware_costs(graph, distance="euclidean")
    assert (costs["wire_length"], costs["wire_length_largest"]) == (17, 12)


def test_a_node_without_position_is_one_line():
    graph = LayeredGraph((1, 1), [(0, 1)], node_data={"position": [(0.0, 1.0), (np.nan, 1.0)]})
    with pytest.raises(InputError, match="1 of 2 nodes have none"):
        wire_lengths(graph)


def test_lengths_add_up_over_the_kinds_of_edges():
    graph = rewire(add_intralayer(layered((9, 8, 7, 4))), 0.3, seed=0)
    costs = hardware_costs(graph)
    kinds = ("interlayer", "intralayer", "skip")
    assert all(costs[f"wire_length_{kind}"] > 0 for kind in kinds)
    total = sum(costs[f"wire_length_{kind}"] for kind in kinds)
    assert costs["wire_length"] == pytest.approx(total)
    assert costs["wire_length_mean"] == pytest.approx(total / graph.n_edges)


def test_fan_in_and_out_of_a_layered_network():
    graph = layered((4, 3, 2))
    assert fan_in(graph).tolist() == [6, 6, 6, 3, 3]  # both neighbours' layers
    assert fan_out(graph).tolist() == [3, 3, 3, 3, 2, 2, 2, 3, 3]  # but no input listens


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    p=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_every_value_that_comes_in_went_out(sizes, p, seed):
    graph = layered(sizes)
    graph = rewire(graph, p, seed=seed) if len(sizes) > 2 else graph
    operations = eqprop_operations(graph, 1, 1)
    ways = operations.one_way_wires + 2 * operations.two_way_wires
    assert fan_in(graph).sum() == fan_out(graph).sum() == ways


def test_tiles_of_a_layered_network_in_closed_form():
    found = crossbars(layered((300, 200, 10)), 128, 64)
    tiles = math.ceil(300 / 128) * math.ceil(200 / 64) + math.ceil(200 / 128) * 1
    assert (found.tiles, found.crossings) == (tiles, tiles * 128 * 64)
    assert found.fill == pytest.approx((300 * 200 + 200 * 10) / (tiles * 128 * 64))


def test_tiles_without_a_weight_are_not_built():
    graph = LayeredGraph((4, 4, 4), [(0, 4), (3, 7), (0, 8), (4, 7), (8, 11)])
    # Two corners of the first block, one of the skips, and one inside each of two layers.
    assert crossbars(graph, 2, 2).tiles == 5
    assert crossbars(graph, 1, 1).fill == 1
    # One tile per pair of layers, as large as they are.
    assert crossbars(graph, 4, 4).tiles == 4


@given(tile=st.tuples(st.integers(1, 9), st.integers(1, 9)), seed=st.integers(0, 99))
def test_tiles_hold_all_weights(tile, seed):
    graph = rewire(layered((7, 6, 5, 3)), 0.4, seed=seed)
    found = crossbars(graph, *tile)
    assert found.fill * found.crossings == pytest.approx(graph.n_edges)
    assert found.fill <= 1


def test_converters_and_memories():
    graph = layered((4, 3, 2))
    assert count_converters(graph) == (4, 5)
    assert count_converters(graph, "outputs") == (4, 2)
    parameters = 4 * 3 + 3 * 2 + 5
    assert weight_memories(graph) == parameters
    assert weight_memories(graph, moments=2) == 3 * parameters
    assert weight_memories(graph, moments=2, shadow=True) == 4 * parameters


@pytest.mark.parametrize(
    ("constant", "expected"),
    [
        # Inputs pass their values on once, the 6 edges between neurons in every sweep, both ways.
        ("device", 3 * (12 + 2 * 6 * (10 + 5))),
        ("wire", 3 * (12 * 2 + 2 * 6 * (10 + 5) * 2)),
        ("dac", 3 * 4),
        ("adc", 3 * 2 * 5),
        ("write", 23 * 3),
    ],
)
def test_energy_by_constant_in_closed_form(constant, expected):
    # All nodes of a layer at one place, two pitches from the next layer.
    graph = layered((4, 3, 2))
    graph = replace(graph, node_data={"position": np.outer(graph.layers, (2.0, 0.0))})
    model = replace(NOTHING, **{constant: 1})
    found = correction_energy(graph, 10, 5, batch=3, moments=2, model=model)
    assert found.total == pytest.approx(expected)
    assert correction_energy(graph, 10, 5, model=NOTHING).total == 0


def test_parts_add_up_and_the_table_has_them():
    graph = rewire(layered((9, 8, 7, 4)), 0.2, seed=0)
    costs = hardware_costs(graph, moments=2, shadow=True)
    parts = [value for name, value in costs.items() if name.startswith("correction_energy_")]
    assert len(parts) == 4
    assert costs["correction_energy"] == pytest.approx(sum(parts))
    assert all(isinstance(value, float) for value in costs.values())


def test_a_graph_without_edges_has_no_mean_wire():
    costs = hardware_costs(LayeredGraph((2, 1), []))
    assert np.isnan([costs["wire_length_mean"], costs["crossbar_fill"]]).all()
    assert costs["wire_length"] == costs["crossbar_tiles"] == costs["fan_in_largest"] == 0


def test_longer_skips_cost_wire():
    graph = layered((40, 30, 30, 30, 30, 10))
    length = {
        places: hardware_costs(rewire(graph, 0.05, places=places, seed=0))["wire_length_skip"]
        for places in ("short", "skip", "output")
    }
    assert length["short"] < length["skip"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: crossbars(g, 0), "rows: 0, must be a whole number from 1 to"),
        (lambda g: wire_lengths(g, "taxi"), "distance: 'taxi', allowed: manhattan, euclidean"),
        (lambda g: count_converters(g, "all"), "read: 'all', allowed: free, outputs"),
        (lambda g: weight_memories(g, -1), "moments: -1, must be a whole number from 0 to"),
        (lambda g: correction_energy(g, -1), "free_sweeps: -1, must be at least 0"),
        (lambda g: correction_energy(g, batch=0), "batch: 0, must be a whole number"),
        (lambda g: EnergyModel(adc=-1.0), "adc: -1.0, must be at least 0"),
    ],
)
def test_bad_input_is_one_line(call, message):
    with pytest.raises(InputError, match=message) as error:
        call(layered((3, 2)))
    assert "\n" not in str(error.value)
