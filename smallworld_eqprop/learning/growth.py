"""Growth: what evolves where edges move while a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.constraints import frozen_edges
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.reachability import unreached_outputs
from smallworld_eqprop.learning.lengths import in_steps
from smallworld_eqprop.learning.rewiring import Rewiring

__all__ = ["Growth", "grown_graph"]

# Of random numbers; `learning.trainer` and `hardware.chip` have the streams before it.
STREAM = 6
SEEN = ("deviation", "midpoint", "inputs")
COUNTS, EDGES = "rewire/counts", "rewire/edges"


def grown_graph(graph: LayeredGraph, arrays: Mapping[str, npt.NDArray]) -> LayeredGraph:
    """The graph of a checkpoint, which is that of the beginning where no edge has moved.

    Parameters
    ----------
    graph : LayeredGraph
        Of the beginning.
    arrays : mapping of str to ndarray
        Of the checkpoint.
    """
    _, times, moved, _ = arrays.get(COUNTS, np.zeros(4, int)).tolist()
    return _changed(graph, arrays[EDGES], times, moved) if times else graph


def _changed(
    first: LayeredGraph, edges: npt.NDArray[np.integer], times: int, moved: int
) -> LayeredGraph:
    # From the first one: an edge that comes back has the data that it had.
    return first.replace_edges(edges, {"step": "train", "times": times, "moved": moved})


class Growth:
    """The graph of a network whose edges move, and what decides where to.

    Parameters
    ----------
    rule : Rewiring
    network : Network
        As it begins.
    n_batches : int
        Of an epoch.
    seed : int
        Of the run.
    """

    def __init__(self, rule: Rewiring, network: Any, n_batches: int, seed: int) -> None:
        self.rule, self.n_batches, self.seed = in_steps(rule, n_batches), n_batches, seed
        self._first = network.graph
        if not rule.layer_pairs(self._first):
            raise InputError(f"rewire: {rule} has no place for an edge in {self._first!r}")
        sizes = (network.n_free, network.n_free, network.n_inputs)
        self._nothing = [np.empty((0, size), network.dtype) for size in sizes]
        self._seen = [[each] for each in self._nothing]
        self._last = self._times = self._moved = self._before = 0

    def watch(self, contrast: Contrast, t: int) -> None:
        """Keep the contrast of the batch of step t, if edges move soon after it."""
        soon = range(t + 1, t + 1 + self.rule.batches)
        if any(self.rule.moves(step, self.n_batches) for step in soon):
            arrays = contrast.gain * contrast.deviation, contrast.midpoint, contrast.inputs
            for seen, array in zip(self._seen, arrays, strict=True):
                seen.append(array.astype(seen[0].dtype))

    def moved(self, network: Any, t: int) -> LayeredGraph | None:
        """The graph from step t on; None where it stays.

        Raises
        ------
        InputError
            If an output cannot be reached from the inputs any more.
        """
        share = self.rule.moves(t, self.n_batches)
        if not share or t <= self._last:  # the second where a batch was broken off and comes again
            return None
        graph, (deviation, midpoint, inputs) = network.graph, map(np.concatenate, self._seen)
        contrast = Contrast(deviation, midpoint, inputs, 1.0) if len(deviation) else None
        self._seen, self._last = [[each] for each in self._nothing], t
        frozen = frozen_edges(graph)
        loose = np.arange(graph.n_edges) if frozen is None else np.flatnonzero(~frozen)
        n, rng = round(share * len(loose)), np.random.default_rng([self.seed, STREAM, t])
        new = self.rule.grown(network, contrast, n, rng)[:n]
        if not len(new):
            return None
        old = loose[self.rule.dropped(network.weights[loose], len(new), rng)]
        self._times, self._moved = self._times + 1, self._moved + len(new)
        edges = np.concatenate((np.delete(graph.edges, old, axis=0), new))
        changed = _changed(self._first, edges, self._times, self._moved)
        if (lost := unreached_outputs(changed)).size:
            raise InputError(
                f"rewire: {lost.size} of {graph.layer_sizes[-1]} outputs can no longer be reached "
                f"from the inputs at step {t}; lower share"
            )
        return changed

    def finish_epoch(self, graph: LayeredGraph) -> dict[str, float]:
        """Edges moved in the epoch, and shares of edges by place, as `EpochRecord` names them."""
        moved, self._before = self._moved - self._before, self._moved
        ends = graph.layers[graph.edges]
        at_input, at_output = ends[:, 0] == 0, ends[:, 1] == graph.n_layers - 1
        skips = {
            "input": at_input & ~at_output,
            "hidden": ~at_input & ~at_output,
            "output": ~at_input & at_output,
            "direct": at_input & at_output,
        }
        masks = {"interlayer": graph.interlayer, "intralayer": graph.intralayer}
        masks |= {f"{name}_skip": graph.skip & mask for name, mask in skips.items()}
        shares = {f"share_{name}": float(mask.mean()) for name, mask in masks.items()}
        return {"moved_edges": float(moved), **shares}

    def arrays(self, graph: LayeredGraph) -> dict[str, npt.NDArray]:
        """All that evolves, for a checkpoint."""
        both = zip(SEEN, self._seen, strict=True)
        found = {f"rewire/{name}": np.concatenate(parts) for name, parts in both}
        counts = np.array([self._last, self._times, self._moved, self._before])
        return {**found, COUNTS: counts, EDGES: graph.edges}

    def restore(self, arrays: Mapping[str, npt.NDArray]) -> LayeredGraph:
        """Take up what `arrays` gave, among other arrays; gives the graph."""
        self._seen = [[arrays[f"rewire/{name}"]] for name in SEEN]
        self._last, self._times, self._moved, self._before = arrays[COUNTS].tolist()
        return grown_graph(self._first, arrays)
