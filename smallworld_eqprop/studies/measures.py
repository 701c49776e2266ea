"""Measures: numbers of a graph, of a network, or of a run, that a study takes of every run.

A measure is a plain function; the decorator registers it and gives it back unchanged::

    @measure(needs="network", unit="share", doc="weights that are positive")
    def excitatory(network):
        return float((network.weights > 0).mean())

A study lists measures by name, those in other modules as ``"module:function"``.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast, get_args

import numpy as np

from smallworld_eqprop.dynamics.multistability import attractors as count_attractors
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.betweenness import betweenness_metrics
from smallworld_eqprop.graphs.measure.communities import community_metrics
from smallworld_eqprop.graphs.measure.cores import core_metrics
from smallworld_eqprop.graphs.measure.flow import input_output_resistance
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.graphs.measure.smallworld import small_world_coefficients, small_world_sigma
from smallworld_eqprop.graphs.measure.walks import (
    input_output_communicability,
    input_output_resolvent,
)
from smallworld_eqprop.graphs.measure.weight_table import weight_metrics
from smallworld_eqprop.hardware import costs
from smallworld_eqprop.learning.rewiring import Fixed
from smallworld_eqprop.learning.trainer import initial_network
from smallworld_eqprop.specs import importable
from smallworld_eqprop.studies.config import RunConfig

__all__ = ["MEASURES", "Measure", "Measured", "measure", "measure_named", "take"]

Needs = Literal["graph", "network", "run"]

# Stream of random numbers of measures, apart from the trainer's streams of the same seed.
MEASURING = 4
# Weighted path lengths of networks are estimated from at most so many nodes.
SOURCES = 200
# Attractors are counted for so many training examples, which takes seconds.
EXAMPLES = 50


@dataclass(frozen=True)
class Measure:
    """A registered function.

    Attributes
    ----------
    name : str
    function : callable
        Takes what `needs` names, and if it has arguments of these names a `generator` of random
        numbers, or the `seed` of the run. Gives a number, or a dictionary of numbers by name.
    needs : {"graph", "network", "run"}
    unit, doc : str
        For tables and pages.
    before : bool
        Of a network: whether it is measured before training too, as ``before_NAME``.
    """

    name: str
    function: Callable[..., Any]
    needs: Needs
    unit: str = ""
    doc: str = ""
    before: bool = False


@dataclass(frozen=True)
class Measured:
    """A run as measures see it.

    Attributes
    ----------
    config : RunConfig
    graph : LayeredGraph
    network : Network or None
        As training left it; None where its weights were not kept.
    history : list of dict
        Fields of `EpochRecord` of every epoch.
    """

    config: RunConfig
    graph: LayeredGraph
    network: Network | None = None
    history: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def before(self) -> Network:
        """The network before training."""
        training, graph = self.config.training, self.graph
        if not isinstance(training.rewire, Fixed):
            graph = self.config.topology.build(training.seed)
        return initial_network(graph, training)

    @cached_property
    def data(self) -> Any:
        """The data set of the run."""
        return self.config.data.load()

    @property
    def generator(self) -> np.random.Generator:
        """Random numbers for the measure, the same whenever it is taken."""
        return np.random.default_rng([self.config.training.seed, MEASURING])


#: All measures by name.
MEASURES: dict[str, Measure] = {}


def measure(
    *,
    needs: Needs,
    name: str = "",
    unit: str = "",
    doc: str = "",
    before: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a measure; it stays what it is.

    Parameters
    ----------
    needs : {"graph", "network", "run"}
        What it is called with: a `LayeredGraph`, a trained `Network`, or a `Measured` run.
    name : str
        The function's when left out.
    unit, doc : str
        For tables and pages; the first line of the docstring when left out.
    before : bool
        Of a network: measure it before training too, as ``before_NAME``.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    InputError
        If there is another measure of that name, or `needs` is none of the three.

    Examples
    --------
    >>> @measure(needs="graph", unit="edges", doc="edges per node")
    ... def crowding(graph):
    ...     return graph.n_edges / graph.n_nodes
    >>> MEASURES.pop("crowding").unit
    'edges'
    """
    if needs not in get_args(Needs):
        raise InputError(f"needs: {needs!r}; {nearest(needs, get_args(Needs))}")

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        told = doc or (inspect.getdoc(function) or "").partition("\n")[0]
        found = Measure(name or function.__name__, function, needs, unit, told, before)
        other = MEASURES.get(found.name)
        if other is not None and _source(other.function) != _source(function):
            raise InputError(
                f"measure {found.name!r}: defined in {_source(function)}, and in "
                f"{_source(other.function)} already; give one of them another name"
            )
        MEASURES[found.name] = found
        return function

    return register


def measure_named(name: str) -> Measure:
    """The measure of a name, or of ``"module:function"``.

    Raises
    ------
    InputError
        If there is none.
    """
    if not isinstance(name, str):
        raise InputError(f"metrics: {name!r}, must be the name of a measure")
    if ":" in name:
        function = importable(name, "metrics")
        found = next((each for each in MEASURES.values() if each.function is function), None)
        if found is None:
            raise InputError(f"metrics: {name!r} is not a measure; put @measure(...) before it")
        return found
    if name not in MEASURES:
        raise InputError(f"metrics: {name!r}; {nearest(name, MEASURES)}")
    return MEASURES[name]


