"""Topologies with one hidden layer, whose nodes are joined by a law of network science."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.hidden import Law, hidden_graph
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.parts import Natural, Positive

__all__ = ["HiddenGraph"]

# Stream of random numbers of the topology, apart from the trainer's streams of the same seed.
DRAWING = 0


@dataclass(frozen=True, kw_only=True)
class HiddenGraph(Topology):
    """One hidden layer, whose nodes are joined by a law of network science; see `hidden_graph`.

    Attributes
    ----------
    inputs, hidden, outputs : int
        Number of nodes in each of the three layers.
    edges : int
        Number of edges between hidden nodes.
    law : {"random", "lattice", "watts-strogatz", "scale-free", "modular"}
        The law by which hidden nodes are joined.
    p : float
        For "watts-strogatz" the probability that an edge is moved; for "modular" the share of edges
        between groups. Other laws ignore it.
    modules : int
        Number of groups of a modular graph; other laws ignore it.
    entry : int, optional
        Number of hidden nodes to which every input is joined; a fifth of all when left out.
    exits : int, optional
        Number of hidden nodes to which every output is joined; a fifth of all when left out.
    """

    inputs: Positive
    hidden: Positive
    outputs: Positive
    edges: Natural
    law: Law
    p: float = 0.1
    modules: Positive = 5
    entry: Positive | None = None
    exits: Positive | None = None

    def build(self, seed: int) -> LayeredGraph:
        """The network with that hidden graph."""
        return hidden_graph(
            self.inputs,
            self.hidden,
            self.outputs,
            self.edges,
            self.law,
            p=self.p,
            modules=self.modules,
            entry=self.entry,
            exits=self.exits,
            seed=np.random.default_rng([seed, DRAWING]),
        )
