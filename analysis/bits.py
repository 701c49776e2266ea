"""How many bits a device needs: from runs with one device each, and from ideal ones beside them.

    smallworld-eqprop export runs/hardware_bits.sqlite --out results/hardware_bits
    python analysis/bits.py

Reads runs.csv of that folder, as the studies hardware_bits*.toml of analysis/studies fill it, and
writes into the same folder

    levels.csv       one row per run: recipe, p, factor, level, error, and the points lost against
                     the ideal run of the same recipe, p and seed
    bits_needed.csv  one row per recipe, p and factor: the smallest level tested at which at most
                     --points are lost on average, of noise, mismatch and drift the largest one

Nothing is interpolated: a level that was not tested is never the answer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tables import read_runs, write

from smallworld_eqprop import InputError, TrainingConfig
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.learning import SGD, Adam, Momentum

OUT = Path(__file__).resolve().parents[1] / "results" / "hardware_bits"
OPTIMISERS = {"sgd": SGD(), "momentum": Momentum(), "adam": Adam()}
#: Of each factor the device, and the column in which its level stands.
FACTORS = {
    "read bits": ("readout", "bits"),
    "step bits": ("resolution", "bits"),
    "step bits, stochastic": ("resolution", "bits"),
    "weight bits": ("levels", "levels"),
    "read noise": ("readout", "noise"),
    "mismatch": ("mismatch", "gains"),
    "drift": ("drift", "exponent"),
}
IDEAL = "ideal"
#: What a setting is, beside its seed.
SETTING = ["recipe", "p"]
ADAPTIVE = "Adam"


def levels(runs: pd.DataFrame) -> pd.DataFrame:
    """Error of every run in %, and the points that it lost against its ideal run.

    Returns
    -------
    DataFrame
        recipe, p, factor, level, seed, error, lost, memories; ideal runs have no level and lost
        nothing. Runs whose ideal run is not done yet are left out.
    """
    found = pd.DataFrame(
        {
            "recipe": runs.name,
            "p": runs.p,
            "factor": [_factor(row) for row in runs.to_dict("records")],
            "seed": runs.seed,
            "error": 100 * runs.final_test_error,
        }
    )
    found["level"] = [
        np.nan if factor == IDEAL else float(row[FACTORS[factor][1]])
        for factor, row in zip(found.factor, runs.to_dict("records"), strict=True)
    ]
    found["level"] = found.level.where(found.factor != "weight bits", np.log2(found.level))
    found["memories"] = [_memories(row) for row in runs.to_dict("records")]
    ideal = found[found.factor == IDEAL].set_index([*SETTING, "seed"]).error.rename("ideal")
    if ideal.empty:
        raise InputError("no ideal run is done yet, to which a device could be compared")
    found = found.join(ideal, on=[*SETTING, "seed"]).dropna(subset="ideal")
    found["lost"] = found.error - found.pop("ideal")
    return found[[*SETTING, "factor", "level", "seed", "error", "lost", "memories"]]


def needed(table: pd.DataFrame, points: float) -> pd.DataFrame:
    """The level that each recipe needs, or bears, for each factor.

    Returns
    -------
    DataFrame
        recipe, p, factor, memories; needed, a level or "> 16" where none that was tested is enough
        ("< 0.003" where the smallest noise is too much); ideal error in %; points lost at that
        level, or at the best one tested where none is enough: mean, lowest and highest seed;
        seeds.
    """
    ideal = table[table.factor == IDEAL].groupby(SETTING).error.mean()
    rows = []
    tested = table[table.factor != IDEAL].groupby([*SETTING, "factor"], sort=False)
    for (recipe, p, factor), own in tested:
        by_level = own.groupby("level").lost.agg(["mean", "min", "max", "count"])
        # Of bits the fewest are looked for, of all else the most.
        fewest = "bits" in factor
        by_level = by_level.sort_index(ascending=fewest)
        enough = by_level.index[by_level["mean"] <= points]
        best = enough[0] if len(enough) else by_level.index[-1]
        lost = by_level.loc[best]
        rows.append(
            {
                "recipe": recipe,
                "p": p,
                "factor": factor,
                "memories": own.memories.max(),
                "needed": f"{best:g}" if len(enough) else f"{'>' if fewest else '<'} {best:g}",
                "ideal": ideal[recipe, p],
                "lost": lost["mean"],
                "lost_lowest": lost["min"],
                "lost_highest": lost["max"],
                "seeds": int(lost["count"]),
            }
        )
    return pd.DataFrame(rows)


def headline(table: pd.DataFrame) -> list[str]:
    """Which recipe is cheapest in bits of a reading: of plain descent, and of Adam."""
    read = table[table.factor == "read bits"]
    lines = []
    for name, own in (
        ("plain descent", read[~read.recipe.str.contains(ADAPTIVE)]),
        ("Adam, two more memories", read[read.recipe.str.contains(ADAPTIVE)]),
    ):
        order = own.assign(
            bits=own.needed.str.removeprefix("> ").astype(float),
            none=own.needed.str.startswith(">"),
        ).sort_values(["none", "bits", "ideal"])
        told = [
            f"{row.recipe}, p = {row.p:g}: {row.needed} (ideal {row.ideal:.2f} %)"
            for row in order.itertuples()
        ]
        if told:
            lines.append(f"read bits, {name}, the cheapest first: " + "; ".join(told))
    return lines


def _factor(row: dict) -> str:
    """The factor of a run: what its device does."""
    device = row["hardware"]
    if device == "devices":
        if row.get("devices", "[]") != "[]":
            raise InputError(f"run {row['key']}: more than one device; one factor at a time")
        return IDEAL
    if device == "resolution" and row["rounding"] == "stochastic":
        return "step bits, stochastic"
    if device == "readout" and np.isnan(row.get("bits", np.nan)):
        return "read noise"
    for factor, (kind, _) in FACTORS.items():
        if kind == device:
            return factor
    raise InputError(f"run {row['key']}: device {device!r} is no factor of this study")


def _memories(row: dict) -> int:
    """Numbers kept for every weight."""
    # A column of a device that other runs do not have is empty there.
    shadow = row["hardware"] == "levels" and row["shadow"] in (True, "True", 1.0)
    return TrainingConfig(optimiser=OPTIMISERS[row["optimiser"]]).memories + int(shadow)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, default=OUT, metavar="DIR", help="folder of the tables"
    )
    parser.add_argument("--points", type=float, default=0.5, help="points that may be lost")
    found = parser.parse_args()
    table = levels(read_runs([found.results / "runs.csv"]))
    print(write(table, found.results / "levels.csv"))
    bits = needed(table, found.points)
    if bits.empty:
        raise InputError(f"{found.results / 'runs.csv'}: ideal runs only; no device was tried yet")
    print(write(bits, found.results / "bits_needed.csv"))
    ideal = table[table.factor == IDEAL].groupby(SETTING).error.agg(["mean", "min", "max", "count"])
    print("test error with ideal devices (%)", ideal.round(2).to_string(), sep="\n")
    print(f"bits needed to lose at most {found.points:g} points", sep="\n")
    print(bits.round(2).to_string(index=False))
    print(*headline(bits), sep="\n")


if __name__ == "__main__":
    sys.exit(exit_status(main))
