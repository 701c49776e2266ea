"""What every topology answers: the graph of a run."""

from __future__ import annotations

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.parts import Part

__all__ = ["Topology"]


class Topology(Part):
    """How to make the graph of a run: subclass it as a frozen dataclass, and write `build`."""

    def build(self, seed: int) -> LayeredGraph:
        """The graph; the same seed gives the same graph.

        Parameters
        ----------
        seed : int
            Of the run. ``np.random.default_rng([seed, 0])`` is apart from all other draws of it.
        """
        raise NotImplementedError
