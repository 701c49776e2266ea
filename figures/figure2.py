"""Figure 2: the rewired topology, p = 8 %, beside what was removed from the layered one.

python figures/figure2.py --out DIR [--p P] [--seed SEED]
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from networks import arguments

from smallworld_eqprop import LayeredGraph, add_intralayer, layered, rewire
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.graphs.draw.drawing import GREEN, GREY, draw_edges, draw_nodes
from smallworld_eqprop.graphs.generate import difference
from smallworld_eqprop.studies.style import PAGE, RED, save, use_style

EXAMPLE = (6, 5, 5, 5, 3)
DOTTED = (0, (1, 1.2))


def draw(before: LayeredGraph, after: LayeredGraph) -> Figure:
    fig, ax = plt.subplots(figsize=(PAGE, 0.52 * PAGE))
    removed, added = difference(before, after)
    new = (after.edges[:, None] == added).all(axis=2).any(axis=1)
    kept = after.edges[~new & after.interlayer]
    intralayer = after.edges[~new & after.intralayer]
    kinds = (
        ("kept", kept, {"edgecolor": GREY, "linewidth": 0.4}),
        ("added intralayer", intralayer, {"edgecolor": GREEN, "linewidth": 0.9}),
        ("removed", removed, {"edgecolor": RED, "linewidth": 1.4, "linestyle": DOTTED}),
        ("replacement", added, {"edgecolor": "black", "linewidth": 1.4, "linestyle": DOTTED}),
    )
    handles = []
    for order, (name, edges, style) in enumerate(kinds):
        draw_edges(ax, after, edges, zorder=1 + order, **style)
        line = {"color": style["edgecolor"], "linewidth": style["linewidth"]}
        line["linestyle"] = style.get("linestyle", "-")
        handles.append(Line2D([], [], label=f"{name} ({len(edges)})", **line))
    draw_nodes(ax, after)
    half = max(after.layer_sizes) / 2
    ax.set(xlim=(-0.3, after.n_layers - 0.7), ylim=(-half - 0.2, half + 0.5))
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=3)
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--p", type=float, default=0.08)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    use_style()
    before = add_intralayer(layered(EXAMPLE))
    after = rewire(before, options.p, law="moves", seed=options.seed)
    for path in save(draw(before, after), options.out, "figure2"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
