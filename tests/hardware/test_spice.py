"""Voltages of resistive networks against those that ngspice finds in their netlists."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from smallworld_eqprop.dynamics import SOR, Model, Network, Resistive
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.hardware import to_spice

EXACT = SOR(1e-12, 20_000)
GRAPHS = {
    "layered": layered((8, 12, 4)),
    "deep": layered((8, 10, 10, 10, 4)),
    "rewired": rewire(layered((8, 10, 10, 4)), 0.3, seed=1),
    "intralayer": rewire(add_intralayer(layered((8, 9, 7, 3))), 0.2, seed=2),
}
FEATURES = np.array([0.9, -0.3, 0.0, 0.5])


class Clipped(Resistive):
    """Hidden voltages between -0.25 and 0.5."""

    def bounds(self, graph):
        low, high = (np.array(each) for each in super().bounds(graph))
        hidden = slice(0, -graph.layer_sizes[-1])
        low[hidden], high[hidden] = -0.25, 0.5
        return low, high


MODELS = {
    "diodes in turns": Resistive(gain=20),
    "a leak": Resistive(gain=100, diodes="positive", leak=0.05),
    "no diodes": Resistive(diodes="none"),
    "two bounds": Clipped(gain=4),
}


def made(graph, model):
    rng = np.random.default_rng(5)
    network = Network(graph, model=model, dtype=np.float64, seed=rng)
    network.biases = rng.normal(0, 0.1, network.n_free)
    return network


def simulated(netlist, folder):
    """Voltages of the nodes, by name."""
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is not installed (Debian: apt-get install ngspice)")
    path = folder / "network.cir"
    path.write_text(netlist, encoding="utf-8")
    done = subprocess.run(
        ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    table = done.stdout.partition("Voltage")[2].partition("Source")[0]
    return {name: float(value) for name, value in re.findall(r"^\s*(n\d+)\s+(\S+)$", table, re.M)}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_the_simulator_finds_the_same_voltages(graph, model, tmp_path):
    network = made(GRAPHS[graph], MODELS[model])
    voltages = simulated(to_spice(network, FEATURES), tmp_path)
    expected = np.concatenate((
        network.model.clamped(FEATURES), network.states(FEATURES[None], EXACT)[0]
    ))  # fmt: skip
    found = [voltages[f"n{i}"] for i in range(len(expected))]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert np.ptp(expected[network.n_inputs :]) > 0.05


def test_a_netlist_holds_every_part_once():
    network = made(GRAPHS["rewired"], MODELS["a leak"])
    lines = to_spice(network, FEATURES, title="mine").splitlines()
    assert lines[0] == "* mine"
    kinds = [re.match(r"RL|[VRID]|[*.]", line).group() for line in lines]
    counts = {kind: kinds.count(kind) for kind in ("V", "R", "RL", "I", "D")}
    n_free = network.n_free
    assert counts == {
        "V": 8, "R": network.graph.n_edges, "RL": n_free, "I": n_free, "D": n_free - 4,
    }  # fmt: skip
    names = [line.split()[0] for line in lines if line[0] not in "*."]
    assert len(set(names)) == len(names)


def test_what_is_no_circuit_is_refused():
    network = Network(layered((4, 3)), seed=0)
    with pytest.raises(InputError, match=r"^model: Hopfield.* its edges see products; take Resist"):
        to_spice(network, FEATURES)
    network = made(GRAPHS["layered"], MODELS["a leak"])
    with pytest.raises(InputError, match=r"^example: shape \(3,\), must be the features of one"):
        to_spice(network, FEATURES[:3])
    with pytest.raises(InputError, match=r"^example: shape \(1, 4\), must be"):
        to_spice(network, FEATURES[None])


def test_negative_conductances_are_refused():
    class Signed(Model):
        sees = "difference"

        def self_term(self, graph):
            return 5.0

    network = Network(layered((4, 3)), np.full(12, -0.5), model=Signed())
    with pytest.raises(InputError, match=r"^weights: -0.5, must be at least 0 as a conductance"):
        to_spice(network, FEATURES)
