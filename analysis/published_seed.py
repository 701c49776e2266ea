"""The authors' own runs once more: their weights, rewiring, batches and signs, our trainer.

    python analysis/published_seed.py layered_global_rate --epochs 2
    python analysis/published_seed.py layered_global_rate --set relaxation=euler
    python analysis/published_seed.py --draw-only

Seeds move the errors of early epochs by several percent, so curves of other seeds can only agree
roughly with the published ones. But the authors published the code that drew their random numbers
from seed 0 [1]. This script draws the same numbers in the same order, so that nothing differs but
the free phase (ours relaxes to a residual of 1e-3, theirs takes 500 Euler steps) and rounding.

Writes results/published_seed.csv (network, epoch, training_error, test_error, mean_sweeps,
log_spread) after every epoch, goes on from a checkpoint in runs/published-seed, and draws
docs/figures/published_seed.png.

[1] https://github.com/jgammell/equilibrium_propagation, framework/eqp.py and datasets.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from rich.progress import track
from tables import save

from smallworld_eqprop import (
    Dataset,
    InputError,
    LayeredGraph,
    Network,
    RunConfig,
    Trainer,
    TrainingConfig,
    load,
)
from smallworld_eqprop.cli.train import parse_settings
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.studies.style import GREY, PAGE, use_style

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "results" / "published_seed.csv"
PUBLISHED = ROOT / "results" / "published_learning_curves.csv"
FIGURE = ROOT / "docs" / "figures" / "published_seed.png"

SEED = 0
SIZES = (784, 500, 500, 500, 10)
OFFSETS = np.cumsum((0, *SIZES))
BATCH = 20
SKIP_AMPLITUDE = 0.0829
# With rates per layer their biases were in effect updated with rate 1.
CONFIGS = {
    "layered_global_rate": TrainingConfig(),
    "layered_per_layer_rates": TrainingConfig.paper(
        learning_rate=(0.128, 0.032, 0.008, 0.002), bias_rate=1.0
    ),
    "rewired_p0.10_no_intralayer": TrainingConfig(),
}
TITLES = {
    "layered_global_rate": "layered, one rate",
    "layered_per_layer_rates": "layered, rates per layer",
    "rewired_p0.10_no_intralayer": "rewired, p = 10 %",
}
REWIRED_SHARE = {"rewired_p0.10_no_intralayer": 0.1}


def network(p: float) -> tuple[LayeredGraph, npt.NDArray[np.floating]]:
    """Graph and weights, from the authors' sequence of draws."""
    rng = np.random.RandomState(SEED)  # noqa: TID251  their generator, to get their numbers
    n_nodes = OFFSETS[-1]
    layer = np.repeat(np.arange(len(SIZES)), SIZES)
    row, column = np.tril_indices(n_nodes, -1)
    apart = layer[row] - layer[column]
    # Places are numbered row * n_nodes + column, with row > column.
    edges = (row * n_nodes + column)[apart == 1].tolist()
    # Free places lie grouped by the layer of their input-side end.
    skips = apart > 1
    grouped = np.argsort(layer[column[skips]], kind="stable")
    free = (row * n_nodes + column)[skips][grouped].tolist()
    if p > 0:
        for i, place in enumerate(track(edges, "rewiring", transient=True)):
            if rng.uniform(0, 1) < p:
                j = rng.randint(len(free))
                edges[i] = free[j]
                free.append(place)
                del free[j]
    weights = np.zeros((n_nodes, n_nodes))
    if p > 0:
        weights += rng.uniform(-SKIP_AMPLITUDE, SKIP_AMPLITUDE, weights.shape)
    for a in range(len(SIZES) - 1):
        amplitude = np.sqrt(6 / (SIZES[a] + SIZES[a + 1]))
        drawn = rng.uniform(-amplitude, amplitude, weights.shape)
        block = (slice(OFFSETS[a + 1], OFFSETS[a + 2]), slice(OFFSETS[a], OFFSETS[a + 1]))
        weights[block] = drawn[block]
    upper, lower = np.divmod(edges, n_nodes)
    graph = LayeredGraph(SIZES, np.column_stack((lower, upper)), [{"made": "published seed 0"}])
    u, v = graph.edges.T
    return graph, weights[v, u]


