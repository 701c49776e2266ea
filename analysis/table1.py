"""Table 1: equilibrium propagation against backpropagation, in words and counted on real networks.

    python analysis/table1.py                                  the paper's networks
    python analysis/table1.py --network layered-5x100 --sweeps 40
    python analysis/table1.py --run runs/mine

Writes table1.txt, .md, .tex and .csv. The graph of a network is built from its preset or read from
a run; the mean number of sweeps of its free phases comes from results/learning_curves.csv, from the
run, or from --sweeps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from smallworld_eqprop import InputError, LayeredGraph, Run, RunConfig
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.hardware import (
    Operations,
    backpropagation_operations,
    eqprop_operations,
    hardware_costs,
)

RESULTS = Path(__file__).resolve().parents[1] / "results"
#: p = 0, 7.56 % (with edges inside layers) and 10 %.
DEFAULT = ("layered-3x500", "rewired-3x500", "rewired-3x500-no-intralayer")

COLUMNS = ("", "backpropagation", "equilibrium propagation")
WORDS = (
    (
        "memory",
        "activation and error of every neuron",
        "free and nudged activation of every neuron",
    ),
    ("nonlinear activation function", "yes", "yes"),
    ("its derivative", "yes", "yes"),
    (
        "distinct computations",
        "2: forwards and backwards phase differ",
        "about 1: hidden neurons do the same in both phases, output neurons nearly the same",
    ),
    (
        "connections",
        "one-way: activations to the layers after, errors to the layers before",
        "both ways, to every neighbour",
    ),
    (
        "corrections",
        "circuits of their own, apart from those that propagate",
        "circuits of their own, apart from those that relax",
    ),
    (
        "order",
        "forwards, layer after layer to the output; backwards, layer after layer to the input; "
        "update",
        "free phase, all neurons at once; nudged phase, all neurons at once; update",
    ),
)

# Fields of Operations as the table calls them.
QUANTITIES = {
    "stored_values": "values stored until the update",
    "first_phase": "multiply-accumulates, forwards or free phase",
    "second_phase": "multiply-accumulates, backwards or nudged phase",
    "correction": "multiply-accumulates, corrections",
    "multiply_accumulates": "multiply-accumulates, total",
    "nonlinearities": "evaluations of the nonlinearity",
    "computations": "distinct computations of a neuron",
    "one_way_wires": "one-way wires",
    "two_way_wires": "two-way wires",
    "values_per_edge": "values carried by a connection",
    "steps": "steps one after the other",
}
# What `hardware_costs` gives as the table calls it, and in which unit.
COSTS = {
    "wire_length": "length of all wires (pitches of a node)",
    "wire_length_mean": "length of a wire",
    "wire_length_skip": "length of all wires that skip layers",
    "fan_in_mean": "wires into a neuron",
    "fan_in_largest": "wires into a neuron, the most",
    "fan_out_largest": "neurons that a node drives, the most",
    "crossbar_tiles": "crossbar tiles of 128 x 128",
    "crossbar_fill": "share of their devices that are weights",
    "dacs": "digital-to-analogue converters, for inputs",
    "adcs": "analogue-to-digital converters, where all neurons are read",
    "weight_memories": "memories for weights and biases, SGD",
    "correction_energy": "energy of one correction (uJ)",
}
SCALES = {"correction_energy": 1e6}
COSTS_TITLE = "What a chip takes to train by equilibrium propagation"
NOTE = """\
Counted for one training example, as means over neurons or connections where it says "a neuron" or
"a connection". Connections and neurons are those of the graph; multiply-accumulates are one per
connection, direction and sweep, without checks of convergence. This package takes what clamped
inputs contribute once per example and relaxes until the residual is small; as published it is taken
anew in every one of a fixed number of Euler steps. Backpropagation on the same graph takes
every connection from the lower to the higher node number; with connections inside a layer its
neurons must then wait for each other. A step of equilibrium propagation updates all neurons.
Costs of a chip are those of smallworld_eqprop.hardware.hardware_costs: layers are square blocks of
neurons side by side, wires run along the axes, a tile without a weight is not built. Adam needs two
more memories for every one, a copy of the weights that is finer than the devices one more. Energies
are rough; they compare networks."""

#: Euler steps of the published free phase, by number of layers: 3 x 500 and 5 x 100; 500 otherwise.
FREE_STEPS = {5: 500, 7: 1000}


@dataclass(frozen=True)
class Counted:
    """A network, and how long its phases are."""

    name: str
    graph: LayeredGraph
    sweeps: float
    source: str
    config: RunConfig

    @property
    def summary(self) -> str:
        """One line that says what was counted and where the sweeps come from."""
        sizes = "-".join(map(str, self.graph.layer_sizes))
        return (
            f"{self.name}: {sizes}, {self.graph.n_edges:,} connections; {self.sweeps:.1f} sweeps "
            f"of the free phase ({self.source}), as published {self.published}; "
            f"{self.nudged} of the nudged phase"
        )

    @property
    def published(self) -> int:
        """Steps of the published free phase."""
        return FREE_STEPS.get(self.graph.n_layers, 500)

    @property
    def nudged(self) -> int:
        """Steps of the nudged phase."""
        return self.config.training.rule.solver.max_sweeps

    def operations(self) -> dict[str, Operations]:
        """Operations by column of the table."""
        g, nudged = self.graph, self.nudged
        return {
            "backpropagation": backpropagation_operations(g),
            "equilibrium propagation": eqprop_operations(g, self.sweeps, nudged),
            "the same, as published": eqprop_operations(
                g, self.published, nudged, inputs_once=False
            ),
        }

    def costs(self) -> dict[str, float]:
        """What a chip takes, by the words of the table."""
        found = hardware_costs(self.graph, free_sweeps=self.sweeps, nudged_sweeps=self.nudged)
        return {words: found[name] * SCALES.get(name, 1) for name, words in COSTS.items()}


def from_preset(name: str, sweeps: float | None) -> Counted:
    config = RunConfig.preset(name)
    source = "given"
    if sweeps is None:
        sweeps, source = recorded_sweeps(name)
    return Counted(name, config.topology.build(config.training.seed), sweeps, source, config)


def from_run(folder: Path, sweeps: float | None) -> Counted:
    run = Run(folder)
    source = "given"
    if sweeps is None:
        sweeps = float(run.history.mean_sweeps.mean())
        source = f"mean of {len(run.history)} epochs of {folder}"
    return Counted(run.config.name, run.graph, sweeps, source, run.config)


def recorded_sweeps(name: str) -> tuple[float, str]:
    """Mean number of sweeps of a network in the table of learning curves."""
    path = RESULTS / "learning_curves.csv"
    curves = pd.read_csv(path) if path.exists() else pd.DataFrame({"network": []})
    found = curves[curves.network == name]
    if found.empty:
        raise InputError(
            f"{name}: no run of it in {path}; give --sweeps, or its run with --run, or collect it "
            "with analysis/collect_results.py"
        )
    source = f"mean of {len(found)} epochs of {found.seed.nunique()} seeds"
    return float(found.mean_sweeps.mean()), source


def counted_rows(network: Counted) -> pd.DataFrame:
    operations = network.operations()
    return pd.DataFrame(
        {
            "quantity": list(QUANTITIES.values()),
            **{
                column: [float(getattr(found, name)) for name in QUANTITIES]
                for column, found in operations.items()
            },
        }
    )


def shown(value: float) -> str:
    """A number as people read it."""
    if value >= 1e6:
        return f"{value / 1e6:,.2f} million"
    return f"{value:,.0f}" if value == round(value) or value >= 1000 else f"{value:.4g}"


def as_csv(networks: Sequence[Counted]) -> str:
    words = pd.DataFrame(WORDS, columns=["quantity", *COLUMNS[1:]])
    words.insert(0, "network", "")
    counted = [counted_rows(network).assign(network=network.name) for network in networks]
    costs = [
        pd.DataFrame({"network": network.name, "quantity": list(found), COLUMNS[2]: found.values()})
        for network in networks
        if (found := network.costs())
    ]
    # Sums differ between processors in their last digits.
    return pd.concat([words, *counted, *costs], ignore_index=True).to_csv(
        index=False, float_format="%.12g"
    )


def cost_rows(networks: Sequence[Counted]) -> pd.DataFrame:
    """Costs of a chip, one network a column."""
    costs = {network.name: network.costs() for network in networks}
    rows = pd.DataFrame(costs, index=list(COSTS.values())).map(shown)
    return rows.reset_index(names="")


def as_text(networks: Sequence[Counted], style: str) -> str:
    """Text for a terminal, or Markdown: the words, then the counts, each under its heading."""
    terminal = style != "github"
    widths = [22, 40, 40] if terminal else None
    table = tabulate(WORDS, COLUMNS, tablefmt=style, maxcolwidths=widths, disable_numparse=True)
    parts = [table]
    for network in networks:
        rows = counted_rows(network)
        numbers = [[row[0], *map(shown, row[1:])] for row in rows.itertuples(index=False)]
        headers = ["", *rows.columns[1:]]
        align = ["left", *["right"] * (len(headers) - 1)]
        table = tabulate(numbers, headers, tablefmt=style, colalign=align, disable_numparse=True)
        parts += [network.summary, table]
    costs = cost_rows(networks)
    align = ["left", *["right"] * len(networks)]
    numbers = costs.to_numpy().tolist()
    table = tabulate(numbers, list(costs), tablefmt=style, colalign=align, disable_numparse=True)
    parts += [COSTS_TITLE, table]
    return "\n\n".join([*parts, NOTE]) + "\n"


def as_latex(networks: Sequence[Counted]) -> str:
    words = pd.DataFrame(WORDS, columns=list(COLUMNS))
    wide = r"p{0.36\textwidth}"
    parts = [
        "% Written by analysis/table1.py; needs the package booktabs.",
        words.to_latex(index=False, escape=True, column_format=f"l{wide}{wide}"),
    ]
    for network in networks:
        rows = counted_rows(network).rename(columns={"quantity": ""})
        for column in rows.columns[1:]:
            rows[column] = rows[column].map(shown)
        table = rows.to_latex(index=False, escape=True, column_format="lrrr")
        parts.append(f"% {network.summary}\n{table}")
    table = cost_rows(networks).to_latex(
        index=False, escape=True, column_format=f"l{'r' * len(networks)}"
    )
    parts.append(f"% {COSTS_TITLE}\n{table}")
    return "\n".join([*parts, *(f"% {line}" for line in NOTE.splitlines())]) + "\n"


def write(networks: Sequence[Counted], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    contents = {
        "txt": as_text(networks, "simple"),
        "md": as_text(networks, "github"),
        "tex": as_latex(networks),
        "csv": as_csv(networks),
    }
    written = []
    for ending, content in contents.items():
        path = out / f"table1.{ending}"
        with atomic_writer(path) as file:
            file.write(content.encode())
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", nargs="+", metavar="PRESET", help="presets to count on")
    parser.add_argument("--run", nargs="+", type=Path, metavar="DIR", help="runs to count on")
    parser.add_argument("--sweeps", type=float, help="mean sweeps of the free phase")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder to write to")
    found = parser.parse_args()
    if found.sweeps is not None and not 0 < found.sweeps < float("inf"):
        raise InputError(f"--sweeps: {found.sweeps}, must be above 0")
    presets = found.network or (() if found.run else DEFAULT)
    networks = [from_preset(name, found.sweeps) for name in presets]
    networks += [from_run(folder, found.sweeps) for folder in found.run or ()]
    written = write(networks, found.out)
    print((found.out / "table1.txt").read_text(), end="")
    print("\nwritten to", *written)


if __name__ == "__main__":
    sys.exit(exit_status(main))
