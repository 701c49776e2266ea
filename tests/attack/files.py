"""Damaged files of runs, studies, data and graphs: refused, or read as they were."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from cases import REFUSED, RIGHT, WRONG, Tally, command, in_fork
from damage import damage
from scipy import sparse

from smallworld_eqprop import InputError, Run, layered, rewire, save_graph
from smallworld_eqprop.studies.columns import read_columns
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.sweeping import sweep

RUN = """
topology = { kind = "rewire", layer_sizes = [4, 6, 5, 3], p = 0.2 }
data = { kind = "csv", path = "table.csv", target = "y" }
training = { batch_size = 10 }
"""
STUDY = """
name = "study"
weights = true
[base]
dataset = "csv"
path = "table.csv"
target = "y"
layer_sizes = [4, 6, 5, 3]
p = 0.2
batch_size = 10
[grid]
seed = [0, 1, 2]
"""


def history(run: Run) -> str:
    """The history of a run without its times."""
    return run.history.drop(columns="seconds").to_csv()


#: What is read of a run folder.
READINGS: dict[str, Callable[[Run], Any]] = {
    "record": lambda run: {**run.record, "epochs": None, "sha256": None},
    "config": lambda run: run.config,
    "history": history,
    "corrections": lambda run: run.corrections().tobytes(),
    "errors": lambda run: run.errors().tobytes(),
    "graph": lambda run: (run.graph.edges.tobytes(), run.graph.layer_sizes, run.graph.provenance),
    "network": lambda run: (run.network().weights.tobytes(), run.network().biases.tobytes()),
    "columns": lambda run: str(read_columns(run.folder)),
}


def attack_files(tally: Tally, numbers: range, folder: Path) -> None:
    """Damage one file of a folder with runs, a store, data and graphs, and read all of it."""
    material = folder / "material"
    make(material)
    right = {}
    for group, read in GROUPS.items():
        os.chdir(shutil.copytree(material, folder / group))
        right[group] = dict(read())
    files = sorted(path.relative_to(material) for path in material.rglob("*") if path.is_file())
    targets = {
        "run": [path for path in files if path.parts[0] == "run" and path.suffix != ".lock"],
        "study": [path for path in files if path.parts[0] in ("s.sqlite", "s.sqlite.weights")],
        "data": [Path("data.npz")],
        "graphs": [Path("own.npz"), Path("scipy.npz")],
    }
    for number in tally.until_late(numbers):
        rng = random.Random(f"{tally.seed} files {number}")
        group = rng.choices(list(targets), (12, 6, 1, 2))[0]
        target = rng.choice(targets[group])
        place = Path(shutil.copytree(material, folder / f"{number}"))
        os.chdir(place)
        # Another graph in the place of a graph is no damage, nor are other data. The record of
        # another run is right by itself; the files beside it are what it does not fit.
        recorded = group in ("run", "study") and target.name != "run.json"
        others = [each for each in files if recorded and each.suffix == target.suffix]
        what = damage(target, rng, others)
        told = in_fork(lambda group=group: compared(dict(GROUPS[group]()), right[group]))
        tally.add(number, told, f"{target}: {what}")
        shutil.rmtree(place)


def make(folder: Path) -> None:
    """A folder with two runs, a store of two runs that are done and one to do, data and graphs."""
    folder.mkdir()
    os.chdir(folder)
    rng = np.random.default_rng(0)
    labels = np.arange(45) % 3
    x = (rng.random((45, 4)) + np.eye(4)[labels]).round(3)
    rows = "".join(
        f"{','.join(map(str, row))},{'abc'[y]}\n" for row, y in zip(x, labels, strict=True)
    )
    Path("table.csv").write_text(f"p,q,r,s,y\n{rows}")
    np.savez("data.npz", x=x, y=labels)
    Path("run.toml").write_text(RUN)
    npz = 'kind = "npz", path = "data.npz"'
    Path("data.toml").write_text(RUN.replace('kind = "csv", path = "table.csv", target = "y"', npz))
    for name, changes in (("run", ()), ("other", ("--seed", "5"))):
        train("run.toml", name, "--epochs", "2", *changes)
    Path("study.toml").write_text(STUDY)
    study = Study.from_toml("study.toml")
    swept(Study("study", study.runs[:2], weights=True))
    with Store("s.sqlite") as store:
        store.add(study)
    graph = rewire(layered((6, 5, 4)), 0.2, seed=0)
    save_graph(graph, "own.npz")
    sparse.save_npz("scipy.npz", graph.adjacency().tocsr() * 2)


def swept(study: Study) -> None:
    """Do the runs of a study that are not done, in a thread."""
    with ThreadPoolExecutor(1) as pool:
        sweep(study, "s.sqlite", pool, workers=1)


def train(file: str, out: str, *options: str) -> tuple[str, str]:
    """Train a run file in a folder."""
    return command("train", file, "--out", out, "--threads", "1", *options)


def read_run():
    """Everything of the run, before and after it was resumed for an epoch."""
    yield "check", command("status", "run", "--check")
    yield from readings("")
    yield "metrics", command("metrics", "run", "--json")
    resumed = train("run.toml", "run", "--epochs", "3", "--resume")
    yield "resumed", resumed
    if resumed[0] == RIGHT:
        yield from readings("resumed ")


def readings(when: str):
    """All readings of the run folder, or why they are refused."""
    for name, read in READINGS.items():
        try:
            yield when + name, (RIGHT, digest(read(Run("run"))))
        except InputError as error:
            yield when + name, (REFUSED if "\n" not in str(error) else f"traceback {error}", "")


def digest(value: Any) -> str:
    """What tells a reading from others."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def read_study():
    """Everything of the store, before and after the run that is left to do was done."""
    yield "check", command("status", "s.sqlite", "--check")
    yield "status", command("status", "s.sqlite", "--json")
    yield "exported", exported("before")
    try:
        study = Study.from_toml("study.toml")
        swept(study)
        with Store("s.sqlite", create=False) as store:
            networks = [store.network(key).weights.tobytes() for key in study.keys]
            found = digest((store.results_digest(), store.measure_errors().to_csv(), networks))
    except (InputError, OSError) as error:
        yield "done", (REFUSED if "\n" not in str(error) else f"traceback {error}", "")
        return
    yield "done", (RIGHT, found)
    yield "exported then", exported("then")


