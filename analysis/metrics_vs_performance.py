"""Does structure predict how well a network trains? Statistics and figures of a study.

    python analysis/metrics_vs_performance.py runs/study.sqlite
    python analysis/metrics_vs_performance.py exported.csv --where "metric_skip_share > 0"

Works on the means of settings, so that seeds do not count as evidence of their own; the regression
works on runs and keeps the seeds of a setting together. Writes into --out, a PNG and a CSV each:

    metrics_vs_performance   settings and binned means of the main metrics against the outcomes
    correlations             every metric with every outcome, in four kinds
    matched                  the same among networks with equal p and equally many edges (a CSV)
    explained_variance       what structure predicts beyond p, on settings that were not seen
    early_vs_final           the first epoch against the last
    seed_noise               the noise floor (a CSV; analysis/seed_noise.py draws it)

and prints the conclusion.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import performance_figures as figures
from tables import label, read_runs, save, select, topologies, write

from smallworld_eqprop import InputError
from smallworld_eqprop.studies import (
    binned_means,
    correlations,
    early_against_final,
    explained_variance,
    noise_floor,
    setting_means,
)

# The log-spread of adjacent pairs: every network has them, and all of them change.
OUTCOMES = ("final_test_error", "final_log_spread_interlayer")
# L, C and sigma, of which the paper speaks.
SMALL_WORLD = (
    "metric_characteristic_path_length",
    "metric_average_clustering",
    "metric_small_world_sigma",
)
# What the panels show: the first six that the study has and that vary.
MAIN = (
    *SMALL_WORLD,
    "metric_input_output_path_length",
    "metric_bipartite_clustering",
    "metric_skip_share",
    "metric_hops_to_output",
    "metric_layer_modularity",
)
PANELS = 6
# No measures of structure, or the density once more.
NO_STRUCTURE = (
    "metric_n_nodes",
    "metric_n_edges",
    "metric_degree_mean",
    "metric_path_length_standard_error",
)
BINS = 6
FEWEST_MATCHED = 4


@dataclass(frozen=True)
class Findings:
    """All tables of a study."""

    settings: pd.DataFrame
    bins: pd.DataFrame
    correlations: pd.DataFrame
    matched: pd.DataFrame
    explained: pd.DataFrame
    early: pd.DataFrame
    noise: pd.DataFrame


def structure(runs: pd.DataFrame) -> list[str]:
    """Metrics to correlate: not the densities of pairs of layers, of which there are dozens."""
    return [
        name
        for name in runs.columns
        if name.startswith("metric_")
        and name not in NO_STRUCTURE
        and not name.startswith("metric_density_")
    ]


def matched_ranks(settings: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Ranks among the settings with the same p and number of edges, from -1/2 to 1/2.

    Alone, or nearly so, a setting has no rank: groups of fewer than four are left out.
    """
    if "metric_n_edges" not in settings:
        return pd.DataFrame(columns=columns, dtype=float)
    groups = settings.groupby(["p", "metric_n_edges"])
    settings = settings[groups["p"].transform("size") >= FEWEST_MATCHED]
    ranks = settings.groupby(["p", "metric_n_edges"])[columns].rank()
    sizes = settings.groupby(["p", "metric_n_edges"])["p"].transform("size")
    return (ranks - 1).div(sizes - 1, axis=0) - 0.5


def matched_correlations(
    settings: pd.DataFrame, metrics: list[str], outcomes: list[str], **options: int
) -> pd.DataFrame:
    """Correlations of the ranks among matched settings."""
    ranks = matched_ranks(settings, [*metrics, *outcomes])
    if len(ranks) < FEWEST_MATCHED:
        return pd.DataFrame()
    found = correlations(ranks, metrics, outcomes, controls=(), **options)
    found = found[found.kind == "pearson"].assign(kind="matched_spearman")
    return found.reset_index(drop=True)


def analyse(runs: pd.DataFrame, outcomes: list[str], seed: int, permutations: int) -> Findings:
    metrics = structure(runs)
    named = runs.assign(topology=topologies(runs))
    settings = setting_means(named)
    settings.insert(0, "topology", topologies(settings))
    shown = [m for m in MAIN if m in metrics and settings[m].nunique() > 1][:PANELS]
    bins = pd.concat(
        [
            binned_means(settings, metric, outcome, bins=BINS, edges="quantile")
            .rename(columns=lambda c, m=metric: c.replace(m, "x"))
            .assign(metric=metric)
            for outcome in outcomes
            for metric in shown
        ],
        ignore_index=True,
    )
    controls = ["p"] + ["metric_density"] * ("metric_density" in metrics)
    options = {"controls": controls, "seed": seed, "n_permutations": permutations}
    found = correlations(settings, ["p", *metrics], outcomes, **options)
    options = {"seed": seed, "n_permutations": permutations}
    matched = matched_correlations(settings, metrics, outcomes, **options)
    bases = [("p",)] + [("p", "topology")] * (named.topology.nunique() > 1)
    explained = pd.concat(
        [
            explained_variance(named, outcome, metrics, base=base, seed=seed)
            for outcome in outcomes
            for base in bases
        ],
        ignore_index=True,
    )
    explained = explained.drop_duplicates(["outcome", "model", "features"])
    early = pd.DataFrame()
    if (settings["epochs"] > 1).any():
        names = [o for o in outcomes if o.replace("final_", "epoch1_") in settings]
        part = settings[["epochs", *names, *(o.replace("final_", "epoch1_") for o in names)]]
        early = early_against_final(part, controls=(), seed=seed, n_permutations=permutations)
    return Findings(settings, bins, found, matched, explained, early, noise_floor(runs, outcomes))


