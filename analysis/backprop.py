"""Backpropagation on the networks that equilibrium propagation trains, as a yardstick.

    python analysis/backprop.py --data mnist fashion-mnist --sizes 500 500 500 --seeds 0 1 2 3 4

A ReLU network of the same layers, trained by torch (extra `gpu`) with what the weak-feedback recipe
has: Adam with the same rate, cosine, decoupled decay of the weights, batch and epochs, Glorot
weights, biases 0, input dropout without rescaling if asked for; the loss is the cross-entropy.

Writes results/backprop.csv, one row per run, after every run; rows that are there are kept.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tabulate import tabulate
from torch import nn

from smallworld_eqprop import Dataset, load
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.files import atomic_writer

TABLE = Path(__file__).resolve().parents[1] / "results" / "backprop.csv"
RECIPE = ["data", "hidden", "epochs", "batch_size", "rate", "decay", "dropout", "seed"]


def network(sizes: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        linear = nn.Linear(before, after)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(data: Dataset, found: argparse.Namespace, seed: int) -> tuple[float, float]:
    """Training error of the last epoch, counted before each step, and test error after it."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    n_inputs, n_outputs = data.x_train.shape[1], data.y_train.shape[1]
    model = network([n_inputs, *found.sizes, n_outputs])
    x, x_test = (torch.tensor(each) for each in (data.x_train, data.x_test))
    y, y_test = (torch.tensor(each.argmax(1)) for each in (data.y_train, data.y_test))
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": found.decay}, {"params": biases}]
    optimiser = torch.optim.AdamW(groups, lr=found.rate, weight_decay=0.0)
    steps = -(-len(x) // found.batch_size) * found.epochs
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    wrong = 0
    for _ in range(found.epochs):
        wrong = 0
        for batch in torch.from_numpy(rng.permutation(len(x))).split(found.batch_size):
            inputs = x[batch]
            if found.dropout:
                inputs = inputs * (torch.rand_like(inputs) >= found.dropout)
            logits = model(inputs)
            optimiser.zero_grad()
            nn.functional.cross_entropy(logits, y[batch]).backward()
            optimiser.step()
            schedule.step()
            wrong += int((logits.argmax(1) != y[batch]).sum())
    with torch.no_grad():
        test = (model(x_test).argmax(1) != y_test).float().mean()
    return wrong / len(x), float(test)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["mnist", "fashion-mnist"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[500, 500, 500], help="hidden")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--rate", type=float, default=7e-4)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--dropout", type=float, default=0.0, help="of the inputs")
    parser.add_argument("--out", type=Path, default=TABLE)
    found = parser.parse_args()
    torch.set_num_threads(1)
    rows = pd.read_csv(found.out).to_dict("records") if found.out.exists() else []
    hidden = "-".join(map(str, found.sizes))
    numbers = found.epochs, found.batch_size, found.rate, found.decay, found.dropout
    for name in found.data:
        data = load(name)
        for seed in found.seeds:
            recipe = dict(zip(RECIPE, (name, hidden, *numbers, seed), strict=True))
            if any(all(row[key] == recipe[key] for key in RECIPE) for row in rows):
                continue
            training, test = train(data, found, seed)
            rows.append({**recipe, "training_error": training, "test_error": test})
            with atomic_writer(found.out) as file:
                pd.DataFrame(rows).to_csv(file, index=False)
            print(f"{name} {hidden} seed {seed}: {training:.2%}, {test:.2%}", flush=True)
    table = pd.DataFrame(rows)
    table[["training", "test"]] = 100 * table[["training_error", "test_error"]]
    shown = table.groupby(RECIPE[:-1]).agg(
        seeds=("seed", "size"), training=("training", "mean"), test=("test", "mean"),
        spread=("test", "std"),
    )  # fmt: skip
    print(tabulate(shown.reset_index(), "keys", "github", floatfmt=".4g", showindex=False))


if __name__ == "__main__":
    sys.exit(exit_status(main))
