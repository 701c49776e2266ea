"""Do recipes rank networks alike? Spearman of the last errors by one recipe with those by another.

    make study
    python figures/large_study_agreement.py --out DIR

Read from the table that analysis/large_study_results.py writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from networks import RESULTS, arguments, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import PAGE, save, use_style

COLUMNS = ("recipe", "other", "n", "value", "low", "high")
REMEDY = "make study makes it"
#: In the order of the figure: those with the paper's feedback first.
NAMES = {
    "paper": "paper's recipe",
    "paper-long": "thirty epochs",
    "six-bit-steps": "steps of six bits",
    "noisy-readings": "noisy readings",
    "paper-fashion": "Fashion-MNIST",
    "adam": "Adam",
    "adjoint": "exact gradient, Adam",
    "readout-only": "only outputs trained",
    "weak-feedback": "weak feedback, Adam",
    "weak-feedback-fashion": "the same, Fashion-MNIST",
}


def square(pairs: pd.DataFrame) -> pd.DataFrame:
    """The table as a symmetric matrix, of recipes that are there."""
    values = pairs.set_index(["recipe", "other"]).value
    both = pd.concat([values, values.swaplevel().rename_axis(values.index.names)])
    found = both.unstack()
    order = [name for name in NAMES if name in found.index]
    return found.reindex(index=order, columns=order)


def draw(pairs: pd.DataFrame) -> Figure:
    """The lower triangle of the matrix."""
    table = square(pairs).rename(index=NAMES, columns=NAMES).iloc[1:, :-1]
    fig, ax = plt.subplots(figsize=(0.75 * PAGE, 0.6 * PAGE))
    sns.heatmap(
        table, ax=ax, mask=np.triu(np.ones(table.shape), 1) > 0, vmin=-1, vmax=1, cmap="RdBu",
        annot=True, fmt=".2f", annot_kws={"fontsize": 7}, linewidths=1,
        cbar_kws={"label": "Spearman of the last errors"},
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="x", labelrotation=40, length=0)
    ax.tick_params(axis="y", labelrotation=0, length=0)
    plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--table", type=Path, default=RESULTS / "large_study" / "agreement.csv",
                        help="table of analysis/large_study_results.py")  # fmt: skip
    found = parser.parse_args()
    use_style()
    pairs = read_table(found.table, COLUMNS, REMEDY)
    for row in pairs.itertuples():
        interval = f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})"
        print(f"{row.recipe}, {row.other}: {interval}, {row.n} settings")
    for path in save(draw(pairs), found.out, "large_study_agreement"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
