"""The noise floor: how far runs that differ in nothing but their seed are apart.

    python analysis/seed_noise.py runs/study.sqlite
    python analysis/seed_noise.py exported.csv --outcomes final_test_error
    python analysis/seed_noise.py runs/*-seed*/ --epoch 1

Writes seed_noise.png, seed_noise.csv (one row per outcome, see `noise_floor`) and
seed_noise_settings.csv (one row per setting and outcome: n, mean, std, smallest, largest) into
--out, and says in words what the noise is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator
from tables import label, read_runs, save, topologies, write

from smallworld_eqprop import InputError
from smallworld_eqprop.studies import noise_floor
from smallworld_eqprop.studies.replicates import setting_columns, setting_numbers
from smallworld_eqprop.studies.style import GREY, PAGE, use_style

OUTCOMES = ("final_training_error", "final_test_error", "final_log_spread_interlayer")


def by_setting(runs: pd.DataFrame, outcomes: list[str]) -> pd.DataFrame:
    """One row per outcome and setting, the settings by what varies between them."""
    runs = runs.assign(setting=setting_numbers(runs), topology=topologies(runs))
    varying = [c for c in setting_columns(runs) if runs[c].nunique(dropna=False) > 1]
    shown = list(dict.fromkeys(["setting", "topology", *varying]))
    parts = []
    for outcome in outcomes:
        values = runs[outcome].where(np.isfinite(runs[outcome]))
        grouped = runs.assign(value=values).groupby("setting")
        part = grouped[[c for c in shown if c != "setting"]].first()
        statistics = grouped["value"].agg(
            n="count", mean="mean", std="std", smallest="min", largest="max"
        )
        part.insert(0, "outcome", outcome)
        parts.append(part.join(statistics).reset_index())
    return pd.concat(parts, ignore_index=True)


def draw(settings: pd.DataFrame, runs: pd.DataFrame, floor: pd.DataFrame) -> plt.Figure:
    """Draw every run about the mean of its setting, and the spread of each setting."""
    use_style()
    runs = runs.assign(setting=setting_numbers(runs))
    fig, axes = plt.subplots(len(floor), 2, figsize=(PAGE, 1.9 * len(floor)), squeeze=False)
    for (left, right), row in zip(axes, floor.itertuples(), strict=True):
        part = settings[(settings.outcome == row.outcome) & (settings.n > 1)]
        part = part.sort_values("mean").assign(place=np.arange(len(part)))
        repeated = runs[["setting", row.outcome]].dropna()
        repeated = repeated.merge(part[["setting", "place", "mean"]], on="setting")
        sns.scatterplot(repeated, x="place", y=row.outcome, s=9, linewidth=0, ax=left)
        left.scatter(part.place, part["mean"], marker="_", color="0.1", linewidth=0.8, zorder=3)
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set(xlabel="setting, in the order of its mean", ylabel=label(row.outcome))
        sns.scatterplot(part, x="mean", y="std", s=14, linewidth=0, ax=right)
        right.axhline(row.within, color="0.1", linewidth=0.8)
        right.axhspan(row.within_low, row.within_high, color=GREY, alpha=0.25, linewidth=0)
        right.set(
            xlabel=f"mean {label(row.outcome)}", ylabel="std between seeds", ylim=(0, None),
            title=f"noise floor {row.within:.3g}, ICC {row.icc:.2f}",
        )  # fmt: skip
    return fig


def in_words(floor: pd.DataFrame) -> str:
    lines = []
    for row in floor.itertuples():
        name = label(row.outcome)
        if not row.n_settings:
            lines.append(f"{name}: no setting has two runs, so nothing is known about its noise")
            continue
        lines.append(
            f"{name}: seeds of one setting spread by {row.within:.3g} (standard deviation, 95 % "
            f"interval {row.within_low:.3g} to {row.within_high:.3g}; {row.n_runs} runs of "
            f"{row.n_settings} settings, mean {row.mean:.3g}). Two single runs that differ by less "
            f"than {row.difference:.3g} may differ by their seeds alone."
        )
        if np.isfinite(row.icc):
            lines.append(
                f"  Settings spread by {row.between:.3g} beyond that; of the variance between runs "
                f"{100 * max(0, row.icc):.0f} % is the setting, the rest is the seed."
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", type=Path, nargs="+", help="a store, a CSV, or run folders")
    parser.add_argument("--outcomes", nargs="+", default=[*OUTCOMES])
    parser.add_argument("--epoch", type=int, help="of run folders; by default each one's last")
    parser.add_argument("--out", type=Path, default=Path("runs/analysis"), help="of the tables")
    parser.add_argument("--figures", type=Path, help="of the figure; by default beside the tables")
    options = parser.parse_args()
    try:
        runs = read_runs(options.sources, options.epoch)
        floor = noise_floor(runs, options.outcomes)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    settings = by_setting(runs, options.outcomes)
    print(in_words(floor))
    print(write(floor, options.out / "seed_noise.csv"))
    print(write(settings, options.out / "seed_noise_settings.csv"))
    known = floor[floor.n_settings > 0]
    if len(known):
        folder = options.figures or options.out
        print(save(draw(settings, runs, known), folder / "seed_noise.png"))


if __name__ == "__main__":
    main()
