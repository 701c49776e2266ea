"""``smallworld-eqprop metrics``: the structure of one network, and its place among random ones."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from smallworld_eqprop.cli.help import choices, preset_choices
from smallworld_eqprop.cli.metric_tables import show
from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.progress import Live
from smallworld_eqprop.cli.train import read_config
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.nulls.names import NullModel
from smallworld_eqprop.presets import preset_names

if TYPE_CHECKING:
    from scipy import sparse

    from smallworld_eqprop.graphs.core.graph import LayeredGraph
    from smallworld_eqprop.graphs.measure.coefficients import Coefficient

__all__ = ["metrics"]


def metrics(
    network: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|FILE",
            help="A preset's name, a run file (TOML), a run folder, or a graph: of save_graph, "
            "or GraphML, GML, Pajek (.net), a CSV table, an edge list (.edgelist) or scipy's .npz "
            "of another program.",
            autocompletion=preset_choices,
        ),
    ],
    inputs: Annotated[
        str | None,
        typer.Option(help="Input nodes of a graph: role=sensory, or names with commas: n0,n1"),
    ] = None,
    outputs: Annotated[str | None, typer.Option(help="Output nodes, given like --inputs.")] = None,
    roles: Annotated[
        str | None,
        typer.Option(help="CSV table of nodes (name, then attributes) for --inputs."),
    ] = None,
    symmetrise: Annotated[
        str | None,
        typer.Option(
            help="A directed graph made undirected: of two directions the larger weight (max, the "
            "default), their mean, or edges without weights (or).",
            autocompletion=choices("max", "mean", "or"),
        ),
    ] = None,
    null: Annotated[
        str | None,
        typer.Option(
            help="Small-world coefficients against a null model: degree_preserving, erdos_renyi, "
            "strength_preserving, shuffled_weights, geometry_preserving, or, within layers, "
            "layer_blocks, and layer_blocks_with_degrees, _strengths, _weights or _geometry.",
            autocompletion=choices(*get_args(NullModel)),
        ),
    ] = None,
    n_null: Annotated[
        int | None, typer.Option(help="How many null samples; by default 10.")
    ] = None,
    clustering: Annotated[
        str | None,
        typer.Option(
            help="Clustering of the coefficients: average (default), transitivity or bipartite.",
            autocompletion=choices("average", "transitivity", "bipartite"),
        ),
    ] = None,
    disconnected: Annotated[
        str | None,
        typer.Option(
            help="Coefficients of a disconnected graph: undefined (default), harmonic "
            "or largest_component.",
            autocompletion=choices("undefined", "harmonic", "largest_component"),
        ),
    ] = None,
    unweighted: Annotated[
        bool, typer.Option("--unweighted", help="Compute the propensity without weights.")
    ] = False,
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Use absolute weights in a graph without layers.")
    ] = False,
    sources: Annotated[
        int | None, typer.Option(help="Estimate path lengths from N nodes drawn at random.")
    ] = None,
    costs: Annotated[
        bool,
        typer.Option("--costs", help="Count wires, crossbar tiles and converters of a chip."),
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Seed of rewiring, null samples and sources; by default 0.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads that draw null samples; by default one per core.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Measure the structure of a network.

    With --null also its small-world coefficients; null mean and null std are the mean and standard
    deviation of the coefficients of the null samples. A graph file of another program has layers
    if --inputs and --outputs are given; without them, measures of layers are left out.
    """
    # Imported here so that --help and errors in the options come at once.
    from smallworld_eqprop.graphs.measure.metrics import structure_metrics
    from smallworld_eqprop.graphs.measure.smallworld import small_world_coefficients
    from smallworld_eqprop.hardware import hardware_costs
    from smallworld_eqprop.parts import AtOnce, Repeats, check_type

    check_type("threads", threads, AtOnce | None)
    for option, count in (("--n-null", n_null), ("--sources", sources)):
        check_type(option, count, Repeats | None)
    for option, given in (
        ("--n-null", n_null), ("--clustering", clustering), ("--disconnected", disconnected),
        ("--unweighted", unweighted or None),
    ):  # fmt: skip
        if null is None and given is not None:
            raise InputError(f"{option}: {given} has no effect without --null; name a null model")
    ensemble = {
        "null": null, "n_null": n_null or 10, "clustering": clustering or "average",
        "disconnected": disconnected or "undefined", "weighted": not unweighted,
    }  # fmt: skip
    graph, steps, seed = read_network(network, seed, inputs, outputs, roles, symmetrise)
    graph = without_signs(network, graph, absolute)
    if costs and not hasattr(graph, "n_layers"):
        raise InputError("--costs: the graph has no layers; give --inputs and --outputs")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    coefficients: dict[str, Coefficient] = {}
    try:
        with DaemonThreads(threads or os.cpu_count()) as pool, counting(console) as show_count:
            if null is not None:
                coefficients = small_world_coefficients(
                    graph,
                    seed=seed,
                    executor=pool,
                    progress=lambda done, total: show_count("null samples, lattices", done, total),
                    **ensemble,  # type: ignore[arg-type]
                )
            show_count("structure", 0, None)
            measured = pool.submit(structure_metrics, graph, seed=seed, n_sources=sources)
            structure = measured.result()
            if costs:
                structure |= hardware_costs(graph)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    if as_json:
        record = {
            "network": network,
            "seed": seed,
            "layer_sizes": getattr(graph, "layer_sizes", None),
            "provenance": steps,
            "metrics": structure,
            "ensemble": ensemble if null else None,
            "coefficients": {key: dataclasses.asdict(c) for key, c in coefficients.items()},
        }
        typer.echo(json_line(record))
    else:
        out = Console(highlight=False, soft_wrap=True)
        show(out, graph, steps, structure, ensemble, coefficients)
    return 0


