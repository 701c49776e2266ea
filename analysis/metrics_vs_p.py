"""Every structural metric against the rewired share p, on the paper's two network sizes.

    python analysis/metrics_vs_p.py              measure and draw (an hour of one core)
    python analysis/metrics_vs_p.py --draw-only  draw from the table that is there

Writes the tidy table results/metrics_vs_p.csv (network, p, seed, metric, value) and the figure
docs/figures/metrics_vs_p.png.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from tables import write

from smallworld_eqprop import (
    LayeredGraph,
    layered,
    rewire,
    small_world_coefficients,
    structure_metrics,
)
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.graphs.measure import small_world_propensity, small_world_sigma

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "results" / "metrics_vs_p.csv"
FIGURE = ROOT / "docs" / "figures" / "metrics_vs_p.png"
NETWORKS = {
    "3 x 500": (784, 500, 500, 500, 10),
    "5 x 100": (784, 100, 100, 100, 100, 100, 10),
}
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
GRAPH = ["network", "p", "seed"]
# In the order of the panels; what rewiring cannot change is left out.
PANELS = {
    "characteristic_path_length": "path length L",
    "hidden_output_path_length": "L, hidden + output",
    "input_output_path_length": "L, input to output",
    "hops_to_output": "hops to output",
    "global_efficiency": "global efficiency",
    "local_efficiency": "local efficiency",
    "average_clustering": "average clustering C",
    "transitivity": "transitivity",
    "bipartite_clustering": "4-cycle clustering",
    "sigma": "sigma",
    "omega": "omega",
    "index": "small-world index",
    "propensity": "small-world propensity",
    "sigma_4_cycles": "sigma, 4-cycles",
    "propensity_4_cycles": "propensity, 4-cycles",
    "sigma_layer_blocks": "sigma, 4-cycles, layer blocks",
    "skip_share": "share of skip edges",
    "degree_std": "std of degrees",
    "degree_assortativity": "degree assortativity",
    "layer_modularity": "modularity by layer",
    "algebraic_connectivity": "algebraic connectivity",
    "spectral_radius": "spectral radius",
}


def measure(g: LayeredGraph, seed: int, n_null: int) -> dict[str, float]:
    common = {"seed": seed, "n_null": n_null, "null": "degree_preserving"}
    squares = {**common, "clustering": "bipartite"}
    coefficients = small_world_coefficients(g, **common)
    coefficients["sigma_4_cycles"] = small_world_sigma(g, **squares)
    coefficients["propensity_4_cycles"] = small_world_propensity(g, **squares)
    coefficients["sigma_layer_blocks"] = small_world_sigma(
        g, **{**squares, "null": "layer_blocks_with_degrees"}
    )
    metrics = structure_metrics(g, seed=seed)
    for name, coefficient in coefficients.items():
        metrics[name] = coefficient.value
        metrics[f"{name}_null_std"] = coefficient.null_std
        metrics[f"{name}_z_score"] = coefficient.z_score
    return metrics


def measured(seeds: int, n_null: int, there: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The table with one graph more each time, without those that it has already."""
    done = set(there[GRAPH].itertuples(index=False, name=None))
    for graph in itertools.product(NETWORKS, SHARES, range(seeds)):
        if graph in done:
            continue
        print(*graph, flush=True)
        network, p, seed = graph
        g = rewire(layered(NETWORKS[network]), p, seed=seed)
        values = measure(g, seed, n_null)
        new = pd.DataFrame({"metric": values.keys(), "value": values.values()})
        new = new.assign(**dict(zip(GRAPH, graph, strict=True)))[[*GRAPH, "metric", "value"]]
        there = new if there.empty else pd.concat([there, new], ignore_index=True)
        yield there


def draw(table: pd.DataFrame) -> None:
    sns.set_theme(context="paper", style="ticks", palette="colorblind")
    mpl.rcParams.update({"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8})
    shown = table[table.metric.isin(PANELS)].copy()
    grid = sns.relplot(
        shown, x="p", y="value", hue="network", style="network", col="metric",
        col_order=list(PANELS), col_wrap=4, kind="line", markers=True, dashes=False,
        errorbar="sd", height=1.45, aspect=1.2, markersize=4, markeredgewidth=0,
        facet_kws={"sharey": False, "legend_out": False},
    )  # fmt: skip
    for metric, ax in grid.axes_dict.items():
        ax.set_title(PANELS[metric])
        ax.margins(y=0.1)
        # Most happens at small p.
        ax.set_xscale("function", functions=(lambda p: np.sqrt(np.maximum(p, 0)), np.square))
        ax.set_xlim(0, 1.05)
        ax.set_xticks((0, 0.1, 0.5, 1), ("0", "0.1", "0.5", "1"))
    grid.axes_dict["sigma_layer_blocks"].set_ylim(0.95, 1.05)
    grid.set_axis_labels("p", "")
    sns.move_legend(grid, "lower center", bbox_to_anchor=(0.5, 0.99), ncol=2, title=None)
    grid.figure.tight_layout()
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(FIGURE) as file:
        grid.figure.savefig(
            file, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None}
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw-only", action="store_true", help="use the table that is there")
    parser.add_argument("--afresh", action="store_true", help="measure what is in the table, too")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--n-null", type=int, default=3)
    options = parser.parse_args()
    if not options.draw_only:
        there = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=GRAPH)
        if options.afresh:
            there = there[:0]
        for table in measured(options.seeds, options.n_null, there):
            write(table, TABLE)
    draw(pd.read_csv(TABLE))


if __name__ == "__main__":
    main()