def conclusion(runs: pd.DataFrame, f: Findings, outcomes: list[str]) -> str:
    lines = [f"{len(runs)} runs, {len(f.settings)} settings."]
    for outcome in outcomes:
        noise = f.noise.set_index("outcome").loc[outcome]
        lines += ["", f"{label(outcome)}"]
        if noise.n_settings:
            lines.append(
                f"  noise floor: seeds of one setting spread by {noise.within:.3g}; two single "
                f"runs that differ by less than {noise.difference:.3g} may differ by seed alone"
            )
        else:
            lines.append("  noise floor: unknown, no setting has two seeds")
        found = f.correlations[(f.correlations.outcome == outcome) & f.correlations.value.notna()]
        for kind, words in (
            ("spearman", "as they are"),
            ("partial_spearman", "with p and density held fixed"),
        ):
            ranked = found[(found.kind == kind) & (found.metric != "p")]
            ranked = ranked.loc[ranked.value.abs().sort_values(ascending=False).index]
            significant = int((ranked.q_value < 0.05).sum())
            lines.append(
                f"  rank correlations {words}: {significant} of {len(ranked)} metrics below a "
                "false discovery rate of 5 %; strongest:"
            )
            lines += [f"    {sentence(row)}" for row in ranked[:3].itertuples()]
        small_world = found[(found.kind == "spearman") & found.metric.isin(SMALL_WORLD)]
        lines.append("  L, C and sigma, of which the paper speaks, as they are:")
        lines += [f"    {sentence(row)}" for row in small_world.itertuples()]
        if len(f.matched):
            lines.append("  rank correlations among networks with equal p and equally many edges:")
            rows = f.matched[(f.matched.outcome == outcome) & f.matched.value.notna()]
            rows = rows.loc[rows.value.abs().sort_values(ascending=False).index]
            shown = rows.head(3).index.union(rows.index[rows.metric.isin(SMALL_WORLD)], sort=False)
            lines += [f"    {sentence(row)}" for row in rows.loc[shown].itertuples()]
        lines += explained_in_words(f.explained[f.explained.outcome == outcome])
        if len(f.early):
            early = f.early[(f.early.outcome == outcome) & (f.early.kind == "spearman")]
            lines += [f"  first epoch against last: {sentence(row)}" for row in early.itertuples()]
    return "\n".join(lines)


def sentence(row: tuple) -> str:
    return (
        f"{label(row.metric)}: {row.value:+.2f} (95 % {row.low:+.2f} to {row.high:+.2f}, "
        f"q = {row.q_value:.2g}, n = {row.n})"
    )


def explained_in_words(explained: pd.DataFrame) -> list[str]:
    lines = []
    ceiling = explained.ceiling.iloc[0]
    at_most = f" (at most {100 * ceiling:.0f} %, the rest is seed)" if ceiling == ceiling else ""
    # A model that predicts worse than the mean of all settings would not be used.
    scores = explained.groupby("features").r2.max().clip(lower=0)
    for features, rows in explained.groupby("features", sort=False):
        best = rows.loc[rows.r2.idxmax()]
        base, is_more, _ = features.rpartition(" + structure")
        gain = ""
        if is_more:
            gain = f", {100 * (scores[features] - scores[base]):+.0f} points beyond {base} alone"
        lines.append(
            f"  {features} predicts {100 * scores[features]:.0f} % of the variance in unseen "
            f"settings ({best.model}){gain}{at_most}"
        )
        at_most = ""
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="a store, or a CSV exported from one")
    parser.add_argument("--where", help="use the runs of which this is true, in terms of columns")
    parser.add_argument("--outcomes", nargs="+", default=[*OUTCOMES])
    parser.add_argument("--out", type=Path, default=Path("runs/analysis"), help="of the tables")
    parser.add_argument("--figures", type=Path, help="of the figures; by default beside the tables")
    parser.add_argument("--seed", type=int, default=0, help="of permutations, resamples and folds")
    parser.add_argument("--permutations", type=int, default=9999)
    options = parser.parse_args()
    try:
        runs = select(read_runs([options.source]), options.where)
        found = analyse(runs, options.outcomes, options.seed, options.permutations)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    print(conclusion(runs, found, options.outcomes), end="\n\n")
    tables = {
        "metrics_vs_performance": found.settings,
        "metrics_vs_performance_bins": found.bins,
        "correlations": found.correlations,
        "matched": found.matched,
        "explained_variance": found.explained,
        "early_vs_final": found.early,
        "seed_noise": found.noise,
    }
    for name, table in tables.items():
        if len(table):
            print(write(table, options.out / f"{name}.csv"))
    drawn = {
        "metrics_vs_performance": figures.panels(found.settings, found.bins, found.noise),
        "correlations": figures.heat_map(found.correlations),
        "explained_variance": figures.explained(found.explained),
    }
    if len(found.early):
        drawn["early_vs_final"] = figures.early(found.settings, found.early)
    for name, figure in drawn.items():
        print(save(figure, (options.figures or options.out) / f"{name}.png"))


if __name__ == "__main__":
    main()
