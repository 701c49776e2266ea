"""A null model of a topology as a spec: the graph itself, or one of its samples, by number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.names import DRAWN, NullModel
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.parts import Natural

__all__ = ["NullOf"]

# Stream of random numbers of samples, apart from those of topology and training.
SAMPLING = 5


@dataclass(frozen=True)
class NullOf(Topology):
    """A topology, or a sample of one of its null models.

    A grid over `sample` from 0 on compares the graph with its nulls. Samples do not depend on the
    seed of a run, so that runs of several seeds share them.

    Attributes
    ----------
    of : Topology
        The topology.
    model : str
        The name of a null model. If the graph has weights and the model does not assign them, they
        are assigned to the edges of the sample at random. All data of an edge move with its weight.
    sample : int
        0 for the graph itself, 1 and more for samples.
    switches_per_edge : float, optional
        Attempted switches per edge for a sample; by default that of the null model. The entry
        ``mixed`` in the last step of the provenance says whether they were enough.
    """

    of: Topology
    model: NullModel = "degree_preserving"
    sample: Natural = 0
    switches_per_edge: float | None = None

    def __post_init__(self) -> None:
        if (switches := self.switches_per_edge) is None:
            return
        if self.model in DRAWN:
            raise InputError(f"switches_per_edge: {switches}, but {self.model} makes no switches")
        if not 0 <= switches < np.inf:
            raise InputError(f"switches_per_edge: {switches}, must be finite and at least 0")

    def build(self, seed: int) -> LayeredGraph:
        """The graph or the sample."""
        graph = self.of.build(seed)
        if not self.sample:
            return graph
        # Imported here: what builds no sample needs none of it.
        from smallworld_eqprop.graphs.nulls.named import NULL_MODELS

        draw = np.random.default_rng([SAMPLING, self.sample])
        walk = {}
        if self.switches_per_edge is not None:
            walk["switches_per_edge"] = self.switches_per_edge
        found = NULL_MODELS[self.model](graph, seed=draw, **walk)
        if found.origin is None and "weight" in graph.edge_data:
            # Every edge has a weight to start training from, which a new one had not.
            found = replace(found, origin=draw.permutation(graph.n_edges))
        step = {"step": "null", "model": self.model, "sample": self.sample, "mixed": found.mixed}
        return found.applied_to(graph, step)

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
