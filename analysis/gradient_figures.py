"""Figures of gradient_fidelity.py: read its table, measure nothing."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from tables import save

from smallworld_eqprop.studies.style import GREY, PAGE, use_style

# What the paper's 5 x 100 networks are trained with.
PUBLISHED_STEPS, PUBLISHED_BETA = 12, 1.0


def draw(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw all figures of a table; give their paths."""
    use_style()
    shares = sorted(table.p.unique())
    initial, *others = dict.fromkeys(table.state)
    figures = {"gradient_fidelity": fidelity(table[table.state == initial], shares)}
    for state in others:
        figures[f"gradient_fidelity_{state}"] = fidelity(table[table.state == state], shares)
    figures["gradient_evenness"] = by_layer(table, shares)
    return [save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def evenness(table: pd.DataFrame) -> pd.DataFrame:
    """Log-spread over adjacent layer pairs, of the true gradient and of every estimate.

    Pairs that an estimate does not reach at all leave it undefined.
    """
    adjacent = table[table.pair != "skip"]
    logs = np.log10(adjacent[["exact_rms", "estimate_rms"]].replace(0, np.nan))
    keys = ["state", "p", "seed", "beta", "steps"]
    spread = logs.groupby([adjacent[key] for key in keys]).agg(
        lambda x: x.std(ddof=0, skipna=False)
    )
    return spread.rename(columns=lambda name: name.removesuffix("_rms")).reset_index()


def fidelity(table: pd.DataFrame, shares: list[float]) -> plt.Figure:
    """Draw how close the estimate is, by layer pair, beta and steps."""
    adjacent = table[table.pair != "skip"]
    first, betas = adjacent.pair.iloc[0], sorted(adjacent.beta.unique())
    at_published = adjacent[adjacent.steps == PUBLISHED_STEPS]
    at_first = adjacent[adjacent.pair == first]
    rows = (
        (at_published, "pair", "norm_ratio", f"norm ratio, {PUBLISHED_STEPS} steps"),
        (at_published, "pair", "cosine", f"cosine, {PUBLISHED_STEPS} steps"),
        (at_first, "steps", "norm_ratio", f"norm ratio, pair {first}"),
        (at_first, "steps", "cosine", f"cosine, pair {first}"),
    )
    fig, axes = plt.subplots(
        len(rows), len(betas), figsize=(PAGE, 1.7 * len(rows)), sharex="row", sharey="row"
    )
    for line, (part, x, y, label) in zip(axes, rows, strict=True):
        for ax, beta in zip(line, betas, strict=True):
            by_p(ax, part[part.beta == beta], x, y, shares)
            ax.axhline(1, color=GREY, linewidth=0.6, zorder=0)
            ax.set(xlabel="layer pair" if x == "pair" else "nudged steps", ylabel=label)
            if x == "steps":
                ax.axvline(PUBLISHED_STEPS, color=GREY, linewidth=0.6, zorder=0)
                ax.set_xscale("log")
            if y == "norm_ratio":
                ax.set_yscale("log")
            else:
                ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
            ax.label_outer(remove_inner_ticks=False)
            ax.tick_params(labelbottom=True)
    for ax, beta in zip(axes[0], betas, strict=True):
        ax.set_title(rf"$\beta$ = {beta:g}")
    legend(fig, axes[0, 0])
    return fig


def by_layer(table: pd.DataFrame, shares: list[float]) -> plt.Figure:
    """Size of the gradient by layer pair, and its log-spread against p."""
    spread = evenness(table[table.steps == PUBLISHED_STEPS])
    states = list(dict.fromkeys(table.state))
    fig, axes = plt.subplots(len(states), 3, figsize=(PAGE, 2.2 * len(states)), squeeze=False)
    for line, state in zip(axes, states, strict=True):
        here = spread[spread.state == state]
        part = table[(table.state == state) & (table.pair != "skip")]
        part = part[(part.steps == PUBLISHED_STEPS) & (part.beta == PUBLISHED_BETA)]
        estimate = rf"estimate, {PUBLISHED_STEPS} steps, $\beta$ = 1"
        for ax, y, label in (
            (line[0], "exact_rms", "true gradient"),
            (line[1], "estimate_rms", estimate),
        ):
            by_p(ax, part, "pair", y, shares)
            ax.set(yscale="log", xlabel="layer pair", ylabel="", title=label)
        sizes = part[["exact_rms", "estimate_rms"]].stack()
        for ax in line[:2]:
            ax.set_ylim(0.7 * sizes[sizes > 0].min(), 1.4 * sizes.max())
        line[0].set_ylabel(f"{state}\nRMS over edges")
        here = here[here.beta.isin((spread.beta.min(), PUBLISHED_BETA))]
        estimates = "estimate, $\\beta$ = " + here.beta.map("{:g}".format)
        truth = here[here.beta == PUBLISHED_BETA]
        shown = pd.concat(
            (
                pd.DataFrame({"p": truth.p, "spread": truth.exact, "what": "true gradient"}),
                pd.DataFrame({"p": here.p, "spread": here.estimate, "what": estimates}),
            ),
            ignore_index=True,
        )
        ax = line[2]
        sns.lineplot(
            shown, x="p", y="spread", hue="what", style="what", markers=True, dashes=False,
            errorbar=("pi", 100), err_kws={"alpha": 0.12}, palette=["0.1", "C1", "C3"], ax=ax,
        )  # fmt: skip
        ax.set(title="log-spread over layer pairs", ylabel="log-spread", ylim=(0, None))
        # Most happens at small p.
        ax.set_xscale("function", functions=(lambda p: np.sqrt(np.maximum(p, 0)), np.square))
        ax.set_xticks((0, 0.02, 0.1, 0.2, 0.5), ("0", "0.02", "0.1", "0.2", "0.5"))
        ax.legend(title=None)
    legend(fig, axes[0, 0])
    return fig


def by_p(ax: plt.Axes, part: pd.DataFrame, x: str, y: str, shares: list[float]) -> None:
    """One line per p: mean over seeds, and their range."""
    # What a nudge has not reached has no place on a logarithmic axis.
    part = part[part[y] > 0] if y != "cosine" else part.dropna(subset=y)
    sns.lineplot(
        part, x=x, y=y, hue="p", style="p", dashes=False, markersize=4, markeredgewidth=0,
        palette=dict(zip(shares, sns.color_palette("viridis_r", len(shares)), strict=True)),
        markers=dict(zip(shares, "oXsPDv^<>*" * len(shares), strict=False)),
        errorbar=("pi", 100), err_kws={"alpha": 0.12}, ax=ax,
    )  # fmt: skip
    ax.get_legend().remove()


def legend(fig: plt.Figure, source: plt.Axes) -> None:
    handles, labels = source.get_legend_handles_labels()
    labels = [f"{float(p):g}" for p in labels]
    fig.legend(handles, labels, title="p", loc="outside upper center", ncol=len(labels))
