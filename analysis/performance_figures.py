"""Figures of metrics_vs_performance.py: read its tables, compute nothing."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from tables import label

from smallworld_eqprop.studies.style import GREY, PAGE, use_style

COLUMNS = 3
KINDS = {
    "pearson": "Pearson",
    "spearman": "Spearman",
    "partial": "Pearson,\np and density fixed",
    "partial_spearman": "Spearman,\np and density fixed",
}


def panels(settings: pd.DataFrame, bins: pd.DataFrame, noise: pd.DataFrame) -> plt.Figure:
    """Settings and binned means of the main metrics; a bar shows the spread between seeds."""
    use_style()
    metrics, outcomes = list(bins.metric.unique()), list(bins.outcome.unique())
    blocks = -(-len(metrics) // COLUMNS)
    names = list(dict.fromkeys(settings.topology))
    fig, axes = plt.subplots(
        len(outcomes) * blocks, COLUMNS, figsize=(PAGE, 1.75 * len(outcomes) * blocks + 0.8),
        squeeze=False, sharey=False,
    )  # fmt: skip
    for ax in axes.flat:
        ax.set_visible(False)
    for number, outcome in enumerate(outcomes):
        within = noise.set_index("outcome").within[outcome]
        for i, metric in enumerate(metrics):
            ax = axes[number * blocks + i // COLUMNS, i % COLUMNS]
            ax.set_visible(True)
            part = bins[(bins.metric == metric) & (bins.outcome == outcome)]
            sns.scatterplot(
                settings, x=metric, y=outcome, hue="topology", style="topology", hue_order=names,
                style_order=names, palette=sns.color_palette("husl", len(names)), s=14,
                linewidth=0, legend=number == i == 0, ax=ax,
            )  # fmt: skip
            ax.errorbar(
                part.x, part["mean"], part["sem"], color="0.1", linewidth=1, capsize=2,
                label="mean of a bin, standard error",
            )  # fmt: skip
            low, high = ax.get_ylim()
            ax.errorbar(
                0.97, high - 1.3 * within, within, color=GREY, linewidth=2, linestyle="",
                transform=ax.get_yaxis_transform(), label="standard deviation between seeds",
            )  # fmt: skip
            ax.set_ylim(low, high)
            ax.set(xlabel=label(metric), ylabel=label(outcome) if i % COLUMNS == 0 else "")
    move_legend(fig, axes[0, 0])
    return fig


def heat_map(found: pd.DataFrame) -> plt.Figure:
    """Correlations of all metrics; a star where the false discovery rate is below 5 %."""
    use_style()
    order = found[found.kind == "spearman"].groupby("metric").value.mean()
    order = order.dropna().sort_values().index
    outcomes = list(found.outcome.unique())
    kinds = [kind for kind in KINDS if kind in set(found.kind)]
    fig, axes = plt.subplots(
        1, len(outcomes), figsize=(PAGE, 0.19 * len(order) + 1.2), sharey=True, squeeze=False
    )
    for ax, outcome in zip(axes[0], outcomes, strict=True):
        part = found[found.outcome == outcome]
        values = part.pivot(index="metric", columns="kind", values="value")
        sure = part.pivot(index="metric", columns="kind", values="q_value") < 0.05
        values, sure = (table.reindex(index=order, columns=kinds) for table in (values, sure))
        texts = values.map("{:.2f}".format).where(values.notna(), "")
        texts += sure.map(lambda is_sure: "*" if is_sure else "")
        sns.heatmap(
            values, annot=texts, fmt="", center=0, vmin=-1, vmax=1, cmap="vlag", ax=ax,
            annot_kws={"size": 6}, cbar=ax is axes[0, -1], linewidths=0.3,
            cbar_kws={"label": "correlation"},
        )  # fmt: skip
        ax.set(title=label(outcome), xlabel="", ylabel="")
        ax.set_xticks(ax.get_xticks(), [KINDS[kind] for kind in kinds], rotation=90)
        ax.set_yticks(ax.get_yticks(), [label(name) for name in order], rotation=0)
        ax.tick_params(length=0)
    return fig


def explained(table: pd.DataFrame) -> plt.Figure:
    """Share of the variance predicted in unseen settings, and the most that seeds allow."""
    use_style()
    outcomes = list(table.outcome.unique())
    fig, axes = plt.subplots(1, len(outcomes), figsize=(PAGE, 2), sharex=True, sharey=True,
                             squeeze=False)  # fmt: skip
    for ax, outcome in zip(axes[0], outcomes, strict=True):
        part = table[table.outcome == outcome]
        # What predicts worse than the mean of all settings predicts nothing.
        sns.barplot(
            part.assign(r2=part.r2.clip(lower=0)), x="r2", y="features", hue="model", ax=ax,
            width=0.7, legend=ax is axes[0, -1],
        )  # fmt: skip
        ceiling = part.ceiling.iloc[0]
        if np.isfinite(ceiling):
            ax.axvline(ceiling, color=GREY, linewidth=1)
            ax.text(ceiling, 1.01, "noise ceiling", transform=ax.get_xaxis_transform(),
                    ha="right", va="bottom", color="0.4", fontsize=7)  # fmt: skip
        ax.set_title(label(outcome), loc="left")
        ax.set(xlabel="R², settings not seen", ylabel="", xlim=(0, 1))
    sns.move_legend(axes[0, -1], "center left", bbox_to_anchor=(1, 0.5), title=None)
    return fig


def early(settings: pd.DataFrame, found: pd.DataFrame) -> plt.Figure:
    """The last epoch against the first, one point for each setting."""
    use_style()
    pairs = found[found.kind == "spearman"]
    fig, axes = plt.subplots(1, len(pairs), figsize=(PAGE, 2.6), squeeze=False)
    names = list(dict.fromkeys(settings.topology))
    for ax, row in zip(axes[0], pairs.itertuples(), strict=True):
        sns.scatterplot(
            settings, x=row.metric, y=row.outcome, hue="topology", style="topology",
            hue_order=names, style_order=names, palette=sns.color_palette("husl", len(names)),
            s=16, linewidth=0, legend=ax is axes[0, 0], ax=ax,
        )  # fmt: skip
        name = label(row.outcome)
        ax.set(xlabel=f"{name}, epoch 1", ylabel=f"{name},\nlast epoch",
               title=f"Spearman {row.value:.2f} ({row.low:.2f} to {row.high:.2f})")  # fmt: skip
    move_legend(fig, axes[0, 0])
    return fig


def move_legend(fig: plt.Figure, ax: plt.Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    ax.get_legend().remove()
    fig.legend(handles, labels, loc="outside upper center", ncol=3)
