"""Figure 7: what hardware needs for backpropagation.

python figures/figure7.py --out DIR
"""

from __future__ import annotations

import sys
from dataclasses import replace

from matplotlib.figure import Figure
from networks import arguments, counted_graphs
from schematic import BACKWARD, BLACK, CORRECTING, OUTPUTS, Page

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.hardware import backpropagation_operations
from smallworld_eqprop.studies.style import save, use_style

FORWARDS = replace(BLACK, meaning="forwards phase, all neurons")
BACKWARDS = replace(BACKWARD, meaning="backwards phase, all neurons")
ERROR = replace(OUTPUTS, meaning="backwards phase, output neurons only")


def draw() -> Figure:
    page = Page(bottom=-19, top=103)
    page.frame(63, 18, 131, 94, "neuron $i$")
    forwards, backwards = 70, 44
    middle, tall = (forwards + backwards) / 2, forwards - backwards + 14
    pill = {"many": True, "rounding": 6}
    deeper = page.box(15, middle, 14, tall, "$j$", FORWARDS, **pill)
    before = page.box(45, middle, 13, tall, "$W_{ij}$", FORWARDS, many=True)
    after = page.box(146, middle, 13, tall, "$W_{ki}$", FORWARDS, many=True)
    shallower = page.box(168, middle, 14, tall, "$k$", FORWARDS, **pill)
    page.text(16.5, 86, "every neuron $j$\nof the layer before", fontsize=7)
    page.text(163, 86, "every neuron $k$\nof the layer after", fontsize=7)

    # Forwards: x_i = rho(z_i), z_i = sum_j W_ij x_j + b_i
    y = forwards
    total = page.box(80, y, 25, 11, r"$\sum_j W_{ij}\,x_j + b_i$", FORWARDS)
    activation = page.box(113, y, 11, 11, r"$\rho(\cdot)$", FORWARDS)
    page.wire(deeper.right(y), before.left(y), role=FORWARDS)
    page.wire(before.right(y), total.left(), role=FORWARDS)
    page.wire(total.right(), activation.left(), role=FORWARDS)
    page.wire(activation.right(), after.left(y), role=FORWARDS)
    page.wire(after.right(y), shallower.left(y), role=FORWARDS)
    page.text(29, y + 2.8, "$x_j$")
    page.text(103, y + 2.8, "$z_i$")
    page.text(135, y + 2.8, "$x_i$")

    # Backwards: delta_i = rho'(z_i) sum_k W_ki delta_k
    y = backwards
    error = page.box(113, y, 23, 11, r"$\sum_k W_{ki}\,\delta_k$", BACKWARDS)
    derivative = page.box(84, y, 14, 11, r"$\times\,\rho'(z_i)$", BACKWARDS)
    page.wire(shallower.left(y), after.right(y), role=BACKWARDS)
    page.wire(after.left(y), error.right(), role=BACKWARDS)
    page.wire(error.left(), derivative.right(), role=BACKWARDS)
    page.wire(derivative.left(), before.right(y), role=BACKWARDS)
    page.wire(before.left(y), deeper.right(y), role=BACKWARDS)
    page.wire((96, forwards), (96, 57), (84, 57), derivative.top(), role=BACKWARDS, joint=True)
    page.text(29, y + 2.8, r"$\delta_i$")
    page.text(156.6, y + 2.8, r"$\delta_k$")
    page.text(67, y + 2.8, r"$\delta_i$")

    # Backwards, outputs only: the error comes from the cost instead.
    cost = page.box(113, 85.5, 24, 9, r"$2\,(x_i - d_i)$", ERROR)
    page.wire((127.5, forwards), (127.5, 85.5), cost.right(), role=ERROR, joint=True)
    page.wire((113, 98), cost.top(), role=ERROR)
    page.wire(cost.left(), (98.5, 85.5), (98.5, y), role=ERROR, arrow=False)
    page.joint(98.5, y, ERROR)
    page.text(113, 100.3, "target $d_i$", fontsize=7)

    # Correction
    weight = page.box(38, 27, 30, 9, r"$\Delta W_{ij} \propto -\delta_i\,x_j$", CORRECTING)
    bias = page.box(98, 27, 24, 9, r"$\Delta b_i \propto -\delta_i$", CORRECTING)
    page.wire(deeper.bottom(), (15, 27), weight.left(), role=CORRECTING)
    page.wire((67, y), (67, 27), weight.right(), role=CORRECTING, joint=True)
    page.wire((67, 27), bias.left(), role=CORRECTING, joint=True)
    page.wire(bias.top(), (98, 35), (73, 35), total.bottom(73), role=CORRECTING)
    page.wire(weight.top(45), before.bottom(), role=CORRECTING)
    page.text(15, 24, "stored $x_j$", fontsize=7)
    page.text(72, 23.5, r"stored $\delta_i$", fontsize=7)
    graphs = counted_graphs()
    counted = [backpropagation_operations(graph) for graph in graphs.values()]
    page.table(
        list(graphs),
        {
            "weights $W_{ij}$": [graph.n_edges for graph in graphs.values()],
            "wires one way, forwards": [int(each.first_phase) for each in counted],
            "wires one way, backwards": [int(each.second_phase) for each in counted],
            "steps one after the other": [int(each.steps) for each in counted],
            "values stored for a correction": [each.stored_values for each in counted],
        },
        top=14,
    )
    page.legend([FORWARDS, BACKWARDS, ERROR, CORRECTING], ncols=2)
    return page.figure


def main() -> None:
    options = arguments(__doc__).parse_args()
    use_style()
    for path in save(draw(), options.out, "figure7"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
