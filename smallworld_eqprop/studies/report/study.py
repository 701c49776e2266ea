"""The page of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.outcomes import judged_by
from smallworld_eqprop.studies.ranking import Ranking, rank_measures
from smallworld_eqprop.studies.replicates import NOT_SETTING, setting_means
from smallworld_eqprop.studies.report.explorer import (
    explorer_data,
    group_of,
    label_of,
    with_corrections,
)
from smallworld_eqprop.studies.report.page import (
    Explorer,
    Page,
    Picture,
    Section,
    Table,
    Tile,
    value_text,
)
from smallworld_eqprop.studies.report.repeated import Repeated, repeated_runs, repeated_settings
from smallworld_eqprop.studies.report.tables import (
    mean_text,
    outcome_table,
    ranking_table,
    runs_table,
    setting_text,
    signed,
    work_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from smallworld_eqprop.studies.store import Store

__all__ = ["study_page"]

#: More curves than these in one picture nobody tells apart.
CURVES = 7

#: Keys of a configuration that only name a run.
NAMES = ("key", "name", "summary")

#: Measures of which there are dozens, or that say how exact another one is.
LEFT_OUT = ("metric_density_", "metric_path_length_standard_error")

#: Above this share of permutations with as good a measure, none is said to rank the outcome.
CHANCE = 0.05


def study_page(store: Store) -> Page:
    """Describe a study from the table of its finished runs."""
    runs = store.runs()
    if runs.empty:
        raise InputError(f"{store.path}: no run is finished yet; sweep the study first")
    # Of a regression, errors are costs. One run of every kind of data tells.
    data = [c for c in ("dataset", "path", "task", "target") if c in runs]
    some = runs.drop_duplicates(data)["key"]
    shares = not any(store.config(key).regression for key in some)
    settings = [c for c in runs.columns if group_of(c) == "setting" and c not in NAMES]
    varying = [c for c in settings if runs[c].nunique(dropna=False) > 1]
    # Runs that differ in their seed only are one setting.
    groups = [c for c in varying if c not in NOT_SETTING]
    repeated = repeated_runs(runs, store)
    rows = repeated_settings(runs, groups or ["dataset"], repeated)
    outcome = f"final_{judged_by(runs, 'final_')}_error"
    means = setting_means(runs).drop(index=list(rows))
    measures = [c for c in numbers(means) if group_of(c) == "metric"]
    ranking = rank_measures(means, [c for c in measures if not c.startswith(LEFT_OUT)], outcome)
    # Not every family has every setting.
    plain = [
        rank_measures(means[means[c].notna()], [c], outcome) for c in numbers(means) if c in groups
    ]
    best = ranking.ranked[0].column if ranking.ranked else None
    explored = explorer_data(with_corrections(runs, store.corrections()), varying, shares, best)
    compared = [each for found in (ranking, *plain) for each in found.ranked]
    sections = [
        *[Section("How well measures and settings rank", [ranking_table(compared)])]
        * bool(compared),
        Section(
            "Any metric against any outcome",
            [Explorer(explored)],
            text="Every point is a run. Point at one, or walk with the arrow keys, to see which.",
        ),
        Section(
            "Outcomes by setting",
            [
                *curves(runs, store, groups, shares),
                outcome_table(runs, groups, shares, rows),
            ],
        ),
        Section("Runs", [runs_table(runs, varying, shares, repeated)], text=warning(repeated)),
        Section(
            "Settings and provenance",
            [
                Table(
                    "The same in every run",
                    [[c, value_text(runs[c].iloc[0])] for c in settings if c not in varying],
                    texts=True,
                    folded=True,
                ),
                work_table(store.work()),
            ],
        ),
    ]
    return Page(
        title=store.path.stem,
        kind="Study",
        summary=f"{len(runs)} finished runs on {', '.join(runs['dataset'].unique())}; they differ "
        f"in {', '.join(varying) or 'nothing'}.",
        answer=[*answer(ranking, outcome, len(runs)), *([warning(repeated)] if repeated else [])],
        tiles=tiles(runs, groups, outcome, shares, list(store.standing().values())),
        sections=sections,
    )


def numbers(table: pd.DataFrame) -> list[str]:
    """Columns that hold numbers."""
    return list(table.select_dtypes("number").columns)


def answer(ranking: Ranking, outcome: str, n_runs: int) -> list[str]:
    """Say which measure ranks the outcome, and what chance makes of it."""
    what = "the " + label_of(outcome).removesuffix(", last epoch")
    if ranking.why_not:
        return [f"Which measure ranks {what}: {ranking.why_not}."]
    best = ranking.ranked[0]
    name = label_of(best.column)
    told = (
        f"Spearman's rank correlation {signed(best.value)}, 95 % interval {signed(best.low)} to "
        f"{signed(best.high)}, over {ranking.n_settings} settings ({n_runs} runs)."
    )
    chance = (
        f"With the errors permuted {'within families' if ranking.within else 'among settings'}, "
        f"the best of {ranking.n_compared} measures stays below {signed(ranking.null_best)} in "
        f"95 % of permutations, and is as good as this in {100 * ranking.p:.2g} % of them."
    )
    if ranking.p > CHANCE:
        return [f"No measure ranks {what} better than chance. The best is {name}: {told}", chance]
    return [f"{name[0].upper()}{name[1:]} ranks {what} best: {told}", chance]


def warning(repeated: Mapping[str, Repeated]) -> str:
    """Say how many runs repeat others."""
    if not repeated:
        return ""
    unmoved = sum(each.unmoved for each in repeated.values())
    why = f"; in {unmoved} of them no edge was moved" if unmoved else ""
    return (
        f"{len(repeated)} of the runs came out the same as a run of another setting, to the last "
        f"digit{why}. The tables name them; a setting that repeats another is not ranked."
    )


def tiles(
    runs: pd.DataFrame, groups: Sequence[str], outcome: str, shares: bool, status: Sequence[str]
) -> list[Tile]:
    """Name the extent and the best setting."""
    keys = list(groups) or ["dataset"]
    grouped = runs.groupby(keys, dropna=False, sort=False)
    best = grouped[outcome].mean().argmin()
    name, part = list(grouped)[best]
    least = mean_text(part[outcome], shares) + " %" * shares
    where = f"{setting_text(keys, name)}; {len(part)} run{'s' * (len(part) > 1)}"
    spread = runs["final_log_spread"].round(2)
    ends = dict.fromkeys(map(value_text, (spread.min(), spread.max())))
    unfinished = [f"{status.count(s)} {s}" for s in ("running", "pending", "failed") if s in status]
    return [
        Tile(f"least {label_of(outcome).removesuffix(', last epoch')}", least, where),
        Tile("runs finished", f"{len(runs)} of {len(status)}", ", ".join(unfinished)),
        Tile("epochs", " or ".join(map(str, sorted(runs["epochs"].unique())))),
        Tile("log-spread", " to ".join(ends), "0: layers train alike"),
    ]


def curves(runs: pd.DataFrame, store: Store, groups: list[str], shares: bool) -> list[Picture]:
    """Draw mean learning curves of groups of runs, if there are curves and few groups."""
    keys = groups or ["dataset"]
    if runs["epochs"].max() < 2 or runs.groupby(keys, dropna=False).ngroups > CURVES:
        return []
    # Imported here: the pages of large studies draw nothing.
    from matplotlib.ticker import MaxNLocator

    from smallworld_eqprop.studies.report.svg import drawing, svg_text

    history = store.history()
    judged = judged_by(history)
    errors = [f"{judged}_error", "training_error"]
    scaled = history[["key", "epoch", *errors]].copy()
    scaled[errors] *= 100 if shares else 1
    merged = scaled.merge(runs[["key", *keys]], on="key")
    with drawing() as figure:
        axes = figure.subplots()
        for name, part in merged.groupby(keys, dropna=False):
            by_epoch = part.groupby("epoch")
            (line,) = axes.plot(by_epoch[errors[0]].mean(), label=setting_text(keys, name))
            axes.plot(by_epoch[errors[1]].mean(), "--", color=line.get_color())
        axes.set(xlabel="epoch", ylabel="error (%)" if shares else "error")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
        axes.legend()
        svg = svg_text(figure, "study-curves")
    return [
        Picture(
            svg,
            "Learning curves, one colour per setting; the table of outcomes gives the last points.",
            f"Mean over the seeds: {judged} error solid, online training error dashed.",
        )
    ]
