"""Topologies that chips have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.chip_lattices import (
    chimera_graph,
    kings_graph,
    pegasus_graph,
    square_lattice,
    zephyr_graph,
)
from smallworld_eqprop.graphs.generate.chips import Placing, chip_graph
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.parts import Positive

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Chimera", "Chip", "King", "Pegasus", "Square", "Zephyr"]

# Stream of random numbers of the topology, apart from the trainer's streams of the same seed.
MISSING = 0


@dataclass(frozen=True, kw_only=True)
class Chip(Topology):
    """A graph that a chip has: subclass it, and write `lattice`. See `chip_graph`.

    Attributes
    ----------
    inputs, outputs : int
        Number of input and output nodes.
    placing : {"spread", "sides"}
        Inputs and outputs are spread over the chip, or inputs are on its left and outputs on its
        right side.
    missing : float
        Share of the nodes that do not work, drawn by the seed of the run.
    """

    inputs: Positive
    outputs: Positive
    placing: Placing = "spread"
    missing: float = 0.0

    def lattice(self) -> nx.Graph:
        """The whole chip: every node has a position ``x``, ``y``."""
        raise NotImplementedError

    def build(self, seed: int) -> LayeredGraph:
        """The network on the chip."""
        return chip_graph(
            self.lattice(),
            self.inputs,
            self.outputs,
            placing=self.placing,
            missing=self.missing,
            seed=np.random.default_rng([seed, MISSING]),
        )


@dataclass(frozen=True, kw_only=True)
class Square(Chip):
    """A grid in which every node has four neighbours.

    Attributes
    ----------
    rows : int
        Number of rows of nodes.
    columns : int, optional
        Number of columns; that of rows when left out.
    """

    rows: Positive
    columns: Positive | None = None

    def lattice(self) -> nx.Graph:
        """See `square_lattice`."""
        return square_lattice(self.rows, self.columns)


@dataclass(frozen=True, kw_only=True)
class King(Square):
    """A grid in which every node has eight neighbours."""

    def lattice(self) -> nx.Graph:
        """See `kings_graph`."""
        return kings_graph(self.rows, self.columns)


@dataclass(frozen=True, kw_only=True)
class Chimera(Chip):
    """D-Wave's Chimera; needs dwave-networkx.

    Attributes
    ----------
    rows : int
        Number of rows of cells.
    columns : int, optional
        Number of columns; that of rows when left out.
    shore : int
        Nodes on either side of a cell.
    """

    rows: Positive
    columns: Positive | None = None
    shore: Positive = 4

    def lattice(self) -> nx.Graph:
        """See `chimera_graph`."""
        return chimera_graph(self.rows, self.columns, self.shore)


@dataclass(frozen=True, kw_only=True)
class Pegasus(Chip):
    """D-Wave's Pegasus; needs dwave-networkx.

    Attributes
    ----------
    size : int
        At least 2; an Advantage has 16.
    """

    size: Positive

    def lattice(self) -> nx.Graph:
        """See `pegasus_graph`."""
        return pegasus_graph(self.size)


@dataclass(frozen=True, kw_only=True)
class Zephyr(Chip):
    """D-Wave's Zephyr; needs dwave-networkx.

    Attributes
    ----------
    size : int
        An Advantage2 has 12.
    shore : int
        Nodes on either side of a cell.
    """

    size: Positive
    shore: Positive = 4

    def lattice(self) -> nx.Graph:
        """See `zephyr_graph`."""
        return zephyr_graph(self.size, self.shore)
