"""Rewiring while training: when edges move, which are dropped, and where new ones grow.

A rewiring is a frozen dataclass of numbers; what evolves is in `learning.growth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.arguments import checked_share
from smallworld_eqprop.graphs.core.edges import keys_to_edges
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces, PlaceKind
from smallworld_eqprop.learning.optimisers import rate_at
from smallworld_eqprop.learning.schedules import Schedule
from smallworld_eqprop.parts import Part, Repeats
from smallworld_eqprop.specs import Slot

__all__ = ["REWIRE", "AbsentCorrection", "Fixed", "RandomGrowth", "Rewiring"]

Pairs = npt.NDArray[np.integer]


class Rewiring(Part):
    """Which edges move while a network is trained: subclass it, write `moves` and `grown`.

    So many edges are dropped as grow, so that their number stays. Of an edge that stays, weight
    and memory of the optimiser stay too; a new one begins with weight 0, or the one closest to it
    that the model allows, and as the optimiser begins.

    Attributes
    ----------
    batches : int
        So many batches before a move are averaged for `grown`; 0 where it asks for none.
    """

    batches: int = 0

    def moves(self, t: int, n_batches: int) -> float:
        """Share of the edges to move before step t, an epoch being so many batches; mostly 0."""
        raise NotImplementedError

    def dropped(
        self,
        weights: npt.NDArray,
        n: int,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.integer]:
        """Places of the n weights whose edges go, of those that may; the smallest by size."""
        return np.argsort(np.abs(weights), kind="stable")[:n]

    def grown(
        self, network: Any, contrast: Contrast | None, n: int, rng: np.random.Generator
    ) -> Pairs:
        """At most n pairs of nodes without an edge that get one.

        Parameters
        ----------
        network : Network
        contrast : Contrast or None
            Of the last `batches` batches together.
        n : int
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of int, shape (at most n, 2)
        """
        raise NotImplementedError

    def layer_pairs(self, graph: LayeredGraph) -> list[tuple[int, int]]:
        """Pairs of layers that may get an edge; all but the inputs with themselves."""
        n = graph.n_layers
        return [(a, b) for a in range(n) for b in range(max(a, 1), n)]


@dataclass(frozen=True)
class Fixed(Rewiring):
    """No edge moves."""

    def moves(self, t: int, n_batches: int) -> float:  # noqa: ARG002
        """0."""
        return 0.0


@dataclass(frozen=True)
class RandomGrowth(Rewiring):
    r"""Weak edges are removed, new ones put at random: sparse evolutionary training (SET).

    Before step t, every so many steps, n edges with the smallest :math:`|W_{ij}|` are dropped, and
    n free places drawn, with :math:`n = share_t \cdot E` of the E edges that may be trained. A
    place that has just become free is not among them.

    Parameters
    ----------
    share : float or Schedule
        Share of the edges that move each time, from 0 to 1. RigL uses a `Cosine` down to 0.
    every : float
        Number of epochs between two moves; 0.1 means ten moves in an epoch.
    until : float, optional
        Number of epochs after which no edge moves.
    places : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        The places of new edges, as in `rewire`. Edges at all places can be removed.
    drop : {"smallest", "random"}
        The edges to remove: those with the smallest weights, or random ones. A new edge has a small
        weight, so if moves follow each other quickly, the smallest edges are the new ones.

    Raises
    ------
    InputError
        If a value is not usable.

    References
    ----------
    D. C. Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse
    connectivity inspired by network science", Nat. Commun. 9:2383 (2018),
    doi:10.1038/s41467-018-04316-3, which drops as many positive weights as negative ones.
    """

    share: float | Schedule = 0.1
    every: float = 1.0
    until: float | None = None
    places: PlaceKind = "skip"
    drop: Literal["smallest", "random"] = "smallest"

    def __post_init__(self) -> None:
        if not isinstance(self.share, Schedule):
            checked_share("share", self.share)
        if not 0 < self.every < np.inf:
            raise InputError(f"every: {self.every}, must be above 0")
        if self.until is not None and not self.until >= 0:
            raise InputError(f"until: {self.until}, must be at least 0")
        if self.places not in get_args(PlaceKind):
            raise InputError(
                f"places: {self.places!r}; {nearest(self.places, get_args(PlaceKind))}"
            )
        if self.drop not in ("smallest", "random"):
            raise InputError(f"drop: {self.drop!r}, allowed: smallest, random")

    def moves(self, t: int, n_batches: int) -> float:
        """The share, where the step is one before which edges move."""
        period = max(1, round(self.every * n_batches))
        over = self.until is not None and t > self.until * n_batches
        return 0.0 if not t or t % period or over else min(rate_at(self.share, t), 1.0)

    def dropped(
        self, weights: npt.NDArray, n: int, rng: np.random.Generator
    ) -> npt.NDArray[np.integer]:
        """The smallest, or any n."""
        if self.drop == "random":
            return rng.choice(len(weights), n, replace=False)
        return super().dropped(weights, n, rng)

    def grown(
        self,
        network: Any,
        contrast: Contrast | None,  # noqa: ARG002
        n: int,
        rng: np.random.Generator,
    ) -> Pairs:
        """Free places, each as likely as any other."""
        free = FreePlaces(network.graph, self.places)
        numbers = rng.choice(free.count, min(n, free.count), replace=False)
        return keys_to_edges(free.keys(numbers), network.graph.n_nodes)

    def layer_pairs(self, graph: LayeredGraph) -> list[tuple[int, int]]:
        """Those between which there are such places."""
        return FreePlaces(graph, self.places).layer_pairs


@dataclass(frozen=True)
class AbsentCorrection(RandomGrowth):
    r"""Weak edges are removed, new ones put where their correction is largest.

    .. math:: -\frac{\partial C}{\partial W_{ij}} =
              g\, k_{ij} \langle d_i m_j + m_i d_j \rangle

    is the correction of a pair of nodes i, j: with the contrast of the rule, the difference
    between the nudged and the free :math:`s_i s_j`, see `Contrast`. It is known of pairs without
    an edge too, and is what an edge of weight 0 would get. The n free places where it is largest,
    whatever its sign, get an edge; one where it is 0 gets none. RigL grows by the gradient so.

    Parameters
    ----------
    share, every, until, places, drop
        As in `RandomGrowth`.
    batches : int
        Number of batches before the move over which corrections are averaged. Their states are
        stored, also in a checkpoint.

    References
    ----------
    U. Evci, T. Gale, J. Menick, P. S. Castro and E. Elsen, "Rigging the lottery: making all
    tickets winners", ICML 2020, arXiv:1911.11134.
    """

    batches: Repeats = 50

    def grown(
        self,
        network: Any,
        contrast: Contrast | None,
        n: int,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Pairs:
        """Free places by the size of their mean correction, the largest first."""
        free = FreePlaces(network.graph, self.places)
        pairs = keys_to_edges(free.keys(np.arange(free.count)), network.graph.n_nodes)
        size = np.abs(network.pair_gradient(contrast, pairs))
        best = np.argsort(-size, kind="stable")[:n]
        return pairs[best[size[best] > 0]]


#: What may stand under ``[rewire]``.
REWIRE = Slot(
    "rewire",
    Rewiring,
    {"fixed": Fixed, "random": RandomGrowth, "absent-correction": AbsentCorrection},
)
