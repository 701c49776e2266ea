"""The page of one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.studies.outcomes import judged_by, measured_errors
from smallworld_eqprop.studies.report.page import (
    Page,
    Picture,
    Section,
    Table,
    Tile,
    percent,
    value_text,
)
from smallworld_eqprop.studies.report.svg import drawing, svg_text
from smallworld_eqprop.studies.report.tables import error_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from smallworld_eqprop.graphs.core.graph import LayeredGraph
    from smallworld_eqprop.studies.record import Run

__all__ = ["run_page"]

#: Above this many nodes the path lengths and the like are estimated from as many sources.
SOURCES = 5000

#: Edges that are drawn: more make a page heavy and show no more.
EDGES = 600

DENSITY = "density_"

#: Where the free phases of errors begin.
STARTS = {
    "particles": "where the example was left the last time (particles). A network relaxed from "
    "rest, as run.network() does, may give other errors.",
    "rest": "from rest.",
}


def run_page(run: Run) -> Page:
    """Describe a run: how it learned, on which network, from what."""
    history = run.history
    if history.empty:
        raise InputError(f"{run.folder}: no epoch is finished yet; continue the run first")
    return Page(
        title=run.config.name,
        kind="Run",
        summary=run.config.summary,
        tiles=tiles(run, history),
        sections=[
            Section("Learning", learning(run, history)),
            Section("Relaxation", relaxation(run, history)),
            Section("Network", [*pictures(run.graph), *network(run.graph)], text=str(run.graph)),
            Section("Configuration and provenance", provenance(run)),
        ],
    )


def tiles(run: Run, history: pd.DataFrame) -> list[Tile]:
    """Name the outcome and the extent."""
    what, write = outcome(run)
    seed = run.config.training.seed
    last = history.iloc[-1]
    judged = judged_by(history)
    column = f"{judged}_error"
    best = history.nsmallest(1, column).iloc[0]
    n_train = run.record["dataset"]["n_train"] - run.config.training.validation
    tested = judged == "validation" and "test" in measured_errors(history)
    return [
        Tile(
            f"{judged} {what}",
            write(last[column]),
            f"least {write(best[column])} after epoch {best['epoch']:.0f}",
        ),
        *([Tile(f"test {what}", write(last["test_error"]), "after the last epoch")] * tested),
        Tile(f"training {what}", write(last["training_error"]), "online, last epoch"),
        Tile("log-spread", value_text(round(last["log_spread"], 2)), "0: all layers train alike"),
        Tile("epochs", f"{last['epoch']:.0f}", f"{n_train:,} examples"),
        Tile("edges", f"{run.graph.n_edges:,}", f"{run.graph.n_nodes:,} nodes"),
        Tile("training time", duration(history["seconds"].sum()), f"seed {seed}"),
    ]


def outcome(run: Run) -> tuple[str, Callable[[float], str]]:
    """Name the outcome, and give what writes it."""
    return ("cost", value_text) if run.config.regression else ("error", percent)


def starts(run: Run) -> str:
    """Say where the free phases begin in which errors were counted."""
    found: dict[str, list[str]] = {}
    for name, start in run.config.training.errors_from.items():
        found.setdefault(start, []).append(name)
    return " ".join(
        f"Free phases of {' and '.join(names)} start {STARTS[start]}"
        for start, names in found.items()
    )


def learning(run: Run, history: pd.DataFrame) -> list[Picture | Table]:
    """Draw the learning curves and the corrections of the layer pairs."""
    from smallworld_eqprop.studies.plots import plot_corrections, plot_errors

    what, write = outcome(run)
    with drawing() as figure:
        axes = plot_errors(run, figure.subplots())
        axes.grid()
        errors = svg_text(figure, "errors")
    with drawing(height=4.1) as figure:
        axes = plot_corrections(run, figure.subplots())
        axes.grid()
        legend_below(axes, ncols=2)
        corrections = svg_text(figure, "corrections")
    first, last = history.iloc[0], history.iloc[-1]
    judged = judged_by(history)
    second = f"{judged}_error"
    means = run.corrections(int(last["epoch"])).mean(axis=0, dtype=float)
    rows = [
        [pair, kind, f"{mean:.3g}"]
        for pair, kind, mean in zip(run.pairs, run.kinds, means, strict=True)
    ]
    return [
        Picture(
            errors,
            f"Learning curves: the training {what} goes from {write(first['training_error'])} to "
            f"{write(last['training_error'])}, the {judged} {what} from {write(first[second])} "
            f"to {write(last[second])}.",
            f"Training {what}s are online: counted in the free phase of every batch before its "
            f"update. {starts(run)}",
        ),
        Picture(
            corrections,
            f"RMS correction of every layer pair; log-spread "
            f"{value_text(round(last['log_spread'], 2))} in the last epoch.",
            "RMS correction of every layer pair: means over 11 batches in the first epoch, then "
            "over an epoch. Lines of one height: layers that train alike.",
        ),
        Table(
            "Mean RMS correction in the last epoch",
            rows,
            ["layers", "kind", "RMS correction"],
            folded=True,
        ),
    ]


def relaxation(run: Run, history: pd.DataFrame) -> list[Picture | Table]:
    """Draw how long the free phases took, and how far from a fixed point they ended."""
    from matplotlib.ticker import MaxNLocator

    with drawing(height=3.3) as figure:
        upper, lower = figure.subplots(2, sharex=True)
        upper.plot(history["epoch"], history["mean_sweeps"], marker=".")
        upper.set(ylabel="mean sweeps")
        upper.set_ylim(0, 1.1 * history["mean_sweeps"].max())
        lower.plot(history["epoch"], history["worst_residual"], marker=".")
        solver = run.config.training.relaxation
        if not solver.fixed:
            lower.axhline(solver.tolerance, linestyle=":", color="#d55e00", label="tolerance")
            lower.legend()
        lower.set(xlabel="epoch", ylabel="worst residual")
        lower.set_ylim(0, 1.1 * lower.get_ylim()[1])
        lower.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        for axes in (upper, lower):
            axes.grid()
        svg = svg_text(figure, "relaxation")
    last = history.iloc[-1]
    unconverged = int(history["unconverged"].sum())
    picture = Picture(
        svg,
        f"Sweeps and worst residual per epoch; in the last {last['mean_sweeps']:.1f} sweeps and a "
        f"residual of {last['worst_residual']:.2g}.",
        f"Free phases of training. {unconverged:,} of them ended above the tolerance.",
    )
    shares = not run.config.regression
    errors = {f"{name}_error": error_text(name, shares) for name in measured_errors(history)}
    shown = errors | {
        "log_spread": "log-spread",
        "mean_sweeps": "sweeps",
        "worst_residual": "worst residual",
        "unconverged": "unconverged",
        "seconds": "seconds",
    }
    columns = [
        [f"{100 * value:.2f}" if shares and name in errors else value_text(value) for value in part]
        for name, part in history[[*shown]].items()
    ]
    rows = [list(row) for row in zip(history["epoch"].astype(str), *columns, strict=True)]
    return [picture, Table("Every epoch", rows, ["epoch", *shown.values()], folded=True)]


def pictures(graph: LayeredGraph) -> list[Picture | Table]:
    """Draw the layers and the adjacency matrix."""
    with drawing(height=3.9) as figure:
        axes = graph.draw(figure.subplots(), max_edges=EDGES)
        legend_below(axes, ncols=1)
        topology = svg_text(figure, "topology")
    with drawing(height=3.6) as figure:
        graph.spy(figure.subplots())
        adjacency = svg_text(figure, "adjacency")
    kinds = (("interlayer", graph.interlayer), ("intralayer", graph.intralayer))
    counts = [f"{mask.sum():,} {name}" for name, mask in (*kinds, ("skip", graph.skip))]
    told = f"{', '.join(counts)} edges"
    some = f"; {EDGES} of {graph.n_edges:,} drawn at random" if graph.n_edges > EDGES else ""
    return [
        Picture(
            topology,
            f"The layers as columns, inputs left: {told}.",
            f"The layers with their numbers of nodes, and edges by kind{some}.",
        ),
        Picture(
            adjacency,
            f"Adjacency matrix, a block for every pair of layers: {told}.",
            "Adjacency matrix: a block for every pair of layers, darker where more of the possible "
            "edges exist.",
        ),
    ]


def legend_below(axes: Axes, ncols: int) -> None:
    """Put the legend below the axes, where a phone has room for it."""
    legend = axes.get_legend()
    if legend is None:
        return
    texts = [text.get_text() for text in legend.get_texts()]
    handles = [handle for handle in legend.legend_handles if handle is not None]
    legend.remove()
    axes.figure.legend(handles, texts, loc="outside lower center", ncols=ncols, handlelength=2.6)


def network(graph: LayeredGraph) -> list[Picture | Table]:
    """Measure the graph."""
    sources = SOURCES if graph.n_nodes > SOURCES else None
    metrics = structure_metrics(graph, seed=0, n_sources=sources)
    values = [
        [name.replace("_", " "), value_text(value)]
        for name, value in metrics.items()
        if not name.startswith(DENSITY)
    ]
    layers = range(graph.n_layers)
    densities = [
        [str(a), *(f"{metrics[f'{DENSITY}{min(a, b)}_{max(a, b)}']:.3f}" for b in layers)]
        for a in layers
    ]
    return [
        Table("Structure", values),
        Table("Share of the possible edges that exist", densities, ["layers", *map(str, layers)]),
    ]


def provenance(run: Run) -> list[Picture | Table]:
    """List all that decided the outcome."""
    record = run.record
    settings = run.config.flat()
    steps = record.get("graph", {}).get("provenance", [])
    data = record.get("dataset", {})
    made = {
        "folder": str(run.folder),
        "free phases start from": run.start,
        "version": record["version"],
        "python": record.get("python"),
        **record.get("libraries", {}),
        "machine": record.get("machine"),
        "threads": record.get("threads"),
        "key of the configuration": record.get("key"),
    }
    return [
        Table("Configuration", pairs(settings), texts=True),
        Table("Made with", pairs(made), texts=True),
        Table(
            "How the graph was made",
            [[step["step"], arguments(step)] for step in steps],
            texts=True,
        ),
        Table(
            "Data",
            [
                ["name", str(data.get("name"))],
                ["training examples", value_text(data.get("n_train"))],
                ["of them for validation", value_text(run.config.training.validation)],
                ["test examples", value_text(data.get("n_test"))],
                *([f"SHA-256 of {name}", sha] for name, sha in data.get("sha256", {}).items()),
                *(["note", note] for note in record.get("notes", [])),
            ],
            texts=True,
        ),
    ]


def pairs(values: Mapping[str, Any]) -> list[list[str]]:
    """Write keys and values as rows."""
    return [[key.replace("_", " "), value_text(value)] for key, value in values.items()]


def arguments(step: Mapping[str, Any]) -> str:
    """Write the arguments of a step of provenance."""
    return "; ".join(f"{key} {value_text(step[key])}" for key in step if key != "step")


def duration(seconds: float) -> str:
    """Write hours and minutes, or minutes and seconds.

    Examples
    --------
    >>> duration(75), duration(7260)
    ('1 min 15 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
