"""Equilibrium propagation's gradient against the true one, by topology, beta and nudged steps.

    python analysis/gradient_fidelity.py                    about a minute
    python analysis/gradient_fidelity.py --runs RUN...      trained networks as well
    python analysis/gradient_fidelity.py --dataset digits --hidden 30 30 30
    python analysis/gradient_fidelity.py --draw-only        draw from the table that is there

For every network and layer pair: the gradient of the cost at the free equilibrium by implicit
differentiation, and the centred estimate of equilibrium propagation from the same equilibrium;
cosine between the two and ratio of their norms. Edges that skip layers are pooled.

Writes results/gradient_fidelity.csv (state, p, seed, beta, steps, pair, edges, cosine, norm_ratio,
exact_rms, estimate_rms, answering_outputs: share of outputs strictly between 0 and 1) and, into
docs/figures, gradient_fidelity.png, the same of trained networks, and gradient_evenness.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradient_figures
import numpy as np
import pandas as pd

from smallworld_eqprop import InputError, Network, Run, Trainer, layered, load, rewire
from smallworld_eqprop.dynamics import SOR, Euler, Gradient
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.learning import Adjoint, Centred, Phases
from smallworld_eqprop.studies.folder import read_checkpoint

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "results" / "gradient_fidelity.csv"
FIGURES = ROOT / "docs" / "figures"
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
BETAS = (0.001, 0.1, 1.0)
STEPS = (4, 8, 12, 25, 50, 100, 200)
INITIAL, TRAINED = "at initialisation", "trained"
# Tight, because the nodes that answer to a small change are read off the equilibrium.
FREE = SOR(tolerance=1e-10, max_sweeps=20_000)


@dataclass(frozen=True)
class Case:
    """One network: where its weights come from, and the weights, in double precision."""

    state: str
    p: float
    seed: int
    network: Network


def initial_networks(sizes: Sequence[int], seeds: int) -> Iterator[Case]:
    for p in SHARES:
        for seed in range(seeds):
            graph = rewire(layered(sizes), p, seed=seed) if p else layered(sizes)
            yield Case(INITIAL, p, seed, Network(graph, dtype=np.float64, seed=seed))


def trained_network(folder: Path, dataset: str) -> Case:
    run = Run(folder)
    config = run.config
    name = config.flat()["dataset"]
    if name != dataset:
        raise InputError(f"{folder}: trained on {name}; give --dataset {name}")
    trainer = Trainer(run.graph, config.data.load(), config.training)
    read_checkpoint(folder / "checkpoint.npz", config.key, trainer)
    weights, biases = trainer.network.weights, trainer.network.biases
    network = Network(run.graph, weights, biases, dtype=np.float64)
    return Case(TRAINED, config.flat().get("p", 0.0), config.training.seed, network)


def measure(case: Case, inputs: Array, target: Array) -> Iterator[dict[str, object]]:
    network, graph = case.network, case.network.graph
    phases = Phases.of(network, inputs, target, FREE)
    if phases.free.failed:
        raise InputError(phases.free.message)
    answering = float(((phases.output > 0) & (phases.output < 1)).mean())
    exact = network.edge_gradient(Adjoint(tolerance=1e-10).contrast(phases))
    if phases.failed:
        raise InputError(f"adjoint: not solved for {phases.failed} examples, at no minimum")
    adjacent = [block for block in network.blocks if block.kind == "interlayer"]
    parts = {block.name: block.edges for block in adjacent}
    if graph.skip.any():
        parts["skip"] = np.flatnonzero(graph.skip)
    for beta in BETAS:
        for steps in STEPS:
            rule = Centred(beta, Euler(steps))
            estimate = network.edge_gradient(rule.contrast(phases))
            for pair, edges in parts.items():
                yield {
                    "state": case.state,
                    "p": case.p,
                    "seed": case.seed,
                    "beta": beta,
                    "steps": steps,
                    "pair": pair,
                    "edges": len(edges),
                    **compare(estimate, exact, edges),
                    "answering_outputs": answering,
                }


def compare(estimate: Gradient, exact: Gradient, edges: np.ndarray) -> dict[str, float]:
    """Cosine and ratio of norms on some edges; NaN where a gradient is zero."""
    a, b = estimate.weights[edges], exact.weights[edges]
    size_a, size_b = np.linalg.norm(a), np.linalg.norm(b)
    both = size_a * size_b
    return {
        "cosine": float(a @ b / both) if both > 0 else float("nan"),
        "norm_ratio": float(size_a / size_b) if size_b > 0 else float("nan"),
        "exact_rms": float(size_b / np.sqrt(len(edges))),
        "estimate_rms": float(size_a / np.sqrt(len(edges))),
    }


def measure_all(options: argparse.Namespace) -> pd.DataFrame:
    data = load(options.dataset)
    sizes = (data.x_train.shape[1], *options.hidden, data.y_train.shape[1])
    inputs, target = (
        rows[: options.examples].astype(np.float64) for rows in (data.x_train, data.y_train)
    )
    rows: list[dict[str, object]] = []
    # The trained ones first: what is wrong with a folder is found out at once.
    trained = [trained_network(folder, options.dataset) for folder in options.runs]
    for case in [*initial_networks(sizes, options.seeds), *trained]:
        print(f"{case.state}: p = {case.p:g}, seed {case.seed}", flush=True)
        rows += measure(case, inputs, target)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--hidden", type=int, nargs="+", default=[100] * 5, metavar="NODES")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=50, help="training examples to average")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="trained run folders")
    parser.add_argument("--draw-only", action="store_true", help="use the table that is there")
    parser.add_argument("--table", type=Path, default=TABLE, help="table to write, or to draw")
    parser.add_argument("--out", type=Path, default=FIGURES, help="folder of the figures")
    options = parser.parse_args()
    if not options.draw_only:
        try:
            table = measure_all(options)
        except InputError as error:
            sys.exit(f"error: {error}")
        options.table.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(options.table) as file:
            table.to_csv(file, index=False, float_format="%.6g")
    table = pd.read_csv(options.table)
    for path in gradient_figures.draw(table, options.out):
        print(path)
    print(options.table)


if __name__ == "__main__":
    main()
