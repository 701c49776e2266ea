"""Does the advantage last? Error of twelve settings of the large study, epoch by epoch.

    make study
    python figures/large_study_end.py --out DIR

The paper's recipe for thirty epochs, and weak feedback with Adam, whose schedule ends after
ten epochs. A line is the mean over seeds; its colour says the hops from inputs to outputs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from networks import RESULTS, arguments, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import PAGE, save, use_style

LONG = "paper-long"
RECIPES = {LONG: "the paper's recipe", "weak-feedback": "weak feedback, Adam"}
HOPS = "metric_input_output_path_length"
REMEDY = "make study makes it"


def curves(runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Mean error in % of the settings that were trained long, by recipe and epoch."""
    about = runs[["key", HOPS]].join(runs.name.str.extract(r"(?P<setting>.+)--(?P<recipe>.+)"))
    long = set(about.setting[about.recipe == LONG])
    about = about[about.recipe.isin(list(RECIPES)) & about.setting.isin(long)]
    table = history[["key", "epoch", "validation_error"]].merge(about, on="key")
    grouped = table.groupby(["recipe", "setting", "epoch"])
    found = grouped.agg(
        error=("validation_error", "mean"), hops=(HOPS, "mean"), seeds=("key", "size")
    )
    return found.assign(error=100 * found.error).reset_index()


def draw(found: pd.DataFrame) -> Figure:
    """A panel for every recipe, on one scale, and with epochs of one width."""
    shown = {name: found[found.recipe == name] for name in RECIPES if name in set(found.recipe)}
    epochs = [part.epoch.max() for part in shown.values()]
    fig, axes = plt.subplots(
        1, len(shown), figsize=(PAGE, 0.5 * PAGE), sharey=True, squeeze=False,
        width_ratios=epochs,
    )  # fmt: skip
    colours = mpl.colormaps["viridis_r"]
    scale = LogNorm(found.hops.min(), found.hops.max())
    for ax, (recipe, part) in zip(axes[0], shown.items(), strict=True):
        order = part[part.epoch == part.epoch.max()].sort_values("error", ascending=False)
        for setting in order.setting:
            own = part[part.setting == setting]
            ax.plot(own.epoch, own.error, color=colours(scale(own.hops.iloc[0])), linewidth=1.2,
                    label=f"{setting}, {own.error.iloc[-1]:.1f} %")  # fmt: skip
        ax.set(title=RECIPES[recipe], xlabel="epoch", yscale="log", xlim=(1, part.epoch.max()))
        ax.xaxis.set_major_locator(MultipleLocator(5))
        ax.set_yticks([3, 5, 10, 20, 50, 90], ["3", "5", "10", "20", "50", "90"])
        ax.minorticks_off()
    axes[0, 0].set_ylabel("validation error (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=6)
    bar = fig.colorbar(mpl.cm.ScalarMappable(scale, colours), ax=axes, pad=0.02)
    bar.set_label("hops from inputs to outputs")
    bar.set_ticks([2, 3, 4, 5, 6], labels=["2", "3", "4", "5", "6"])
    bar.minorticks_off()
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS / "large_study", metavar="DIR",
                        help="folder of the tables")  # fmt: skip
    found = parser.parse_args()
    use_style()
    runs = read_table(found.results / "runs.csv", ("key", "name", HOPS), REMEDY)
    columns = ("key", "epoch", "validation_error")
    table = curves(runs, read_table(found.results / "history.csv", columns, REMEDY))
    last = table.groupby(["recipe", "setting"]).epoch.transform("max") == table.epoch
    for row in table[last].itertuples():
        which = f"{row.setting}, {RECIPES[row.recipe]}, epoch {row.epoch}"
        print(f"{which}: {row.error:.1f} % ({row.seeds} seeds)")
    for path in save(draw(table), found.out, "large_study_end"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
