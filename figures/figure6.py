"""Figure 6: what hardware needs for equilibrium propagation.

python figures/figure6.py --out DIR
"""

from __future__ import annotations

import sys
from dataclasses import replace

from matplotlib.figure import Figure
from networks import arguments, counted_graphs
from schematic import BLACK, CORRECTING, OUTPUTS, Page

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.hardware import eqprop_operations, fan_in
from smallworld_eqprop.studies.style import save, use_style

FREE = replace(BLACK, meaning="free phase, all neurons (nudged phase: the same)")
NUDGE = replace(OUTPUTS, meaning="nudged phase, output neurons only")


def draw() -> Figure:
    page = Page(bottom=-18, top=103)
    page.frame(66, 16, 176, 94, "neuron $i$")
    neighbour = page.circle(16, 69, 9, "$j$", FREE, many=True)
    page.text(17.5, 87, "every neighbour $j$,\nwhatever its layer", fontsize=7)
    synapse = page.box(48, 69, 15, 12, "$W_{ij}$", FREE, many=True)

    # Free phase: ds_i/dt = rho'(s_i) (sum_j W_ij rho_j + b_i) - s_i
    y = synapse.y
    total = page.box(88, y, 25, 11, r"$\sum_j W_{ij}\,\rho_j + b_i$", FREE)
    derivative = page.box(112, y, 14, 11, r"$\times\,\rho'(s_i)$", FREE)
    change = page.circle(126.5, y, 3.4, "+", FREE)
    state = page.box(140, y, 11, 11, r"$\int\!\mathrm{d}t$", FREE)
    activation = page.box(161, y, 11, 11, r"$\rho(\cdot)$", FREE)
    page.wire(neighbour.right(), synapse.left(), role=FREE, both=True)
    page.wire(synapse.right(), (66, y), role=FREE, both=True)
    page.wire((66, y), total.left(), role=FREE)
    page.wire(total.right(), derivative.left(), role=FREE)
    page.wire(derivative.right(), change.left(), role=FREE)
    page.wire(change.right(), state.left(), role=FREE)
    page.wire(state.right(), activation.left(), role=FREE)
    page.text(152.7, y + 2.6, "$s_i$")
    held = (149.5, y)
    page.wire(held, (149.5, 56), (126.5, 56), change.bottom(), role=FREE, joint=True)
    page.wire((126.5, 56), (112, 56), derivative.bottom(), role=FREE, joint=True)
    page.text(128.8, 62.3, "$-$")
    page.wire(
        activation.right(), (171.5, y), (171.5, 47), (71, 47), (71, y), role=FREE, arrow=False
    )
    page.joint(71, y, FREE)
    page.text(110, 49.8, r"$\rho_i$, to every neighbour over the same wire", fontsize=7)

    # Nudged phase, outputs only.
    nudge = page.box(126.5, 85.5, 24, 9, r"$2\beta\,(d_i - s_i)$", NUDGE)
    page.wire(held, (149.5, 85.5), nudge.right(), role=NUDGE)
    page.wire((126.5, 98), nudge.top(), role=NUDGE)
    page.wire(nudge.bottom(), change.top(), role=NUDGE)
    page.text(126.5, 100.3, "target $d_i$", fontsize=7)
    page.joint(*held, FREE)

    # Correction: what is stored goes to the biases and to every connection.
    before = page.box(127, 34, 20, 9, r"free $\rho_i^{0}$", CORRECTING)
    after = page.box(152, 34, 24, 9, r"nudged $\rho_i^{\beta}$", CORRECTING)
    page.wire((139, 47), (139, 41.5), (127, 41.5), before.top(), role=CORRECTING, joint=True)
    page.wire((139, 41.5), (152, 41.5), after.top(), role=CORRECTING, joint=True)
    bias = page.box(90, 34, 34, 9, r"$\Delta b_i \propto \rho_i^{\beta} - \rho_i^{0}$", CORRECTING)
    weight = page.box(
        32, 34, 47, 9,
        r"$\Delta W_{ij} \propto \rho_i^{\beta}\rho_j^{\beta} - \rho_i^{0}\rho_j^{0}$",
        CORRECTING,
    )  # fmt: skip
    bus = 22
    page.wire(after.bottom(), (152, bus), (48, bus), weight.bottom(48), role=CORRECTING)
    page.wire(before.bottom(), (127, bus), role=CORRECTING, arrow=False)
    page.joint(127, bus, CORRECTING)
    page.wire((90, bus), bias.bottom(), role=CORRECTING, joint=True)
    page.wire(bias.top(80), total.bottom(80), role=CORRECTING)
    page.wire(neighbour.bottom(), weight.top(16), role=CORRECTING)
    page.text(24, 50, r"$\rho_j^{0},\ \rho_j^{\beta}$")
    page.text(108, bus - 2.8, r"stored $\rho_i^{0},\ \rho_i^{\beta}$", fontsize=7)
    page.wire(weight.top(48), synapse.bottom(), role=CORRECTING)
    graphs = counted_graphs()
    counted = [eqprop_operations(graph, 1, 1) for graph in graphs.values()]
    page.table(
        list(graphs),
        {
            "weights $W_{ij}$": [graph.n_edges for graph in graphs.values()],
            "wires both ways, between neurons": [each.two_way_wires for each in counted],
            "wires one way, from inputs": [each.one_way_wires for each in counted],
            "wires into a neuron, at most": [int(fan_in(graph).max()) for graph in graphs.values()],
            "values stored for a correction": [each.stored_values for each in counted],
        },
        top=11,
    )
    page.legend([FREE, NUDGE, CORRECTING], ncols=3)
    return page.figure


def main() -> None:
    options = arguments(__doc__).parse_args()
    use_style()
    for path in save(draw(), options.out, "figure6"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
