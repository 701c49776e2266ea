"""Command lines with words left out, doubled, misspelt or replaced: refused, or done."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import networkx as nx
from cases import REFUSED, RIGHT, WRONG, Tally, command, in_fork
from test_every_command import LINES, RUN, STUDY

from smallworld_eqprop import layered, rewire, save_graph

WORDS = (
    "", " ", "-", "--", "--unknown", "--json", "--epochs", "--out", "--set", "--null", "--seed",
    "-h", "word", "0", "-1", "2", "1.5", "nan", "inf", "1e300", "9" * 30, "k" * 5000, "a\0b", "\n",
    "é", "beta=", "=1", "beta=none", "p=2", "seed=-1", "layer_sizes=64", "rule=unknown",
    "unknown-9x9", "/", "/dev/null", "/nowhere/x", "..", "x.html", "x.sqlite", "x.toml",
    "notes.txt", "run", "tables", "run.toml", "study.toml", "study.sqlite", "graph.npz",
    "graph.graphml", "outside.gml", "train", "report", "--dataset=wine", "--p=0.5", "--workers=-1",
    "--threads=0", "--tolerance=-1", "--n-null=0",
)  # fmt: skip
#: Options that a command may get in addition.
OPTIONS = (
    "--seed=3", "--seed=x", "--p=nan", "--moves=3", "--dataset=unknown", "--train-examples=0",
    "--train-examples=9999999", "--epochs=0", "--epochs=x", "--learning-rate=0.1,0.2",
    "--learning-rate=-1", "--relaxation=magic", "--tolerance=inf", "--device=cuda:99", "--resume",
    "--overwrite", "--json", "--check", "--format=parquet", "--format=xls", "--level=2",
    "--outcome=unknown", "--store=graph.npz", "--out=graph.npz", "--out=notes.txt",
    "--out=run.toml", "--sources=0", "--sources=3", "--inputs=n0", "--inputs=role=x",
    "--outputs=n1,n2", "--unweighted", "--clustering=x", "--disconnected=harmonic",
    "--retry-failed", "--scheduler=tcp://nowhere:1",
)  # fmt: skip
#: Files that no command may change, whatever it is told.
INPUTS = ("notes.txt", "run.toml", "study.toml", "graph.npz", "graph.graphml", "outside.gml")


def attack_commands(tally: Tally, numbers: range, folder: Path) -> None:
    """Run every command once, and then with one to three words changed."""
    material = folder / "material"
    material.mkdir()
    os.chdir(material)
    graph = rewire(layered((20, 12, 10, 4)), 0.2, seed=0)
    for name in ("graph.npz", "graph.graphml"):
        save_graph(graph, name)
    nx.write_gml(nx.karate_club_graph(), "outside.gml")
    for name, text in (("run.toml", RUN), ("study.toml", STUDY), ("notes.txt", "mine\n")):
        Path(name).write_text(text)
    for line in LINES:
        told, _ = command(*line.split())
        assert told == RIGHT, told
    before = {name: Path(name).read_bytes() for name in INPUTS}
    for number in tally.until_late(numbers):
        rng = random.Random(f"{tally.seed} commands {number}")
        words = rng.choice(LINES).split()
        for _ in range(rng.randint(1, 3)):
            change(words, rng)
        place = Path(shutil.copytree(material, folder / f"{number}"))
        os.chdir(place)
        tally.add(number, in_fork(lambda words=words: verdict(words, before)), repr(words))
        shutil.rmtree(place)


def change(words: list[str], rng: random.Random) -> None:
    """Leave out, double, replace or misspell a word, or add one."""
    place = rng.randrange(len(words)) if words else 0
    way = rng.choice(("gone", "twice", "replaced", "replaced", "misspelt", "added", "option"))
    if way in ("gone", "replaced", "misspelt") and words:
        old = words.pop(place)
        if way == "misspelt":
            words.insert(place, old[:-1] + rng.choice("xX0_"))
    if way == "twice" and words:
        words.insert(place, words[place])
    if way in ("replaced", "added"):
        words.insert(place, rng.choice(WORDS))
    if way == "option":
        words.append(rng.choice(OPTIONS))


def verdict(words: list[str], before: dict[str, bytes]) -> str:
    """How a command line ends; wrong if a file of the user has changed, or JSON is none."""
    told, output = command(*words)
    for name, content in before.items():
        if not Path(name).exists() or Path(name).read_bytes() != content:
            return f"{WRONG} {name} was changed"
    if told == RIGHT and "--json" in words and "--help" not in words and "-h" not in words:
        for text in [output] if words[0] == "presets" else output.splitlines():
            json.loads(text, parse_constant=lambda name: 1 / 0)  # NaN is no JSON
    return told if told != REFUSED else REFUSED
