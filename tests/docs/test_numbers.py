"""The numbers in the prose are those of the tables under `results/`."""

from __future__ import annotations

import itertools
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"
STRUCTURE = RESULTS / "structure_vs_performance"


def page(name: str) -> str:
    """The words of a page, one space apart, so that it does not matter where its lines end."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def p_sweep(network: str) -> pd.DataFrame:
    runs = pd.read_csv(RESULTS / "figure5_runs.csv")
    return runs[runs.network == network]


@pytest.mark.parametrize("network", ["5x100", "3x500, intralayer edges"])
@pytest.mark.parametrize(
    ("label", "column", "scale", "digits"),
    [
        ("training error, %", "training_error", 100, 1),
        ("test error, %", "test_error", 100, 1),
        ("log-spread, adjacent pairs", "log_spread_interlayer", 1, 2),
        ("log-spread, all pairs", "log_spread", 1, 2),
    ],
)
def test_tables_of_the_p_sweep(network, label, column, scale, digits):
    by_p = scale * p_sweep(network).groupby("p")[column].agg(["mean", "std"])
    cells = [f"{mean:.{digits}f} ± {std:.{digits}f}" for mean, std in by_p.to_numpy()]
    assert f"| {label} | {' | '.join(cells)} |" in page("docs/p-sweep.md")


def test_the_published_p_sweep_is_compared_as_the_pages_say():
    published = pd.read_csv(RESULTS / "published_p_sweep_5x100.csv", comment="#")
    published = published[published.epoch == 1]
    ours = p_sweep("5x100").groupby("p").training_error.mean()
    difference = 100 * (np.interp(published.p, ours.index, ours) - published.training_error)
    small = published.p < 0.005
    low, high = difference[small], difference[~small]
    assert [len(low), sum(low > 0), len(high), sum(abs(high) <= 4)] == [14, 12, 9, 8]
    assert [round(low.min()), round(low.max()), round(low.mean())] == [-6, 8, 2]
    assert round(high.min()) == -8
    assert round(published.p[difference.idxmin()], 4) == 0.0062
    assert int(100 * published.training_error[small].diff().abs().max()) == 11
    text = page("docs/p-sweep.md")
    assert "From p = 0.005 on the two agree within 4 points at 8 of 9 values" in text
    assert "ours is 8 points lower at the other one (p = 0.0062)" in text
    assert "higher at 12 of 14 values and lower at 2: from 6 points lower to 8 points" in text
    assert "2 points higher on average" in text
    assert "differ by up to 11 points" in text
    for name in ("README.md", "docs/reproduction.md"):
        assert "within 4 points at 8 of 9 values of p" in page(name)
        assert "higher at 12 of 14 values, by 2 points on average" in page(name)


def test_learning_curves_of_the_reproduction():
    figure3, networks = import_module("figure3"), import_module("networks")
    ours = pd.read_csv(RESULTS / "learning_curves.csv")
    long = ours.groupby("network").epoch.transform("max") >= 100
    text = page("docs/reproduction.md")
    beside = figure3.beside_published(ours[long], networks.published_curves())
    assert len(beside) == 7 * 4 + 9
    spreads = import_module("figure4").spreads(ours, ours.network[long].unique())
    assert len(spreads) == 2 * 5
    for table in (beside, spreads):
        for row in table.drop(columns=["network", "seeds"]).itertuples(index=False):
            assert f"| {' | '.join(map(str, row))} |" in text


def test_the_reproduction_figure_by_figure():
    mean_and_range = import_module("networks").mean_and_range
    curves = pd.read_csv(RESULTS / "learning_curves.csv")
    end = curves[curves.epoch == 100].groupby("network")
    text = page("docs/reproduction.md")
    for _, seeds in end:
        errors = [mean_and_range(100 * seeds[f"{kind}_error"]) for kind in ("training", "test")]
        assert f"{errors[0]} training, {errors[1]} test" in text
    ours = curves[curves.network == "layered-3x500"]
    ours = ours.pivot(index="epoch", columns="seed", values="training_error").loc[30:, [0, 1, 2]]
    published = pd.read_csv(RESULTS / "published_learning_curves.csv", comment="#")
    published = published[published.network == "layered_global_rate"].set_index("epoch")
    above = ours.sub(published.training_error, axis=0).dropna()
    assert (100 * above.loc[30]).round(1).to_list() == [0.3, 0.6, 0.6]
    assert (100 * above.loc[100]).round(1).to_list() == [0.5, 0.5, 0.7]
    assert [round(100 * each, 1) for each in (above.min().min(), above.max().max())] == [0.1, 0.9]
    between = 100 * (ours.max(axis=1) - ours.min(axis=1))
    assert (round(between.mean(), 1), round(between.max(), 1)) == (0.2, 0.4)
    more = 100 * above.div(published.training_error, axis=0).dropna()
    assert (round(more.min().min()), round(more.max().max())) == (5, 40)
    assert "larger by 5 to 40 % of the published one" in text
    assert "by 0.2 points on average in these epochs, and by at most 0.4" in text


def test_factors_between_corrections_of_adjacent_layers():
    corrections = pd.read_csv(RESULTS / "corrections.csv")
    first = corrections[(corrections.kind == "interlayer") & (corrections.epoch == 1)]
    means = first.groupby(["network", "seed", "pair"]).rms.mean().groupby(["network", "seed"])
    factors = (means.max() / means.min()).groupby("network").agg(["min", "max"])
    text = page("docs/reproduction.md")
    for network in ("layered-3x500", "rewired-3x500", "layered-5x100", "rewired-5x100"):
        assert "{min:.0f} to {max:.0f}".format(**factors.loc[network]) in text
    assert (
        "a factor of {min:.1f} to {max:.1f}".format(**factors.loc["layered-3x500-per-layer"])
        in text
    )


STRUCTURES = {
    "input to output path length": "input_output_path_length",
    "hops to output": "hops_to_output",
    "share of skips": "skip_share",
    "characteristic path length L": "characteristic_path_length",
    "average clustering C": "average_clustering",
    "sigma": "small_world_sigma",
}


def test_correlations_of_structure():
    table = pd.concat(
        pd.read_csv(STRUCTURE / f"{name}.csv") for name in ("correlations", "matched")
    ).set_index(["metric", "outcome", "kind"])

    def cell(metric: str, kind: str, outcome: str = "final_test_error") -> str:
        found = table.loc[(f"metric_{metric}", outcome, kind)]
        value = f"{found.value:+.2f}"
        bold = f"**{value}**" if found.q_value < 0.05 else value
        return f"{bold} ({found.low:.2f} to {found.high:.2f})"

    text = page("docs/structure-vs-performance.md")
    for label, metric in STRUCTURES.items():
        kinds = ("spearman", "partial_spearman", "matched_spearman")
        assert f"| {label} | {' | '.join(cell(metric, kind) for kind in kinds)} |" in text
    for kind in ("spearman", "partial_spearman"):
        found = cell("input_output_path_length", kind, "final_log_spread_interlayer")
        assert found.replace("*", "") in text
    main = table.value[("metric_input_output_path_length", "final_test_error", "spearman")]
    assert f"(Spearman {main:.2f})" in page("README.md")


def test_variance_that_structure_explains():
    table = pd.read_csv(STRUCTURE / "explained_variance.csv")
    text = page("docs/structure-vs-performance.md")
    gains: list[float] = []
    features = ("p", "structure", "p + structure", "p + topology", "p + topology + structure")
    for label, outcome in (
        ("test error", "final_test_error"),
        ("log-spread", "final_log_spread_interlayer"),
    ):
        found = table[table.outcome == outcome]
        best = found.groupby("features").r2.max()
        shares = [*best[list(features)], found.ceiling.iloc[0]]
        assert (
            f"| {label} | {' | '.join(f'{share:.0%}' for share in shares)} |".replace("%", " %")
            in text
        )
        gains += [best["p + structure"] - best["p"]]
        gains += [best["p + topology + structure"] - best["p + topology"]]
    assert [round(100 * gain) for gain in gains] == [81, 32, 62, 23]
    assert "81 more points of the variance in test error and 62 more points" in text
    assert "and the name of the family, 32 and 23 more points" in text


def test_noise_of_the_seeds():
    table = pd.read_csv(STRUCTURE / "seed_noise.csv").set_index("outcome")
    text = page("docs/structure-vs-performance.md")
    error, spread = table.loc["final_test_error"], table.loc["final_log_spread_interlayer"]
    assert f"is {error.within:.3f} in test error" in text
    assert f"(95 % interval {error.within_low:.3f} to {error.within_high:.3f})" in text
    assert f"{spread.within:.3f} in log-spread" in text
    assert f"less than {error.difference:.2f} between two single runs" in text
    assert f"explains {100 * error.icc:.0f} % of the variance" in text


def test_learning_curves_of_the_readme():
    curves = pd.read_csv(RESULTS / "learning_curves.csv").set_index(["network", "epoch"])

    def error(network: str, epoch: int, digits: int, kind: str = "training") -> str:
        return f"{100 * curves.loc[(network, epoch), f'{kind}_error'].mean():.{digits}f} %"

    text = page("README.md")
    one_rate = error("layered-3x500", 100, 1)
    assert f"After 100 epochs our training error is {one_rate} with one rate" in text
    assert f"{error('layered-3x500-per-layer', 100, 1)} with a rate per layer" in text
    assert f"{error('rewired-3x500', 100, 1)} rewired (p = 7.56 %, with edges" in text
    drawn = pd.read_csv(RESULTS / "published_seed.csv").set_index(["network", "epoch"])
    rewired = drawn.training_error[("rewired_p0.10_no_intralayer", 100)]
    assert f"purple (one seed, {100 * rewired:.1f} % after 100 epochs)" in text
    assert f"ends at {error('rewired-3x500', 180, 3)}" in text
    assert f"a test error of {error('rewired-3x500', 180, 1, 'test')} after 180" in text


NOT_SETTINGS = ("final_", "epoch1_", "metric_", "key", "name", "summary", "seed")


def test_errors_of_weak_feedback_in_the_readme():
    """Each of them is the mean over the seeds of one setting."""
    means = set()
    for path in (RESULTS / "weak_feedback").glob("weak_feedback_*.csv"):
        runs = pd.read_csv(path)
        if "final_test_error" in runs:
            settings = [name for name in runs if not name.startswith(NOT_SETTINGS)]
            found = runs.groupby(settings, dropna=False).final_test_error.mean()
            means |= {f"{100 * error:.2f}" for error in found}
    text = page("README.md").partition("## A lower error")[2].partition("## Train a network")[0]
    claimed = re.findall(r"(\d+\.\d\d) %", text)
    assert len(claimed) >= 5
    assert set(claimed) <= means


@pytest.mark.parametrize(
    "rule", ["centred", "one-sided", "random-sign", "contrastive", "coupled", "adjoint"]
)
def test_errors_of_the_learning_rules(rule):
    table = pd.read_csv(RESULTS / "rules.csv")
    errors = table[table.rule == rule].groupby(["network", "p"]).test_error
    cells = [
        f"{mean:.2f} ({low:.2f} to {high:.2f})"
        for network in ("3x500", "10x64")
        for mean, low, high in errors.agg(["mean", "min", "max"]).loc[network].to_numpy()
    ]
    assert re.search(
        rf"\| `{rule}`[^|]* \| {re.escape(' | '.join(cells))} \|", page("docs/rules.md")
    )


GRAPHS = {
    "layered": "layered 196-26-24-10",
    "rewire": "the same, rewired, p = 0.1",
    "thin": "layered 196-350-350-10, thinned",
    "zephyr": "Zephyr, size 6, shore 3",
    "pegasus": "Pegasus, size 7",
    "chimera": "Chimera, 16 x 16",
    "king": "king's graph, 40 x 40",
}


def spread(errors: pd.Series) -> str:
    """Mean, lowest and highest error in %, as in tables."""
    low, high = errors.min(), errors.max()
    return f"{100 * errors.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


@pytest.mark.parametrize("family", GRAPHS)
def test_errors_on_the_graphs_of_chips(family):
    runs = pd.read_csv(RESULTS / "hardware_graphs" / "runs.csv")
    rows = {row[0]: row for row in table_after("docs/hardware.md", "## Graphs of chips")}
    for model, cell in zip(("weak-feedback", "hopfield"), rows[GRAPHS[family]][-2:], strict=True):
        errors = runs[(runs.family == family) & (runs.model == model)].final_test_error
        assert len(errors) == 3
        assert cell == spread(errors)


def test_errors_against_the_length_of_wires():
    runs = pd.read_csv(RESULTS / "wiring" / "runs.csv")
    text = page("docs/hardware.md")
    for places, p in (("output", 0.01), ("output", 0.1), ("skip", 0.1), ("hub", 0.1)):
        errors = runs[(runs.places == places) & (runs.p == p)].final_test_error
        assert f"| {spread(errors)} |" in text, (places, p)


def as_shown(cell: str, values: pd.Series) -> None:
    """A cell has mean and perhaps lowest and highest of some values, with as many decimals."""
    found = re.fullmatch(r"(-?[\d.]+)(?: \((-?[\d.]+) to (-?[\d.]+)\))?", cell.strip())
    assert found is not None, cell
    assert len(values) == 3
    for shown, value in zip(
        found.groups(), (values.mean(), values.min(), values.max()), strict=True
    ):
        if shown is not None:
            last_digit = 10 ** -len(shown.partition(".")[2])
            assert float(shown) == pytest.approx(value, rel=0, abs=0.5001 * last_digit), cell


def table_after(name: str, words: str) -> list[list[str]]:
    """Rows of the first table of a page after some words, without its head."""
    text = (ROOT / name).read_text()
    lines = text[text.index(words) :].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("|")) + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in rows]


def test_errors_against_bits_of_a_reading():
    levels = pd.read_csv(RESULTS / "hardware_bits" / "levels.csv")
    needed = pd.read_csv(RESULTS / "hardware_bits" / "bits_needed.csv")
    needed = needed[needed.factor == "read bits"].set_index(["recipe", "p"]).needed
    recipes = {
        "rewired, p = 0.1, one gain": ("one gain", 0.1),
        "rewired, p = 0.3, one gain": ("one gain", 0.3),
        "rewired, p = 0.03, one gain": ("one gain", 0.03),
        "rewired, weak feedback by hops, a gain per hop": ("hops, gains per hop", 0.1),
        "layered, weak feedback by layers, a gain per layer": ("layers, gains per layer", 0),
        "rewired, Adam": ("Adam", 0.1),
        "rewired, hops, Adam": ("hops, Adam", 0.1),
        "layered, weak feedback by layers, Adam": ("layers, Adam", 0),
        "layered, feedback 1, one gain": ("one gain", 0),
        "layered, weak feedback 0.3 by layers, one gain": ("layers, one gain", 0),
    }
    rows = table_after("docs/hardware.md", "The table shows the test error in %")
    assert {row[0] for row in rows} == set(recipes)
    for name, _memories, ideal, *cells, bits in rows:
        recipe, p = recipes[name]
        own = levels[(levels.recipe == recipe) & (levels.p == p)]
        as_shown(ideal, own[own.factor == "ideal"].error)
        for level, cell in zip((4, 6, 8, 12, 16), cells, strict=True):
            if cell:
                as_shown(cell, own[(own.factor == "read bits") & (own.level == level)].error)
        assert bits == needed.get((recipe, p), ""), name


def test_errors_against_bits_at_other_depths():
    folders = [RESULTS / name for name in ("hardware_depths", "hardware_knees")]
    levels = pd.concat(pd.read_csv(folder / "levels.csv") for folder in folders)
    needed = pd.concat(pd.read_csv(folder / "bits_needed.csv") for folder in folders)
    needed = needed.set_index(["recipe", "p"]).needed
    sizes = {"3 x 100": "3 layers", "10 x 100": "10 layers", "3 x 500": "3 x 500"}
    recipes = {
        "rewired, p = 0.1, one gain": ("one gain", 0.1),
        "rewired, weak feedback by hops, a gain per hop": ("hops, gains per hop", 0.1),
        "layered, weak feedback by layers, a gain per layer": ("layers, gains per layer", 0),
    }
    rows = table_after("docs/hardware.md", "**Other depths and sizes.**")
    assert len(rows) == 9
    for size, name, ideal, *cells, bits in rows:
        recipe, p = f"{recipes[name][0]}, {sizes[size]}", recipes[name][1]
        own = levels[(levels.recipe == recipe) & (levels.p == p)]
        as_shown(ideal, own[own.factor == "ideal"].error)
        for level, cell in zip((4, 6, 8, 10, 12), cells, strict=True):
            if cell:
                as_shown(cell, own[own.level == level].error)
        assert bits.startswith(needed[recipe, p]), name


def test_errors_with_one_gain():
    tables = (RESULTS / name / "levels.csv" for name in ("hardware_bits", "hardware_depths"))
    levels = pd.concat(map(pd.read_csv, tables))
    ideal = levels[levels.factor == "ideal"]
    for depth, *cells in table_after(
        "docs/hardware.md", "**With one gain for all connections**, as"
    ):
        of_depth = "" if depth == "5" else f", {depth} layers"
        for recipe, p, cell in zip(
            ("one gain", "layers, one gain", "one gain"), (0, 0, 0.1), cells, strict=True
        ):
            own = ideal[(ideal.recipe == recipe + of_depth) & (ideal.p == p)]
            as_shown(cell, own.error)


def test_points_lost_by_other_devices():
    levels = pd.read_csv(RESULTS / "hardware_bits" / "levels.csv")
    rows = table_after("docs/hardware.md", "The next table is for other devices.")
    devices = (
        ("step bits", (12, 10, 8)),
        ("step bits, stochastic", (10, 8, 6)),
        ("weight bits", (6, 4, 3)),
        ("read noise", (0.003, 0.01, 0.03)),
        ("mismatch", (0.03, 0.1, 0.3)),
        ("drift", (0.01, 0.03, 0.1, 0.3)),
    )
    for (_, layered, rewired), (factor, tested) in zip(rows, devices, strict=True):
        for cells, recipe, p in (
            (layered, "layers, gains per layer", 0), (rewired, "one gain", 0.1)
        ):  # fmt: skip
            own = levels[(levels.recipe == recipe) & (levels.p == p) & (levels.factor == factor)]
            for level, cell in zip(tested, cells.split(", "), strict=True):
                as_shown(cell, own[own.level == level].lost)


def test_points_lost_by_share_of_skips():
    levels = pd.read_csv(RESULTS / "hardware_bits" / "levels.csv")
    levels = levels[levels.recipe == "one gain"]
    rows = table_after("docs/hardware.md", "**With one gain, more skips also")
    devices = (
        ("weight bits", (6, 4)),
        ("read noise", (0.003, 0.01, 0.03)),
        ("mismatch", (0.03, 0.1, 0.3)),
        ("drift", (0.01, 0.03, 0.1)),
    )
    for (_, *cells), (factor, tested) in zip(rows, devices, strict=True):
        for p, shown in zip((0, 0.03, 0.1, 0.3), cells, strict=True):
            own = levels[(levels.p == p) & (levels.factor == factor)]
            for level, cell in zip(tested, shown.split(", "), strict=True):
                as_shown(cell, own[own.level == level].lost)


def test_the_error_of_the_resistive_network():
    (error,) = pd.read_csv(RESULTS / "resistive" / "runs.csv").final_test_error
    assert f"the test error is **{100 * error:.2f} %**" in page("docs/resistive.md")


def test_errors_of_deep_resistive_networks():
    runs = pd.read_csv(RESULTS / "resistive_deep" / "runs.csv")
    columns = ["epoch1_training_error", "final_training_error", "final_test_error"]
    rows = table_after("docs/resistive.md", "| 1568-200-200-200-10")
    for (_, *cells), errors in zip(rows, 100 * runs[columns].to_numpy(), strict=True):
        assert [float(cell) for cell in cells] == pytest.approx(errors, abs=0.051)


def interval(row: pd.Series) -> str:
    """A value with its interval, as in prose."""
    return f"{row.value:.2f} ({row.low:.2f} to {row.high:.2f})"


def in_brackets(row: pd.Series) -> str:
    """The same where prose has brackets around both."""
    return f"{row.value:.2f}, {row.low:.2f} to {row.high:.2f}"


def test_hypotheses_of_the_large_study():
    found = pd.read_csv(RESULTS / "large_study" / "hypotheses.csv")
    rows = table_after("docs/large-study.md", "## The hypotheses")
    found = found.fillna({"held": ""}).sort_values("hypothesis", kind="stable")
    kinds = found.groupby(["hypothesis", "metric", "outcome", "held"], sort=False)
    for (name, says, *halves, verdict), (kind, own) in zip(rows, kinds, strict=True):
        assert name == kind[0]
        assert [interval(row) for _, row in own.iterrows()] == [each for each in halves if each]
        assert f"{own.side.iloc[0]} {own.bound.iloc[0]:g}" in says
        both = set(own.verdict)
        assert verdict.strip("*").split(":")[0] == (both.pop() if len(both) == 1 else "open")


def test_correlations_of_the_large_study():
    ranks = pd.read_csv(RESULTS / "large_study" / "ranks.csv")
    ranks = ranks[ranks.settings == "all"]
    hops, length = "metric_input_output_path_length", "metric_characteristic_path_length"
    found = ranks.set_index(["metric", "recipe", "half", "outcome", "kind"]).sort_index()
    text = page("docs/large-study.md")

    def last(metric: str, half: str, kind: str = "spearman") -> pd.Series:
        return found.loc[metric, "paper", half, "error_last", kind]

    def pair(metric: str, kind: str = "spearman") -> tuple[str, str]:
        one, other = (interval(last(metric, half, kind)) for half in ("explore", "confirm"))
        return one, other

    def bare(metric: str) -> str:
        """Both halves in one pair of brackets, as in the answer."""
        rows = (last(metric, half) for half in ("explore", "confirm"))
        return "; ".join(in_brackets(r) for r in rows)

    one, other = last(length, "explore"), last(length, "confirm")
    assert f"ranks {one.n:g} settings that explore and {other.n:g} that confirm" in text
    assert bare(length) in text.replace("Spearman ", "").replace("95 %: ", "")
    assert f"({bare(hops)})" in text
    weighted = ("weighted_input_output_path_length", "largest_edge_betweenness")
    for name in weighted:
        assert f"({bare(f'metric_before_coupling_{name}')})" in text
    assert f"Spearman {one.value:.2f} and {other.value:.2f}" in page("README.md")
    one, other = last(hops, "explore"), last(hops, "confirm")
    assert (
        f"between {one.null_low:.2f} and {one.null_high:.2f} in the exploring half and "
        f"between {other.null_low:.2f} and {other.null_high:.2f} in the confirming one"
    ) in text
    for name, recipe in ((length, "paper"), ("metric_transitivity", "weak-feedback")):
        halves = [
            found.loc[name, recipe, half, "error_last", "spearman"]
            for half in ("explore", "confirm")
        ]
        assert (
            " and ".join(f"between {r.null_low:.2f} and {r.null_high:.2f}" for r in halves) in text
        )
        assert all(r.value > r.null_high for r in halves)
    held = "partial_spearman"
    assert "hops still have {} and {}".format(*pair(hops, held)) in text
    assert "keeps {} and {}".format(*pair(length, held)) in text
    assert "{} and {}".format(*pair("metric_input_output_resistance", held)) in text
    # No other measure does better in both halves, as it is or with edges and skips held fixed.
    weighted, plain = (
        found.loc[metric, "paper-long", "explore", "error_last", "spearman"]
        for metric in ("metric_coupling_weighted_input_output_path_length", hops)
    )
    told = (in_brackets(r) for r in (weighted, plain))
    assert "({}; hops {})".format(*told) in text
    kinds = ranks[(ranks.recipe == "paper") & (ranks.outcome == "error_last")]
    assert f"among {kinds[kinds.half == 'explore'].metric.nunique()} measures" in text
    for kind in ("spearman", held):
        wide = kinds[kinds.kind == kind].pivot(index="metric", columns="half", values="value")
        assert wide.abs().min(axis=1, skipna=False).idxmax() == length
    for half in ("explore", "confirm"):
        for outcome in ("error_1", "error_last"):
            assert interval(found.loc[hops, "weak-feedback", half, outcome, "spearman"]) in text
        weak = found.loc["metric_transitivity", "weak-feedback", half, "error_last"]
        row = weak.loc["spearman"]
        assert in_brackets(row) in text
        assert f"{row.value:.2f}" in page("README.md")
        assert interval(weak.loc[held]) in text
        for name in ("attractors", "attractors_several", "condition"):
            row = last(f"metric_{name}", half)
            assert row.low < 0 < row.high
        row = last("metric_cosine", half, held)
        assert row.low < 0 < row.high
    lasting = pd.read_csv(RESULTS / "large_study" / "lasting.csv").set_index(["recipe", "metric"])
    assert interval(lasting.loc["paper", "log_spread_1"]) in text
    assert interval(lasting.loc["weak-feedback", "error_1"]) in text


def test_predictions_of_the_large_study():
    found = pd.read_csv(RESULTS / "large_study" / "predictions.csv")
    found = found[(found.recipe == "paper") & (found.model == "forest")].set_index("features")
    bare, hops, every = (
        f"{100 * found.r2[name]:.0f} %"
        for name in ("edges and skips", "with hops", "with all measures")
    )
    text = page("docs/large-study.md")
    assert f"a random forest predicts {bare} of the variance" in text
    assert f"the share of skips, {hops} with hops, and {every} with all measures" in text
    assert f"Seeds leave {100 * found.ceiling.iloc[0]:.0f} %" in text


def test_errors_of_the_large_study():
    settings = pd.read_csv(RESULTS / "large_study" / "settings.csv")
    errors = settings.set_index(["recipe", "setting"]).error_last
    text = page("docs/large-study.md")
    names = ("layered", "rewired-p0.01", "rewired-p0.1", "rewired-p0.6")
    layered, few, some, many = (round(errors["paper", each]) for each in names)
    assert (
        f"the layered network has {layered} %, 1 % of the edges rewired {few} %, "
        f"10 % {some} %, 60 % {many} %, and a random graph without layers "
        f"{errors['paper', 'no-layers']:.0f} %"
    ) in text
    weak, paper = errors["weak-feedback"], errors["paper"]
    assert (len(weak), len(paper)) == (61, 61)
    triangles = settings[settings.recipe == "weak-feedback"].set_index("setting")
    triangles = triangles.metric_transitivity
    designed = import_module("large_study").settings()
    chips = [each.name for each in designed if each.pool > 1]
    for told, kind in {
        "(31 settings) end between {} and {} %": [
            each.name for each in designed if each.layers and not each.inside
        ],
        "(17 settings): {} to {} %": [each.name for each in designed if each.inside],
        "(10 settings, feedback by hops): {} to {} %": [
            each.name for each in designed if not each.layers and each.name not in chips
        ],
    }.items():
        own = weak[kind]
        by_triangles = triangles[kind].corr(own, method="spearman")
        assert f"({by_triangles:.2f})" in text
        assert f"({len(own)} settings" in told
        assert told.format(f"{own.min():.1f}", f"{own.max():.1f}") in text
    told = "Zephyr {zephyr:.0f} %, Pegasus {pegasus:.0f} %, the king's graph {king:.0f} %"
    assert told.format(**weak[chips]) in text
    others = weak.drop(chips)
    assert len(others) == 58
    between = f"between {others.min():.1f} and {others.max():.1f} %"
    assert between in text
    assert between in page("README.md")
    assert f"from {paper.min():.0f} to {paper.max():.0f} %" in page("README.md")
    spread = pd.read_csv(RESULTS / "large_study" / "recipes.csv").set_index(["recipe", "outcome"])
    own = spread.loc["paper", "error_last"]
    assert (
        f"over all 61 settings is {own.between_settings:.0f} points, "
        f"that between seeds {own.between_seeds:.0f}"
    ) in text
    assert f"end at {paper['to-hub-p0.1']:.0f} %" in text
    among = [paper[f"to-hidden-p{p}"] for p in ("0.1", "0.03", "0.01")]
    assert f"end at {min(among):.0f} to {max(among):.0f} %" in text
    adam, exact = errors["adam"], errors["adjoint"]
    assert (len(adam), len(exact)) == (12, 12)
    assert f"twelve settings end between {exact.min():.0f} and {exact.max():.0f} % by the" in text
    assert f"between {adam.min():.0f} and {adam.max():.0f} % by Adam" in text
    by_both = [f"{adam[each]:.0f} %" for each in names], [f"{paper[each]:.0f} %" for each in names]
    for one, other in zip(*by_both, strict=True):
        assert re.search(rf"{one} \([^;]*; {other}", text)
    layered, few, some, many = (f"{exact[each]:.0f} %" for each in names)
    assert f"at all ({layered} for every seed)" in text
    assert f"ends at {few} (p = 0.01), {some} (p = 0.1), {many} (p = 0.6)" in text
    only = errors["readout-only"]
    assert len(only) == 11
    assert f"between {only.min():.0f} and {only.max():.0f} %, the network with p = 0.1 at " in text
    assert f"p = 0.1 at {only['rewired-p0.1']:.0f} %" in text
    chips = [f"{paper[each]:.0f}" for each in ("pegasus", "zephyr", "king")]
    assert "Pegasus and Zephyr end at {} and {} %".format(*chips) in text
    assert f"from the outputs, at {chips[2]} %" in text
    own = settings[settings.recipe == "paper"].set_index("setting")
    worst = (own.test_error - own.error_last).idxmax()
    assert worst == "cliques-p0.03"
    assert f"up to {own.test_error[worst] - own.error_last[worst]:.0f} points" in text


def test_whether_the_advantage_lasts():
    settings = pd.read_csv(RESULTS / "large_study" / "settings.csv")
    own = settings[settings.recipe == "paper-long"].set_index("setting")
    assert len(own) == 12
    text = page("docs/large-study.md")
    layered, lattice, few, some, many, without = (
        f"{own.error_last[each]:.{digits}f}"
        for each, digits in (
            *(("layered", 0), ("hidden-lattice", 0), ("rewired-p0.01", 0), ("rewired-p0.1", 0)),
            *(("rewired-p0.6", 1), ("no-layers", 1)),
        )
    )
    assert (
        f"the layered network has {layered} %, a ring lattice without layers {lattice} %, "
        f"1 % of the edges rewired {few} %, 10 % {some} %, 60 % {many} %, "
        f"and a random graph without layers {without} %"
    ) in text
    seeds = own.seeds_error_last.dropna()
    assert list(seeds.index) == ["layered", *(f"rewired-p{p}" for p in (0.01, 0.1, 0.6))]
    assert "deviations are {:.1f}, {:.1f}, {:.1f} and {:.1f} points".format(*seeds) in text
    told = f"range from {own.error_last.min():.1f} to {own.error_last.max():.0f} %"
    assert told in text
    assert told in page("README.md")
    assert f"falls by more than {100 * own.fall.max():.0f} % of itself" in text
    curves = pd.read_csv(RESULTS / "learning_curves.csv")
    tests = 100 * curves[curves.epoch == 100].groupby("network").test_error.mean()
    five = f"{tests['layered-5x100']:.1f} % (layered) and {tests['rewired-5x100']:.1f} % (rewired)"
    three = f"3 x 500 of {tests['layered-3x500']:.1f} and {tests['rewired-3x500']:.1f} %"
    assert f"test errors of {five}, those of {three}" in text
    lasting = pd.read_csv(RESULTS / "large_study" / "lasting.csv").set_index(["recipe", "metric"])
    for outcome in ("error_10", "error_1"):
        row = lasting.loc["paper-long", outcome]
        assert in_brackets(row) in text


def test_agreement_of_recipes_in_the_large_study():
    found = pd.read_csv(RESULTS / "large_study" / "agreement.csv")
    weak = [found[column].str.startswith("weak-feedback") for column in ("recipe", "other")]
    text = page("docs/large-study.md")
    alike = found[~weak[0] & ~weak[1]].value
    assert f"feedback do**, {alike.min():.2f} to {alike.max():.2f}:" in text
    assert f"agree ({alike.min():.2f} to {alike.max():.2f})" in text
    weak = found[weak[0]].set_index(["recipe", "other"]).loc["weak-feedback"]
    paper, fashion = weak.loc["paper"], weak.loc["weak-feedback-fashion"]
    assert f"{interval(paper)} with the paper's recipe, over {paper.n:.0f} settings" in text
    assert f"({in_brackets(paper)})" in text
    assert f"both data sets alike: {interval(fashion)}" in text


def test_other_data_and_steps_in_the_large_study():
    settings = pd.read_csv(RESULTS / "large_study" / "settings.csv")
    errors = settings.set_index(["recipe", "setting"]).error_last
    text = page("docs/large-study.md")
    paper, weak = errors["paper-fashion"], errors["weak-feedback-fashion"]
    assert (len(paper), len(weak)) == (12, 12)
    assert (
        f"end between {paper.min():.0f} and {paper.max():.0f} % by the paper's recipe, and "
        f"between {weak.min():.0f} and {weak.max():.0f} % by weak feedback"
    ) in text
    pair = ["layered", "rewired-p0.1"]
    by_paper, by_weak = ([each[name] for name in pair] for each in (paper, weak))
    assert (
        "(p = 0.1) with {:.0f} and {:.0f} %, and with {:.1f} and {:.1f} %".format(
            *by_paper, *by_weak
        )
    ) in text
    runs = pd.read_csv(
        RESULTS / "large_study" / "runs.csv", usecols=["name", "seed", "final_validation_error"]
    )
    runs[["setting", "recipe"]] = runs.name.str.split("--", expand=True)
    first = 100 * runs[runs.seed == 0].set_index(["recipe", "setting"]).final_validation_error
    changes = (first["noisy-readings"] - first["paper"]).dropna().abs()
    assert len(changes) == 12
    assert f"changes no error by more than {changes.max():.1f} points (a lattice)" in text
    assert changes.idxmax() == "hidden-lattice"
    assert f"the other eleven by at most {changes.drop('hidden-lattice').max():.1f}" in text
    lost = (errors["six-bit-steps"] - errors["paper"]).dropna()
    assert f"bits cost {lost.min():.0f} to {lost.max():.0f} points" in text
    hops = settings[settings.recipe == "paper"].set_index("setting")
    near = lost[hops.metric_input_output_path_length[lost.index].round(1) <= 2]
    assert f"hops lose {near.min():.0f} to {near.max():.0f} points" in text
    assert f"the layered one {lost['layered']:.0f} and that with" in text
    assert f"edges rewired {lost['rewired-p0.01']:.0f}." in text


def todays_means() -> pd.DataFrame:
    """Runs with weak feedback and Adam; the study has other recipes, too."""
    names = ["layer_sizes", "p", "model", "optimiser", "final_test_error"]
    names.append("epoch1_log_spread_interlayer")
    runs = pd.read_csv(RESULTS / "todays_means" / "runs.csv", usecols=names)
    return runs[(runs.model == "weak-feedback") & (runs.optimiser == "adam")]


def test_errors_by_depth_under_todays_means():
    runs = todays_means()
    hidden = runs.layer_sizes.str.count(",") - 1
    text = page("docs/todays-means.md")
    for depth, part in runs.groupby(hidden):
        cells = []
        for p in (0, 0.03, 0.1, 0.3):
            errors = 100 * part[part.p == p].final_test_error
            assert len(errors) in (0, 3)
            low, high = errors.min(), errors.max()
            cells.append(f"{errors.mean():.2f} ({low:.2f} to {high:.2f})" if len(errors) else "")
        row = " | ".join([str(depth), *cells]).replace("|  |", "| |")
        assert f"| {row.strip()} |" in text, depth


def test_errors_by_depth_and_recipe():
    points = import_module("todays_means").settings(
        pd.read_csv(RESULTS / "todays_means" / "runs.csv", low_memory=False)
    )
    points = points.set_index(["model", "optimiser", "hidden", "p"])
    assert (points.seeds == 3).all()
    rows = table_after("docs/todays-means.md", "| hidden layers | weak feedback, descent")
    assert [row[0] for row in rows] == ["3", "5", "10", "20"]
    for hidden, *cells in rows:
        found = [
            points.loc[model, "sgd", int(hidden), p]
            for model in ("weak-feedback", "hopfield")
            for p in (0.0, 0.1)
        ]
        assert cells == [f"{each.error:.2f} ({each.low:.2f} to {each.high:.2f})" for each in found]


def test_connectomes_on_other_tasks():
    found = pd.read_csv(RESULTS / "connectome_tasks" / "tests.csv")
    names = {"fly": "fly", "brain": "cortex"}
    third = {"fly": "layer_blocks_with_strengths", "brain": "geometry_preserving"}
    rows = table_after("docs/connectomes.md", "| connectome | recipe |")
    groups = found.groupby(["connectome", "recipe", "task"], sort=False)
    for row, (about, own) in zip(rows, groups, strict=True):
        assert row[:4] == [names[about[0]], *about[1:], f"{own.error.iloc[0]:.1f}"]
        by_null = own.set_index("null")
        for cell, null in zip(row[4:], ("degree_preserving", third[about[0]]), strict=True):
            if null in by_null.index:
                one = by_null.loc[null]
                effect = f"{one.effect:+.1f} ({one.low:.1f} to {one.high:.1f})"
                assert cell == f"{one.nulls:.1f}: {effect}"
            else:
                assert not cell
    cortex = found[found.connectome == "brain"]
    least, most = f"{cortex.effect.min():.1f}", f"{cortex.effect.max():.0f}"
    text = page("docs/large-study.md")
    assert f"by {least} to {most} of their standard deviations" in text
    fly = found[found.connectome == "fly"]
    assert (len(fly), (fly.effect.abs() > 2).sum()) == (12, 1)
    assert "mushroom body, with one of twelve effects beyond 2" in text
    layers = fly[fly.null == third["fly"]].effect
    told = f"none of six effects is beyond {layers.abs().max():.1f} standard deviations"
    assert told in page("docs/connectomes.md")


def test_the_papers_figures_under_todays_means():
    folder = RESULTS / "todays_curves"
    runs = pd.read_csv(folder / "runs.csv", usecols=["key", "layer_sizes", "p", "seed"])
    history = pd.read_csv(folder / "history.csv").merge(runs, on="key")
    text = page("docs/todays-means.md")
    for hidden, size in ((3, "3 x 500"), (5, "5 x 100")):
        own = history[(history.epoch == 10) & (history.layer_sizes.str.count(",") - 1 == hidden)]
        cells = []
        for p in (0, 0.1):
            errors = 100 * own[own.p == p].test_error
            assert len(errors) == 3
            cells.append(f"{errors.mean():.2f} ({errors.min():.2f} to {errors.max():.2f})")
        assert size in text
        for cell in cells:
            assert cell in text
    corrections = pd.read_csv(folder / "corrections.csv").merge(runs, on="key")
    shown = corrections[corrections.layer_sizes.str.count(",") == 4]
    means = shown.groupby(["p", "epoch", "pair"]).rms.mean().groupby(level=[0, 1])
    assert f"within a factor of {(means.max() / means.min()).max():.1f} in every epoch" in text
    spreads = todays_means().groupby(["layer_sizes", "p"])[["epoch1_log_spread_interlayer"]].mean()
    least, most = spreads.min().item(), spreads.max().item()
    assert f"is between {least:.2f} and {most:.2f} in the first epoch" in text
    every = pd.read_csv(RESULTS / "todays_means" / "runs.csv", low_memory=False)
    paper = every[every.model == "hopfield"].groupby(["p", every.layer_sizes.str.len()])
    paper = paper[["epoch1_log_spread_interlayer"]].mean().squeeze().unstack()
    for row in paper.to_numpy():
        assert "{:.2f}, {:.2f}, {:.2f} and {:.2f} at p = ".format(*row) in text
    curves = pd.read_csv(RESULTS / "learning_curves.csv")
    old = curves[(curves.network == "layered-5x100") & (curves.epoch == 10)].test_error
    assert f"layered 5 x 100 network comes to {100 * old.mean():.0f} %" in text


def test_tables_of_grown_networks():
    growing = import_module("growing")
    points = growing.settings(pd.read_csv(RESULTS / "grown" / "runs.csv").copy())
    assert (points.seeds == 3).all()
    text = page("docs/growing.md")
    for row in points.itertuples():
        cells = f"| {100 * row.skips:.1f} | {row.hops:.1f} | {row.error:.2f} ({row.low:.2f} to "
        assert f"{cells}{row.high:.2f}) |" in text
    shown = re.findall(r"\d \(\d+\.\d\d to \d+\.\d\d\) \|", text)
    assert len(shown) == len(points)


def test_small_world_coefficients_of_grown_networks():
    runs = pd.read_csv(RESULTS / "grown" / "runs.csv").copy()
    prefix = "metric_small_world_"
    measured = runs[runs[f"{prefix}sigma"].notna() & (runs.layer_sizes.str.count(",") == 6)]
    measured = measured[(measured.rewire == "fixed") | (measured["rewire.places"] == "skip")]
    means = measured.groupby(["p", "rewire"]).mean(numeric_only=True)
    grown, placed = means.loc[(0, "absent-correction")], means.loc[(0.1, "fixed")]
    assert [f"{each[f'{prefix}sigma']:.2f}" for each in (grown, placed)] == ["0.10", "0.10"]
    text = page("docs/growing.md")
    omega = f"{prefix}omega"
    assert f"Omega is {grown[omega]:.2f} (rewired {placed[omega]:.2f})" in text
    length = "metric_characteristic_path_length"
    assert (
        f"{grown[length]:.2f}, is longer than that of rewired networks, {placed[length]:.2f}"
        in text
    )
