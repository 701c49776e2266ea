"""Figure 1: the layered topology, with learning rates that fall by 4 per layer nearer the output.

python figures/figure1.py --out DIR
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from networks import arguments

from smallworld_eqprop import LayeredGraph, layered
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.graphs.draw.drawing import draw_edges, draw_nodes
from smallworld_eqprop.studies.style import BLUE, PAGE, save, use_style

# A small network of the paper's depth; its own layers are 784-500-500-500-10.
EXAMPLE = (6, 5, 5, 5, 3)
RATES = (0.128, 0.032, 0.008, 0.002)


def draw(g: LayeredGraph, rates: tuple[float, ...]) -> Figure:
    fig, ax = plt.subplots(figsize=(PAGE, 0.5 * PAGE))
    draw_edges(ax, g, g.edges)
    draw_nodes(ax, g)
    bottom = -max(g.layer_sizes) / 2 - 0.45
    for gap, rate in enumerate(rates):
        ax.text(gap + 0.5, bottom, f"{rate:g}", ha="center", va="center", color=BLUE)
        if gap:
            ax.annotate(
                "",
                (gap + 0.32, bottom),
                (gap - 0.32, bottom),
                arrowprops={"arrowstyle": "->", "color": BLUE, "linewidth": 0.7},
            )
            ax.text(gap, bottom + 0.12, "$\\times$ 1/4", ha="center", va="bottom", color=BLUE)
    ax.text(-0.02, bottom, "learning rate", ha="center", va="center", color=BLUE)
    ax.set(xlim=(-0.4, g.n_layers - 0.6), ylim=(bottom - 0.4, max(g.layer_sizes) / 2 + 0.5))
    return fig


def main() -> None:
    options = arguments(__doc__).parse_args()
    use_style()
    for path in save(draw(layered(EXAMPLE), RATES), options.out, "figure1"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