class PublishedTrainer(Trainer):
    """Trains on the authors' batches, in their order, with their signs of beta."""

    def __init__(
        self,
        graph: LayeredGraph,
        weights: npt.NDArray[np.floating],
        data: Dataset,
        config: TrainingConfig,
    ) -> None:
        super().__init__(graph, data, config, network=Network(graph, weights))
        # Batches are runs of consecutive examples, shuffled once and then the same every epoch.
        self._rng = np.random.RandomState(SEED)  # noqa: TID251
        batches, test_batches = list(range(self.n_batches)), list(range(len(data.x_test) // BATCH))
        self._rng.shuffle(batches)
        self._rng.shuffle(test_batches)
        self._order = (np.array(batches)[:, None] * BATCH + np.arange(BATCH)).ravel()
        self._sign = 1.0
        self._drawn = 0

    def draws(self, epoch: int) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.floating]]:
        """Order and signs, from one sequence of draws over all epochs."""
        while self._drawn < epoch:  # epochs before a checkpoint are drawn again
            flips = [self._rng.randint(0, 2) for _ in range(self.n_batches)]
            self._signs = self._sign * np.cumprod(np.where(flips, -1.0, 1.0))
            self._sign = self._signs[-1]
            self._drawn += 1
        return self._order, self._signs


def train(name: str, changes: dict[str, Any], epochs: int, folder: Path) -> None:
    """Train one of the authors' networks; changes of its training become part of its name."""
    config = RunConfig(training=CONFIGS[name]).changed(**changes).training
    graph, weights = network(REWIRED_SHARE.get(name, 0.0))
    name = " ".join((name, *(f"{key}={value}" for key, value in changes.items())))
    checkpoint = folder / f"{name}.npz"
    trainer = PublishedTrainer(graph, weights, load("mnist"), config)
    if checkpoint.exists():
        with np.load(checkpoint) as file:
            arrays = {key: file[key] for key in file.files}
        trainer.restore(arrays, json.loads(str(arrays.pop("values"))))
    folder.mkdir(parents=True, exist_ok=True)
    while len(trainer.history) < epochs:
        label = f"{name}, epoch {len(trainer.history) + 1} of {epochs}"
        for _ in track(trainer.run_epoch(), label, total=trainer.n_batches, transient=True):
            pass
        arrays, values = trainer.state()
        with atomic_writer(checkpoint) as file:
            np.savez(file, values=np.array(json.dumps(values)), **arrays)
        record(name, trainer)
        last = trainer.history[-1]
        print(
            f"{label}: training {100 * last.training_error:.1f} %, test "
            f"{100 * last.test_error:.1f} %",
            flush=True,
        )


def record(name: str, trainer: Trainer) -> None:
    """Put the network's epochs into the table, in place of those it had there."""
    columns = ["epoch", "training_error", "test_error", "mean_sweeps", "log_spread"]
    rows = pd.DataFrame(trainer.history)[columns]
    rows.insert(0, "network", name)
    if TABLE.exists():
        others = pd.read_csv(TABLE)
        rows = pd.concat((others[others.network != name], rows))
    with atomic_writer(TABLE) as file:
        rows.to_csv(file, index=False, float_format="%.6g")


def draw() -> None:
    use_style()
    ours, published = pd.read_csv(TABLE), pd.read_csv(PUBLISHED, comment="#")
    names = [name for name in CONFIGS if name in set(ours.network)]
    fig, axes = plt.subplots(1, len(names), figsize=(PAGE, 2.4), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], names, strict=True):
        last = ours.epoch[ours.network == name].max()
        for table, colour, label in ((published, GREY, "published"), (ours, "C0", "ours")):
            part = table[(table.network == name) & (table.epoch <= last)]
            for column, dashes in (("training_error", "-"), ("test_error", "--")):
                kind = column.removesuffix("_error")
                ax.plot(
                    part.epoch,
                    100 * part[column],
                    dashes,
                    color=colour,
                    marker="o" if last < 20 else None,
                    markersize=2,
                    label=f"{label}, {kind}",
                )
        ax.set(title=TITLES[name], xlabel="epoch", yscale="log")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].set_ylabel("error (%)")
    axes[0, -1].legend()
    sns.despine(fig)
    save(fig, FIGURE, dpi=200)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(CONFIGS))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="of training")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "published-seed")
    parser.add_argument("--draw-only", action="store_true")
    found = parser.parse_args()
    for name in found.networks:
        if name not in CONFIGS:
            parser.error(f"network: {name!r}, allowed: {', '.join(CONFIGS)}")
    try:
        changes = parse_settings(found.set, {})
        if not found.draw_only:
            for name in found.networks or CONFIGS:
                train(name, changes, found.epochs, found.out)
    except InputError as error:
        parser.error(str(error))
    draw()
    print(f"{TABLE}\n{FIGURE}")


if __name__ == "__main__":
    main()