def read_network(
    network: str,
    seed: int | None,
    inputs: str | None = None,
    outputs: str | None = None,
    roles: str | None = None,
    symmetrise: str | None = None,
) -> tuple[LayeredGraph | sparse.csr_array, tuple[dict[str, Any], ...], int]:
    """Give the graph that is named, how it was made, and the seed to go on with.

    A graph of another program without inputs and outputs is a matrix.
    """
    from smallworld_eqprop.graphs.convert.files import ENDINGS, has_layers, read_adjacency
    from smallworld_eqprop.graphs.convert.files import read_graph as read_file
    from smallworld_eqprop.graphs.core.arguments import seeded

    path = Path(network)
    if network not in preset_names() and path.is_dir():
        if (path / "run.json").exists() and (inputs, outputs) == (None, None):
            from smallworld_eqprop.studies.record import Run

            graph = Run(path).graph  # as training left it
            return graph, graph.provenance, seed or 0
        path = path / "graph.npz"
    if path.suffix.lower() in ENDINGS:
        seeded(seed or 0)
        rule: Any = symmetrise or "max"
        if inputs is None and outputs is None and not has_layers(path):
            matrix, step = read_adjacency(path, roles=roles, symmetrise=rule)
            return matrix, (step,), seed or 0
        graph = read_file(path, listed(inputs), listed(outputs), roles=roles, symmetrise=rule)
        return graph, graph.provenance, seed or 0
    if path.suffix not in ("", ".toml"):
        raise InputError(
            f"{network}: unknown ending; give a preset, a .toml file, a run folder, or a graph "
            f"({', '.join(ENDINGS)})"
        )
    for option, given in (
        ("--inputs", inputs), ("--outputs", outputs), ("--roles", roles),
        ("--symmetrise", symmetrise),
    ):  # fmt: skip
        if given is not None:
            raise InputError(f"{option}: {given}; {network} has layers; leave it out")
    config = read_config(network)
    config = config if seed is None else config.changed(seed=seed)
    graph = config.topology.build(config.training.seed)
    return graph, graph.provenance, config.training.seed


def without_signs(
    network: str, graph: LayeredGraph | sparse.csr_array, absolute: bool
) -> LayeredGraph | sparse.csr_array:
    """Give a matrix without negative weights; a layered graph as it is, which counts its edges."""
    if hasattr(graph, "n_layers") or not (graph.data < 0).any():
        return graph
    if absolute:
        return abs(graph)
    raise InputError(
        f"{network}: {(graph.data < 0).sum() // 2} of {graph.nnz // 2} weights are negative, and "
        "these measures do not use signs; give --absolute to take absolute values"
    )


def listed(names: str | None) -> str | list[str] | None:
    """Give names with commas as a list."""
    if names is None or "=" in names:
        return names
    return [name.strip() for name in names.split(",")]


class DaemonThreads(Executor):
    """Threads whose calls under way are not waited for, so that Ctrl-C ends the program at once."""

    def __init__(self, threads: int | None) -> None:
        self._pool = ThreadPool(threads)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Call a function in one of the threads."""
        future: Future = Future()
        self._pool.apply_async(fn, args, kwargs, future.set_result, future.set_exception)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Leave everything that is not done."""
        self._pool.terminate()


@contextmanager
def counting(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Count what is done: a bar in a terminal, elsewhere a line now and then."""
    columns = (
        TextColumn("{task.fields[what]}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Live(*columns, plain=False, console=console) as live:

        def count(what: str, done: int, total: int | None) -> None:
            live.move(done, total, what=what)
            if live.line_is_due():
                live.say(what if total is None else f"{what} {done}/{total}")

        count("reading", 0, None)
        yield count
