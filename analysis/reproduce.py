"""Train the paper's networks, draw figures 3 and 4, and compare with the published errors.

    python analysis/reproduce.py                    one epoch of the three networks
    python analysis/reproduce.py --profile paper    the full protocol, all five networks

Stopped at any moment, it goes on from there when started again.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.cli.progress import Display, duration
from smallworld_eqprop.dynamics.threads import threads
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.executors import cores
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.runs import train

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "results" / "published_learning_curves.csv"


@dataclass(frozen=True)
class Profile:
    """Which networks to train, and for how long."""

    networks: tuple[str, ...]
    epochs: int


THREE = ("layered-3x500", "layered-3x500-per-layer", "rewired-3x500")
PROFILES = {
    "quick": Profile(THREE, 1),
    "paper": Profile((*THREE, "layered-5x100", "rewired-5x100"), 100),
}

# The published network that comes nearest to each of ours.
NEAREST = {
    "layered-3x500": "layered_global_rate",
    "layered-3x500-per-layer": "layered_per_layer_rates",
    "rewired-3x500": "rewired_p0.10_no_intralayer",
}
NOTES = """\
Errors in %. Training error is counted online, in the free phase of each batch before its update.
Published: one run each, of the 2021 version, on 60,000 examples. Of the preprint's own runs no
numbers are published. So the rewired rows compare two networks: ours is the preprint's (intralayer
edges, p = 7.56 %, 50,000 examples), the published one has no intralayer edges and p = 10 %.
The published per-layer run in effect updated its biases with rate 1; ours uses the layers' rates.
Seeds move these errors by a few percent."""

# Batches timed for the estimate, after those that warm up caches and compiled code.
WARM_UP, TIMED = 5, 20


def seconds_per_epoch(config: RunConfig) -> float:
    """Estimate from a few batches; later ones, which start nearer to rest, are faster."""
    data = config.data.load()
    trainer = Trainer(config.topology.build(config.training.seed), data, config.training)
    batches = trainer.run_epoch()
    with threads(trainer.network, cores()):
        for _ in itertools.islice(batches, WARM_UP):
            pass
        begin = time.perf_counter()
        for _ in itertools.islice(batches, TIMED):
            pass
    return (time.perf_counter() - begin) / TIMED * trainer.n_batches


def print_estimate(configs: Sequence[RunConfig], folders: Sequence[Path], epochs: int) -> None:
    total = 0.0
    for config, folder in zip(configs, folders, strict=True):
        done = len(Run(folder).history) if (folder / "history.csv").exists() else 0
        if done >= epochs:
            continue
        each = seconds_per_epoch(config)
        total += (epochs - done) * each
        print(
            f"{config.name}: {done} of {epochs} epochs done, about {duration(each)} each",
            flush=True,
        )
    print(f"about {duration(total)} in all (hours:minutes:seconds); Ctrl-C keeps everything")


def comparison(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per network: our errors and the published ones of the same epoch."""
    published = pd.read_csv(PUBLISHED, comment="#")
    rows = []
    for run in runs:
        ours = run.history.iloc[-1]
        theirs = published[
            (published.network == NEAREST.get(run.config.name)) & (published.epoch == ours.epoch)
        ]
        rows.append(
            {
                "network": run.config.name,
                "seed": run.config.training.seed,
                "epoch": int(ours.epoch),
                "training_error": ours.training_error,
                "published_training_error": theirs.training_error.max(),
                "test_error": ours.test_error,
                "published_test_error": theirs.test_error.max(),
                "log_spread": ours.log_spread,
                "log_spread_interlayer": ours.log_spread_interlayer,
                "seconds": run.history.seconds.sum(),
            }
        )
    return pd.DataFrame(rows)


def print_table(rows: pd.DataFrame) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("network", no_wrap=True)
    for heading in (
        "seed",
        "epoch",
        "training",
        "published",
        "test",
        "published",
        "log-spread",
        "time",
    ):
        table.add_column(heading, justify="right", no_wrap=True)

    def percent(error: float) -> str:
        return "-" if pd.isna(error) else f"{100 * error:.1f}"

    for row in rows.itertuples():
        table.add_row(
            row.network,
            str(row.seed),
            str(row.epoch),
            percent(row.training_error),
            percent(row.published_training_error),
            percent(row.test_error),
            percent(row.published_test_error),
            f"{row.log_spread:.2f}",
            duration(row.seconds),
        )
    console = Console(highlight=False, soft_wrap=True)
    # Without a terminal rich assumes 80 columns, too few for the table.
    console.width = max(console.width, 100)
    console.print(table)
    print(NOTES)


def draw_figures(folders: Sequence[Path], out: Path) -> None:
    for name in ("figure3", "figure4"):
        script = ROOT / "figures" / f"{name}.py"
        subprocess.run(
            [sys.executable, script, "--runs", *folders, "--out", out],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def reproduce(profile: Profile, folder: Path) -> None:
    configs = [RunConfig.preset(name) for name in profile.networks]
    folders = [folder / name for name in profile.networks]
    if profile.epochs > 1:
        print_estimate(configs, folders, profile.epochs)
    for config, run_folder in zip(configs, folders, strict=True):
        with Display() as display:
            display.say(f"{config.name}: {config.summary}, seed {config.training.seed}", "bold")
            train(
                config,
                run_folder,
                epochs=profile.epochs,
                existing="resume",
                on_batch=display.show,
                threads=cores(),
            )
            if display.last is None:
                display.say("done before")
    rows = comparison([Run(run_folder) for run_folder in folders])
    with atomic_writer(folder / "table.csv") as file:
        rows.to_csv(file, index=False)
    draw_figures(folders, folder / "figures")
    print_table(rows)
    print(f"\nfigures 3 and 4 are in {folder / 'figures'}, the table in {folder / 'table.csv'}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=PROFILES, default="quick")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="parent of the run folders")
    found = parser.parse_args()
    try:
        return exit_status(
            lambda: reproduce(PROFILES[found.profile], found.out / f"reproduce-{found.profile}")
        )
    except KeyboardInterrupt:
        print(
            f"stopped; everything is kept. Go on with: make reproduce PROFILE={found.profile}",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main())
