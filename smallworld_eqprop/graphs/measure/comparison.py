"""A graph beside its null samples and lattices: the work behind the small-world coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    as_adjacency,
    edges_of,
    weighted_adjacency,
)
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.coefficients import FORMULAS, Coefficient, why_undefined
from smallworld_eqprop.graphs.measure.components import (
    component_sizes,
    largest_component,
    share_of_sizes,
)
from smallworld_eqprop.graphs.measure.ensembles import (
    Comparison,
    Measured,
    Progress,
    check_choices,
    measure,
    measure_nulls,
)
from smallworld_eqprop.graphs.nulls.names import CONNECTABLE, NEED_NODES

__all__ = ["Settings", "compared"]


@dataclass(frozen=True)
class Settings:
    """What the coefficients of one call share; `smallworld` documents it."""

    n_null: int
    clustering: str
    connected: bool
    disconnected: str
    executor: Executor | None
    progress: Progress | None


def compared(
    names: Sequence[str],
    graph: Graph,
    seed: Seed,
    null: str | None,
    settings: Settings,
    *,
    weighted: bool = False,
) -> dict[str, Coefficient]:
    """Give the coefficients of these names.

    Those that have the same null model share samples, but for the propensity of a graph with
    weights, which needs samples with weights.
    """
    check_choices(null, settings.clustering, settings.n_null, settings.disconnected)
    rng, seed = seeded(seed)
    whole = graph if isinstance(graph, LayeredGraph) else as_adjacency(graph)
    weights = None
    if weighted and "propensity" in names:
        weights = _weights_that_differ(graph, as_adjacency(whole).nnz, settings.clustering)

    def ensemble(name: str) -> tuple[str, bool]:
        return null or FORMULAS[name].null, name == "propensity" and weights is not None

    parts = [(key, list(group)) for key, group in groupby(names, ensemble)]
    totals = [settings.n_null + len(_lattices(group)) for _, group in parts]
    found: dict[str, Coefficient] = {}
    for place, ((model, has_weights), group) in enumerate(parts):
        before = sum(totals[:place])

        def count(done: int, _: int, before: int = before) -> None:
            if settings.progress is not None:
                settings.progress(before + done, sum(totals))

        found |= _beside_nulls(
            group, whole, weights if has_weights else None, model, settings, rng, seed, count
        )
    return found


def _weights_that_differ(graph: Graph, n_entries: int, clustering: str) -> sparse.csr_array | None:
    """Give the weights of a graph; None where all are the same, and so count for nothing."""
    weights = weighted_adjacency(graph)
    if weights.nnz == n_entries and (weights.data == weights.data[:1]).all():
        return None
    if clustering != "average":
        raise InputError(
            f"clustering: {clustering!r} does not use weights, and the graph has some; give "
            "average, or leave the weights out (weighted=False, --unweighted)"
        )
    return weights


def _beside_nulls(
    names: Sequence[str],
    graph: LayeredGraph | sparse.csr_array,
    weights: sparse.csr_array | None,
    null: str,
    settings: Settings,
    rng: np.random.Generator,
    seed: int | None,
    progress: Progress,
) -> dict[str, Coefficient]:
    """Compare a graph with the samples of one null model, and with lattices."""
    matrix = as_adjacency(graph) if weights is None else weights
    sizes = component_sizes(matrix)
    if isinstance(graph, LayeredGraph) and matrix.nnz < 2 * graph.n_edges:
        # An edge of weight 0 is none.
        graph = graph.replace_edges(edges_of(matrix))
    if settings.disconnected == "largest_component" and len(sizes) > 1:
        if null in NEED_NODES:
            raise InputError(
                "disconnected: largest_component has no layers and positions, which null "
                f"{null} needs; give harmonic"
            )
        matrix = largest_component(matrix)
        graph = as_adjacency(matrix)
    connected = settings.connected and null in CONNECTABLE and len(component_sizes(matrix)) == 1
    values = None if weights is None else sparse.triu(matrix).tocoo().data
    comparison = Comparison(graph, values, settings.clustering, settings.disconnected, connected)
    lattices = _lattices(names)
    samples = measure_nulls(
        comparison, [*lattices, *[null] * settings.n_null], rng, settings.executor, progress
    )
    nulls = samples[len(lattices) :]
    rand = _mean(nulls)
    # Of the graph as it was given, which the convention may have cut.
    observed = measure(matrix, comparison)._replace(
        connected=len(sizes) <= 1, reachable_share=share_of_sizes(sizes)
    )
    references = dict(zip(lattices, samples, strict=False))
    if "degree_preserving_lattice" in references:
        # The graph has its own degrees, too: the most clustered graph known that has them is the
        # reference, as networkx takes it.
        found = references["degree_preserving_lattice"]
        most = float(np.fmax(found.clustering, observed.clustering))
        references["degree_preserving_lattice"] = found._replace(clustering=most)
    coefficients = {}
    for name in names:
        recipe = FORMULAS[name]
        lattice = references.get(recipe.lattice or "", rand)
        reason = why_undefined(recipe, observed, nulls, rand, lattice, settings.disconnected)
        value, own = math.nan, np.full(len(nulls), math.nan)
        if not reason:
            value = recipe.formula(observed, rand, lattice)
            own = np.array([recipe.formula(sample, rand, lattice) for sample in nulls])
        mean = float(own.mean())
        std = float(own.std(ddof=1)) if len(own) > 1 else math.nan
        coefficients[name] = Coefficient(
            value=value,
            null_mean=mean,
            null_std=std,
            z_score=(value - mean) / std if std else math.nan,
            n_null=len(nulls),
            mixed=rand.mixed and lattice.mixed,
            null=null,
            connected=connected,
            lattice=recipe.lattice,
            settled=recipe.lattice is None or lattice.mixed,
            weighted=weights is not None,
            disconnected=settings.disconnected,
            reachable_share=observed.reachable_share,
            null_reachable_share=rand.reachable_share,
            reason=reason,
            seed=seed,
        )
    return coefficients


def _lattices(names: Sequence[str]) -> list[str]:
    return sorted({lattice for name in names if (lattice := FORMULAS[name].lattice)})


def _mean(nulls: Sequence[Measured]) -> Measured:
    return Measured(
        float(np.mean([sample.path_length for sample in nulls])),
        float(np.mean([sample.clustering for sample in nulls])),
        all(sample.mixed for sample in nulls),
        all(sample.connected for sample in nulls),
        float(np.mean([sample.reachable_share for sample in nulls])),
    )
