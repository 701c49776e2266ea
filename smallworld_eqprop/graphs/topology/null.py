"""A null model of a topology as a spec: the graph itself, or one of its samples, by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.topology.base import Topology

__all__ = ["NullOf"]

# Stream of random numbers of samples, apart from those of topology and training.
SAMPLING = 5


@dataclass(frozen=True)
class NullOf(Topology):
    """A topology, or a sample of a null model of it.

    A grid over `sample` from 0 on is the graph beside its nulls. Samples do not depend on the seed
    of a run, so that runs of several seeds share them.

    Attributes
    ----------
    of : Topology
        The topology.
    model : {"degree_preserving", "erdos_renyi", "layer_blocks", "layer_blocks_with_degrees"}
        See the functions of these names.
    sample : int
        0 for the graph itself, 1 and more for samples.
    """

    of: Topology
    model: Literal[
        "degree_preserving", "erdos_renyi", "layer_blocks", "layer_blocks_with_degrees"
    ] = "degree_preserving"
    sample: int = 0

    def __post_init__(self) -> None:
        if self.sample < 0:
            raise InputError(f"sample: {self.sample}, must be at least 0")

    def build(self, seed: int) -> LayeredGraph:
        """The graph or the sample."""
        graph = self.of.build(seed)
        if not self.sample:
            return graph
        # Imported here: what builds no sample needs none of it.
        from smallworld_eqprop.graphs.nulls import nullmodels

        draw = np.random.default_rng([SAMPLING, self.sample])
        found = getattr(nullmodels, self.model)(graph, seed=draw)
        step = {"step": "null", "model": self.model, "sample": self.sample, "mixed": found.mixed}
        return graph.replace_edges(found.edges, step)

    def identity(self) -> dict[str, Any]:
        """What decides the outcome, for the keys of runs."""
        inner = getattr(self.of, "identity", None)
        from smallworld_eqprop.graphs.topology.spec import TOPOLOGY
        from smallworld_eqprop.specs import write_spec

        table = write_spec(TOPOLOGY, self, (TOPOLOGY,))
        del table["kind"]
        if inner is not None:
            table["of"] = {"kind": table["of"]["kind"], **inner()}
        return table
