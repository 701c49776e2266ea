"""Make the tables of figure 5 from the stores of its studies, so that the figure needs no stores.

    python analysis/collect_p_sweep.py runs/p_sweep_5x100.sqlite runs/p_sweep_3x500.sqlite

Writes figure5_runs.csv (one row per run: network, p, seed, errors, log-spreads, sweeps) and
figure5_corrections.csv (one row per run and layer pair: mean RMS correction over the first epoch).
A network is named after its hidden layers. Runs that are not done yet are left out, and counted.
Rows of networks that are in none of the stores stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallworld_eqprop import InputError, Store
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.files import atomic_writer

RESULTS = Path(__file__).resolve().parents[1] / "results"
QUANTITIES = (
    "training_error",
    "test_error",
    "log_spread",
    "log_spread_interlayer",
    "mean_sweeps",
)


def collect(stores: Sequence[Path], out: Path) -> None:
    parts = [tables(path) for path in stores]
    out.mkdir(parents=True, exist_ok=True)
    for name, found in zip(("runs", "corrections"), zip(*parts, strict=True), strict=True):
        path = out / f"figure5_{name}.csv"
        table = pd.concat(found, ignore_index=True)
        if path.exists():
            before = pd.read_csv(path)
            table = pd.concat((before[~before.network.isin(table.network)], table))
        with atomic_writer(path) as file:
            table.to_csv(file, index=False, float_format="%.6g")
        print(f"{path}: {len(table)} rows")


def tables(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs and corrections of one store, as they were after the first epoch."""
    with Store(path, create=False) as store:
        runs, corrections = store.runs(), store.corrections()
        left = sum(status != "done" for status in store.standing().values())
    if runs.empty:
        raise InputError(f"{path}: no finished run in it yet")
    if left:
        print(f"{path}: {left} runs are not done yet", file=sys.stderr)
    runs["network"] = [
        network(json.loads(sizes), intralayer)
        for sizes, intralayer in zip(runs.layer_sizes, runs.intralayer, strict=True)
    ]
    runs = runs.rename(columns={f"epoch1_{name}": name for name in QUANTITIES})
    runs = runs.sort_values(["p", "seed"], kind="stable", ignore_index=True)
    first = corrections[corrections.epoch == 1].drop(columns="epoch")
    about = ["network", "p", "seed"]
    return (
        runs[[*about, *QUANTITIES]],
        runs[["key", *about]].merge(first, on="key").drop(columns="key"),
    )


def network(sizes: Sequence[int], intralayer: bool) -> str:
    """Name a network after its hidden layers."""
    hidden = sizes[1:-1]
    name = f"{len(hidden)}x{hidden[0]}" if len(set(hidden)) == 1 else "-".join(map(str, hidden))
    return name + ", intralayer edges" * intralayer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the tables")
    found = parser.parse_args()
    collect(found.stores, found.out)


if __name__ == "__main__":
    sys.exit(exit_status(main))
