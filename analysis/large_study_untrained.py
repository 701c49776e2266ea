"""Measures of the networks of the large study that need no training.

    python analysis/large_study_untrained.py                   all settings, in an hour
    python analysis/large_study_untrained.py circuits --settings layered rewired-p0.1

Adds a row per setting and seed to tables in results/large_study, and goes on from there when
started again:

    small_world.csv  sigma, omega, the index and the propensity of the graph, against
                     degree-preserving null samples
    graphs.csv       betweenness, communities and cores of the graph
    circuits.csv     of the initial network: cosine of the paper's gradient, as a mean over its
                     signs, with the exact one, on 200 examples; on 50 examples the number of
                     attractors, the share of examples that have several, and the median condition
                     number of the Hessian of the energy among nodes between their bounds
    couplings.csv    measures of the graph with the initial weights
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from large_study import RECIPES, SEEDS, Setting, run, settings
from tables import write

from smallworld_eqprop import Dataset, LayeredGraph, Network, RunConfig
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.data import Data
from smallworld_eqprop.dynamics import SOR, attractors
from smallworld_eqprop.learning import Adjoint, Phases
from smallworld_eqprop.learning.trainer import initial_network
from smallworld_eqprop.studies import measures
from smallworld_eqprop.studies.measures import Measured, take

OUT = Path(__file__).resolve().parents[1] / "results" / "large_study"
OF_COSINE, OF_ATTRACTORS = 200, 50
# Tight, because the nodes that answer to a small change are read off the equilibrium.
FREE = SOR(tolerance=1e-10, max_sweeps=20_000)


def small_world(config: RunConfig, graph: LayeredGraph) -> dict[str, float]:
    """The coefficients of a graph; NaN where one is undefined."""
    return _taken(config, graph, "small_world")


def graphs(config: RunConfig, graph: LayeredGraph) -> dict[str, float]:
    """What else is measured of a graph, apart from what every run has in its table."""
    return _taken(config, graph, "betweenness", "communities", "cores")


def _taken(config: RunConfig, graph: LayeredGraph, *names: str) -> dict[str, float]:
    values, errors = take(names, Measured(config, graph))
    for name, error in errors.items():
        print(f"{config.name}: {name}: {error}", file=sys.stderr)
    return values


def circuits(config: RunConfig, graph: LayeredGraph) -> dict[str, float]:
    """How the initial network relaxes, and how true its gradient is."""
    training, data = config.training, _loaded(config.data)
    drawn = initial_network(graph, training)
    network = Network(graph, drawn.weights, drawn.biases, model=training.model, dtype=np.float64)
    features, targets = data.x_train[:OF_COSINE], data.y_train[:OF_COSINE]
    phases = Phases.of(network, training.model.clamped(features), targets, FREE)
    exact = network.edge_gradient(Adjoint(tolerance=1e-10).contrast(phases)).weights
    signs = (replace(phases, sign=sign) for sign in (1.0, -1.0))
    estimates = [network.edge_gradient(training.rule.contrast(each)).weights for each in signs]
    found = attractors(network, features[:OF_ATTRACTORS], seed=training.seed)
    return {
        "cosine": cosine(np.mean(estimates, axis=0), exact),
        "attractors": found.mean,
        "attractors_several": found.share_of_several,
        "condition": condition(network, phases.free.state[:OF_ATTRACTORS]),
    }


def couplings(config: RunConfig, graph: LayeredGraph) -> dict[str, float]:
    """Measures with weights, of the initial network; named as a run names them."""
    network = initial_network(graph, config.training)
    found = measures.couplings(network, config.training.seed) | measures.coupling_signal(network)
    return {f"before_{name}": value for name, value in found.items()}


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """That of the angle between two vectors; NaN where one is zero."""
    sizes = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / sizes) if sizes > 0 else float("nan")


def condition(network: Network, states: np.ndarray) -> float:
    """Median condition number of I - W among the nodes strictly between 0 and 1."""
    free = network.to_sparse().toarray()[-states.shape[1] :, -states.shape[1] :]
    found = []
    for state in states:
        inside = (state > 0) & (state < 1)
        values = np.linalg.eigvalsh(np.eye(inside.sum()) - free[np.ix_(inside, inside)])
        found.append(values.max() / values.min() if inside.any() else float("nan"))
    return float(np.nanmedian(found))


@lru_cache(maxsize=2)
def _loaded(data: Data) -> Dataset:
    return data.load()


MEASURES: dict[str, Callable[[RunConfig, LayeredGraph], dict[str, float]]] = {
    "small_world": small_world,
    "graphs": graphs,
    "circuits": circuits,
    "couplings": couplings,
}


def fill(name: str, out: Path, chosen: Sequence[Setting]) -> Path:
    """Measure what a table lacks."""
    path = out / f"{name}.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame()
    done = set(zip(table.setting, table.seed, strict=True)) if len(table) else set()
    todo = [
        pair for pair in itertools.product(SEEDS, chosen) if (pair[1].name, pair[0]) not in done
    ]
    for number, (seed, setting) in enumerate(todo, start=1):
        config = run(setting, RECIPES["paper"], seed)
        values = MEASURES[name](config, config.topology.build(seed))
        named = {f"metric_{key}": value for key, value in values.items()}
        row = {"setting": setting.name, "seed": seed, **named}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        write(table, path)
        print(f"{name}: {number}/{len(todo)} {setting.name}, seed {seed}", file=sys.stderr)
    return path


def do(found: argparse.Namespace) -> None:
    chosen = [each for each in settings() if found.settings is None or each.name in found.settings]
    for name in found.what or MEASURES:
        print(fill(name, found.out, chosen))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [each.name for each in settings()]
    parser.add_argument("what", nargs="*", choices=MEASURES, help="tables; all by default")
    parser.add_argument("--settings", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    try:
        return exit_status(lambda: do(parser.parse_args()))
    except KeyboardInterrupt:
        print("stopped; everything is kept. Go on with the same command", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
