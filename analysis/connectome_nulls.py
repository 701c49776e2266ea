"""Two connectomes beside their null models: how they are built, and how well they train.

    python analysis/connectomes.py
    smallworld-eqprop sweep analysis/studies/fly_nulls.toml       stops and goes on at any time
    smallworld-eqprop sweep analysis/studies/brain_nulls.toml
    python analysis/connectome_nulls.py

Measures every graph of the studies, adds the outcomes of the runs that are in the stores, and
writes into --out, with one row per connectome, null model and measure:

    nulls.csv   and sample: the value, of outcomes the mean over seeds; sample 0 is the connectome
    tests.csv   the connectome against its nulls, see `against_nulls`
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from tables import write

from smallworld_eqprop import InputError, LayeredGraph
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.graphs.measure import (
    average_clustering,
    characteristic_path_length,
    input_output_path_length,
    reciprocity,
    small_world_propensity,
)
from smallworld_eqprop.graphs.nulls import directed_degree_preserving
from smallworld_eqprop.graphs.topology import File, NullOf
from smallworld_eqprop.studies import Store, Study, against_nulls

HERE = Path(__file__).resolve().parent
STUDIES = (HERE / "studies/fly_nulls.toml", HERE / "studies/brain_nulls.toml")
OUT = HERE.parent / "results/connectomes"
OUTCOMES = ("final_training_cost", "final_test_error")
COLUMNS = ("connectome", "null", "sample", "seed", "measure", "value")
#: What sample 0 of every null model is.
ITSELF = "itself"
#: Null model of the graph with its directions, which training does not have, and its samples.
DIRECTED, N_DIRECTED = "directed_degree_preserving", 20


def structure(graph: LayeredGraph) -> dict[str, float]:
    """Numbers of a graph with weights."""
    found = {
        "L": characteristic_path_length(graph),
        "C": average_clustering(graph),
        "L_weighted": characteristic_path_length(graph, weighted=True),
        "C_weighted": average_clustering(graph, weighted=True),
        "propensity_weighted": small_world_propensity(graph, seed=0).value,
        "input_output_path_length": input_output_path_length(graph),
    }
    if "position" in graph.node_data:
        ends = graph.node_data["position"][graph.edges]
        found["wiring_length"] = float(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1).mean())
    return found


def directed_structure(path: str) -> Iterator[tuple[str, int, str, float]]:
    """Reciprocity of a directed graph in a file, and of random ones with its degrees."""
    graph = nx.read_graphml(path)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    yield ITSELF, 0, "reciprocity", reciprocity(graph)
    for sample in range(1, N_DIRECTED + 1):
        drawn = directed_degree_preserving(graph, seed=sample).adjacency()
        yield DIRECTED, sample, "reciprocity", reciprocity(drawn)


def null_of(topology: object) -> tuple[str, int]:
    """Null model and sample of a topology.

    Raises
    ------
    InputError
        If it is of another kind.
    """
    if not isinstance(topology, NullOf):
        raise InputError(f"topology: {type(topology).__name__}, must be of kind 'null'")
    return (topology.model if topology.sample else ITSELF), topology.sample


def rows_of(study: Study, runs: pd.DataFrame) -> Iterator[tuple[str, str, int, int, str, float]]:
    """Structure of every graph of a study, and outcomes of the runs that are there."""
    name = study.name.removesuffix("_nulls")
    graphs = {null_of(run.topology): run for run in study.runs}
    for (null, sample), run in graphs.items():
        for measure, value in structure(run.topology.build(run.training.seed)).items():
            yield name, null, sample, 0, measure, value
    origin = study.runs[0].topology.of
    if isinstance(origin, File) and origin.path.endswith(".graphml"):
        for null, sample, measure, value in directed_structure(origin.path):
            yield name, null, sample, 0, measure, value
    if runs.empty:
        return
    by_key = runs.set_index("key")
    for run, key in zip(study.runs, study.keys, strict=True):
        if key in by_key.index:
            about = name, *null_of(run.topology), run.training.seed
            for outcome in OUTCOMES:
                yield *about, outcome, by_key.loc[key, outcome]


def tests_of(table: pd.DataFrame) -> pd.DataFrame:
    """The connectome against each null model in each measure that all graphs have."""
    found = []
    for (name, measure), part in table.groupby(["connectome", "measure"], sort=False):
        own = part[part.null == ITSELF]
        for null, others in part[part.null != ITSELF].groupby("null", sort=False):
            both = pd.concat([own, others]).rename(columns={"value": measure})
            try:
                test = dataclasses.asdict(against_nulls(both, measure))
            except InputError as error:
                print(f"{name}, {null}: {error}", file=sys.stderr)
                continue
            nulls = test.pop("nulls")
            about = {"connectome": name, "null": null, "measure": test.pop("outcome")}
            mean = {"graph": test.pop("graph"), "nulls": np.mean(nulls), "n_nulls": len(nulls)}
            found.append({**about, **mean, **test})
    return pd.DataFrame(found)


def finished(study: Study, stores: Path) -> pd.DataFrame:
    """The runs in the store of a study; none where it has not been started."""
    path = stores / f"{study.name}.sqlite"
    if not path.exists():
        print(f"{path}: not there, so no outcomes of {study.name}", file=sys.stderr)
        return pd.DataFrame()
    with Store(path, create=False) as store:
        return store.runs()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("studies", nargs="*", type=Path, default=STUDIES, help="TOML files")
    parser.add_argument("--stores", type=Path, default=Path("runs"), help="folder of the stores")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    studies = [Study.from_toml(path) for path in options.studies]
    rows = [row for study in studies for row in rows_of(study, finished(study, options.stores))]
    table = pd.DataFrame(rows, columns=COLUMNS)
    tests = tests_of(table)
    means = table.groupby([c for c in COLUMNS if c not in ("seed", "value")], sort=False).value
    print(write(means.mean().reset_index(), options.out / "nulls.csv"))
    print(write(tests, options.out / "tests.csv"))
    print(tests.drop(columns=["level"]).to_string(index=False, float_format="%.3g"))


if __name__ == "__main__":
    sys.exit(exit_status(main))
