"""Small-world coefficients of the graphs of the large study, which need no training.

    python analysis/large_study_small_world.py                 all settings, in half an hour
    python analysis/large_study_small_world.py --settings layered rewired-p0.1

Adds a row per setting and seed to results/large_study/small_world.csv, and goes on from there when
started again: sigma, omega, the index and the propensity, against degree-preserving null samples.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import pandas as pd
from large_study import SEEDS, Setting, paper, run, settings
from tables import write

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.measures import Measured, take

OUT = Path(__file__).resolve().parents[1] / "results" / "large_study" / "small_world.csv"


def coefficients(setting: Setting, seed: int) -> dict[str, float]:
    """Those of the graph that runs of this setting and seed train."""
    config = run(setting, paper(setting, 1), "paper", seed, quick=False)
    values, errors = take(["small_world"], Measured(config, config.topology.build(seed)))
    for name, error in errors.items():
        print(f"{setting.name}, seed {seed}: {name}: {error}", file=sys.stderr)
    return {f"metric_{name}": value for name, value in values.items()}


def do(found: argparse.Namespace) -> None:
    """Measure what the table lacks."""
    table = pd.read_csv(found.out) if found.out.exists() else pd.DataFrame()
    done = set(zip(table.setting, table.seed, strict=True)) if len(table) else set()
    chosen = [each for each in settings() if found.settings is None or each.name in found.settings]
    todo = [
        pair for pair in itertools.product(SEEDS, chosen) if (pair[1].name, pair[0]) not in done
    ]
    for number, (seed, setting) in enumerate(todo, start=1):
        row = {"setting": setting.name, "seed": seed, **coefficients(setting, seed)}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
        write(table, found.out)
        print(f"{number}/{len(todo)} {setting.name}, seed {seed}", file=sys.stderr)
    print(found.out)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [each.name for each in settings()]
    parser.add_argument("--settings", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--out", type=Path, default=OUT)
    try:
        return exit_status(lambda: do(parser.parse_args()))
    except KeyboardInterrupt:
        print("stopped; what is measured is kept. Go on with the same command", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