def exported(folder: str) -> tuple[str, str]:
    """Tables of the store; of the run that has just been done the times are left out."""
    told, output = command("export", "s.sqlite", "--out", folder)
    names = ("runs", "corrections", *(("work", "history") if folder == "before" else ()))
    return told, output + "".join(
        Path(folder, f"{name}.csv").read_text() for name in names if told == RIGHT
    )


def read_data():
    """What is learned from the data; of bytes that do not count the hash, and the key, differ."""
    told, _ = train("data.toml", "learned", "--epochs", "1")
    yield "learned", (told, history(Run("learned")) if told == RIGHT else "")


def read_graphs():
    """Measures of the graphs."""
    for name in ("own.npz", "scipy.npz"):
        yield name, command("metrics", name, "--json")


GROUPS: dict[str, Callable[[], Any]] = {
    "run": read_run,
    "study": read_study,
    "data": read_data,
    "graphs": read_graphs,
}


def compared(found: dict[str, tuple[str, str]], right: dict[str, tuple[str, str]]) -> str:
    """Verdict on what was read of damaged files, beside what there is to read."""
    for name, (told, output) in found.items():
        if told not in (RIGHT, REFUSED):
            return f"{told} ({name})"
        if told == RIGHT and name in right and output != right[name][1]:
            return f"{WRONG} {name}: {output!r:.300}, must be {right[name][1]!r:.300}"
    refused = [name for name, (told, _) in found.items() if told == REFUSED]
    if refused and found.get("check", (REFUSED,))[0] == RIGHT:
        return f"{WRONG} status --check finds nothing, but refused are {refused}"
    return REFUSED if refused else RIGHT
