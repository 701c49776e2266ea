"""Count what equilibrium propagation and backpropagation need on a network, from its graph alone.

Counted are the operations of the algorithms on the connections that exist, for one training
example: not what a program does beside them (checks of convergence, places without a connection in
a dense block), nor memory for the parameters.

Both train the same graph. Backpropagation needs a direction for every connection: from the lower
to the higher node number, which is from input to output, and gives connections inside a layer an
order as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Operations", "backpropagation_operations", "depth", "eqprop_operations"]

# Values that a neuron keeps until the update: activation and error, or free and nudged activation.
STORED = 2


@dataclass(frozen=True)
class Operations:
    """What training on one example takes.

    Attributes
    ----------
    stored_values : int
        Kept from the phases until the update, by all neurons but the inputs.
    first_phase, second_phase, correction : float
        Multiply-accumulates of the forwards or free phase, of the backwards or nudged phase, and of
        the corrections of the weights.
    nonlinearities : float
        Evaluations of the activation function.
    computations : float
        Distinct computations that a neuron must be able to do, mean over the neurons.
    one_way_wires, two_way_wires : int
        Wires between nodes, by whether values go both ways over them.
    values_per_edge : float
        Values carried by a connection, mean over the connections.
    steps : float
        Steps that must follow each other.
    """

    stored_values: int
    first_phase: float
    second_phase: float
    correction: float
    nonlinearities: float
    computations: float
    one_way_wires: int
    two_way_wires: int
    values_per_edge: float
    steps: float

    @property
    def multiply_accumulates(self) -> float:
        """Of all phases and the corrections."""
        return self.first_phase + self.second_phase + self.correction


def backpropagation_operations(graph: LayeredGraph) -> Operations:
    """Count backpropagation: forwards over every connection, backwards over those between neurons.

    Parameters
    ----------
    graph : LayeredGraph

    Returns
    -------
    Operations

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> backpropagation_operations(layered((3, 2, 1))).multiply_accumulates
    18
    """
    free, n_neurons = _free_edges(graph), graph.n_nodes - graph.layer_sizes[0]
    return Operations(
        stored_values=STORED * n_neurons,
        first_phase=graph.n_edges,
        second_phase=free,
        correction=graph.n_edges,
        nonlinearities=n_neurons,
        computations=2,
        one_way_wires=graph.n_edges + free,
        two_way_wires=0,
        values_per_edge=_mean(graph.n_edges + free, graph.n_edges),
        steps=2 * depth(graph),
    )


def eqprop_operations(
    graph: LayeredGraph, free_sweeps: float, nudged_sweeps: float, *, inputs_once: bool = True
) -> Operations:
    """Count equilibrium propagation: a sweep takes connections between neurons in both directions.

    Parameters
    ----------
    graph : LayeredGraph
    free_sweeps, nudged_sweeps : float
        Sweeps, or steps, of the two phases.
    inputs_once : bool
        Clamped inputs do not change while the others relax. True: what they contribute is computed
        and sent once per example, as this package does, and so is their part of the corrections.
        False: in every sweep, and for each phase.

    Returns
    -------
    Operations

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> eqprop_operations(layered((3, 2, 1)), 10, 5).first_phase
    46
    """
    n_neurons, n_outputs = graph.n_nodes - graph.layer_sizes[0], graph.layer_sizes[-1]
    free = _free_edges(graph)
    clamped = graph.n_edges - free
    sweeps = free_sweeps + nudged_sweeps
    values = 2 * free * sweeps + clamped * (1 if inputs_once else sweeps)
    nudged = nudged_sweeps * (2 * free + (0 if inputs_once else clamped))
    return Operations(
        stored_values=STORED * n_neurons,
        first_phase=values - nudged,
        second_phase=nudged,
        # rho_i rho_j nudged minus free
        correction=2 * free + clamped * (1 if inputs_once else 2),
        nonlinearities=n_neurons * sweeps,
        # Outputs do a second one: the same with the nudge added.
        computations=1 + n_outputs / n_neurons,
        one_way_wires=clamped,
        two_way_wires=free,
        values_per_edge=_mean(values, graph.n_edges),
        steps=sweeps,
    )


def depth(graph: LayeredGraph) -> int:
    """Edges on the longest way through the graph, every edge taken toward the higher number."""
    reached = np.zeros(graph.n_nodes, np.int64)
    lower, upper = graph.edges.T
    starts = np.searchsorted(lower, np.arange(graph.n_nodes + 1))
    for node in range(graph.n_nodes):
        ends = upper[starts[node] : starts[node + 1]]
        reached[ends] = np.maximum(reached[ends], reached[node] + 1)
    return int(reached.max())


def _free_edges(graph: LayeredGraph) -> int:
    """Connections with a clamped input at neither end."""
    return int((graph.edges[:, 0] >= graph.layer_sizes[0]).sum())


def _mean(total: float, n: int) -> float:
    return total / n if n else float("nan")