def take(names: Iterable[str], run: Measured) -> tuple[dict[str, float], dict[str, str]]:
    """Take measures of a run.

    Returns
    -------
    values : dict of str to float
    errors : dict of str to str
        Of measures that raised, by their names: that costs their value, and nothing else.
    """
    values: dict[str, float] = {}
    errors: dict[str, str] = {}
    for name in names:
        try:
            values |= _values(measure_named(name), run)
        except Exception as error:
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            errors[name] = kind + " ".join(str(error).split())
    return values, errors


def _values(found: Measure, run: Measured) -> dict[str, float]:
    draws = {"generator": run.generator, "seed": run.config.training.seed}
    asked = inspect.signature(found.function).parameters
    extra = {key: value for key, value in draws.items() if key in asked}
    moves = not isinstance(run.config.training.rewire, Fixed)
    if (moves or found.needs != "graph") and run.network is None:
        raise InputError(
            f"{found.name}: needs the trained network, and its weights were not kept; set "
            "weights = true in the study and train again"
        )
    subject = {"graph": run.graph, "network": run.network, "run": run}[found.needs]
    values = _numbers(found.name, found.function(subject, **extra))
    if found.before and found.needs == "network":
        early = _numbers(found.name, found.function(run.before, **extra))
        values |= {f"before_{key}": value for key, value in early.items()}
    return values


def _numbers(name: str, found: Any) -> dict[str, float]:
    table = found if isinstance(found, Mapping) else {name: found}
    for key, value in table.items():
        if not isinstance(value, numbers.Real) or math.isinf(value):
            raise InputError(f"{name}: gave {value!r} as {key}, must be a finite number or nan")
    return {str(key): float(value) for key, value in table.items()}


def _source(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@measure(needs="graph")
def structure(graph: LayeredGraph, seed: int) -> dict[str, float]:
    """All that `structure_metrics` measures."""
    return structure_metrics(graph, seed=seed)


@measure(needs="graph")
def sigma(graph: LayeredGraph, seed: int) -> dict[str, float]:
    """`small_world_sigma` against ten degree-preserving null samples, which take seconds."""
    return {"small_world_sigma": small_world_sigma(graph, seed=seed).value}


@measure(needs="graph")
def small_world(graph: LayeredGraph, seed: int) -> dict[str, float]:
    """All `small_world_coefficients`, which take longer than all else.

    Against degree-preserving null samples, and without weights.
    """
    found = small_world_coefficients(graph, seed=seed, null="degree_preserving", weighted=False)
    return {f"small_world_{name}": each.value for name, each in found.items()}


@measure(needs="network", before=True)
def couplings(network: Network, seed: int) -> dict[str, float]:
    """All that `weight_metrics` measures of the weights, before training and after.

    Path length and efficiency are estimated from at most 200 nodes.
    """
    found = weight_metrics(network.weighted_graph(), seed=seed, n_sources=SOURCES)
    return {f"coupling_{name}": value for name, value in found.items()}


@measure(needs="graph")
def betweenness(graph: LayeredGraph) -> dict[str, float]:
    """All `betweenness_metrics`, without weights."""
    return betweenness_metrics(graph)


@measure(needs="graph")
def communities(graph: LayeredGraph, seed: int) -> dict[str, float]:
    """All `community_metrics`: the best of ten tries."""
    return community_metrics(graph, seed=seed)


@measure(needs="graph")
def cores(graph: LayeredGraph, seed: int) -> dict[str, float]:
    """All `core_metrics`, against ten degree-preserving null samples, which take seconds."""
    return core_metrics(graph, seed=seed)


@measure(needs="graph")
def hardware_costs(graph: LayeredGraph) -> dict[str, float]:
    """All `hardware_costs`, with their defaults."""
    return costs.hardware_costs(graph)


@measure(needs="run")
def attractors(run: Measured, seed: int) -> dict[str, float]:
    """Attractors of the first fifty training examples, before training and after."""
    found: dict[str, float] = {}
    for when, network in (("before_", run.before), ("", cast("Network", run.network))):
        counted = count_attractors(network, run.data.x_train[:EXAMPLES], seed=seed)
        found[f"{when}attractors"] = counted.mean
        found[f"{when}attractors_several"] = counted.share_of_several
        found[f"{when}attractors_unconverged"] = float(counted.unconverged)
    return found


@measure(needs="network", before=True)
def coupling_signal(network: Network) -> dict[str, float]:
    """Betweenness, resistance, communicability and resolvent with weights, before and after."""
    graph = network.weighted_graph()
    found = betweenness_metrics(graph, weighted=True)
    for function in (input_output_resistance, input_output_communicability, input_output_resolvent):
        found[function.__name__] = function(graph, weighted=True)
    return {f"coupling_{name}": value for name, value in found.items()}
