"""Make the small tables under results/ from run folders, so that figures need no runs.

    python analysis/collect_results.py runs/paper/*             tables of these runs alone
    python analysis/collect_results.py --add runs/paper/new     keep what other runs gave before

Writes learning_curves.csv (one row per run and epoch), corrections.csv (RMS correction per layer
pair) and provenance.json (what each run was made from). Runs without a finished epoch are skipped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallworld_eqprop import InputError, Run
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.studies.tidy import corrections, learning_curves, provenance

RESULTS = Path(__file__).resolve().parents[1] / "results"
RUN = ["network", "seed"]


def collect(folders: Sequence[Path], out: Path, add: bool) -> None:
    runs = []
    for folder in folders:
        run = Run(folder)
        if (folder / "history.csv").exists():
            runs.append(run)
        else:
            print(f"{folder}: skipped, no epoch is finished", file=sys.stderr)
    if not runs:
        raise InputError("runs: none with a finished epoch among those given")
    made = provenance(runs)
    tables = {"learning_curves.csv": learning_curves(runs), "corrections.csv": corrections(runs)}
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if add and (out / name).exists():
            table = merged(pd.read_csv(out / name), table)
        with atomic_writer(out / name) as file:
            table.to_csv(file, index=False, float_format="%.6g")
        print(f"{out / name}: {len(table)} rows")
    path = out / "provenance.json"
    if add and path.exists():
        made = merged_provenance(json.loads(path.read_text(encoding="utf-8")), made)
    with atomic_writer(path) as file:
        file.write((json.dumps(made, indent=1) + "\n").encode())
    for name, entries in made.items():
        epochs = ", ".join(f"{entry['seed']} ({entry['epochs']} epochs)" for entry in entries)
        print(f"{name}: seed {epochs}")


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Rows of runs collected before, then those of the new ones, which take their places."""
    again = pd.MultiIndex.from_frame(old[RUN]).isin(pd.MultiIndex.from_frame(new[RUN]))
    table = pd.concat([old[~again], new], ignore_index=True)
    return table.sort_values(RUN, kind="stable", ignore_index=True)


def merged_provenance(old: dict[str, list], new: dict[str, list]) -> dict[str, list]:
    table = dict(old)
    for name, entries in new.items():
        seeds = {entry["seed"] for entry in entries}
        kept = [entry for entry in old.get(name, []) if entry["seed"] not in seeds]
        table[name] = sorted(kept + entries, key=lambda entry: entry["seed"])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the tables")
    parser.add_argument("--add", action="store_true", help="keep rows of other networks and seeds")
    found = parser.parse_args()
    collect(found.runs, found.out, found.add)


if __name__ == "__main__":
    sys.exit(exit_status(main))
