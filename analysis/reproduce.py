"""Train the paper's networks, and two by weak feedback; compare with what is published.

    python analysis/reproduce.py                    one epoch of the paper's three networks, ten
                                                    of the two with weak feedback
    python analysis/reproduce.py --profile paper    the full protocol, the paper's five networks

Stopped at any moment, it goes on from there when started again.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from smallworld_eqprop import Run, RunConfig, Trainer, train
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.cli.progress import Display, duration
from smallworld_eqprop.dynamics import threads
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.studies.executors import cores

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "results" / "published_learning_curves.csv"


# Networks and their epochs.
THREE = ("layered-3x500", "layered-3x500-per-layer", "rewired-3x500")
WEAK = ("weak-feedback-3x500", "weak-feedback-rewired-3x500")
PROFILES = {
    "quick": {**dict.fromkeys(THREE, 1), **dict.fromkeys(WEAK, 10)},
    "paper": dict.fromkeys((*THREE, "layered-5x100", "rewired-5x100"), 100),
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
Weak feedback is another recipe (docs/weak-feedback.md), of which nothing is published.
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


def print_estimate(lengths: Mapping[str, int], folder: Path) -> None:
    total = 0.0
    for name, epochs in lengths.items():
        config, folder_of_run = RunConfig.preset(name), folder / name
        there = (folder_of_run / "history.csv").exists()
        done = len(Run(folder_of_run).history) if there else 0
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
        return "-" if pd.isna(error) else f"{100 * error:.{1 if error > 0.05 else 2}f}"

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


def draw_figures(profile: Mapping[str, int], folder: Path) -> None:
    of_paper = [network for network in profile if network not in WEAK]
    for name in ("figure3", "figure4", "time_to_error"):
        script = ROOT / "figures" / f"{name}.py"
        drawn = profile if name == "time_to_error" else of_paper
        runs = [folder / network for network in drawn]
        subprocess.run(
            [sys.executable, script, "--runs", *runs, "--out", folder / "figures"],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def reproduce(profile: Mapping[str, int], folder: Path) -> None:
    print_estimate(profile, folder)
    for name, epochs in profile.items():
        config = RunConfig.preset(name)
        with Display() as display:
            display.say(f"{config.name}: {config.summary}, seed {config.training.seed}", "bold")
            train(
                config,
                folder / name,
                epochs=epochs,
                existing="resume",
                on_batch=display.show,
                threads=cores(),
            )
            if display.last is None:
                display.say("done before")
    rows = comparison([Run(folder / name) for name in profile])
    with atomic_writer(folder / "table.csv") as file:
        rows.to_csv(file, index=False)
    draw_figures(profile, folder)
    print_table(rows)
    print(f"\nfigures 3 and 4 and errors against time: {folder / 'figures'}")
    print(f"table: {folder / 'table.csv'}")


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
