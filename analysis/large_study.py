"""Train the networks of the large study, whose design is docs/study-design.md.

    python analysis/large_study.py                  what is left of all, in the order of the design
    python analysis/large_study.py --recipes weak-feedback --halves explore
    python analysis/large_study.py --quick          three settings, one seed, one short epoch
    python analysis/large_study.py --list           what there is to do, and what is left of it
    python analysis/large_study.py --skip results/large_study    only what these tables lack

All runs are in one store, runs/large_study.sqlite (those of --quick in large_study_quick.sqlite).
Stopped at any moment, it goes on from there when started again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from smallworld_eqprop import RunConfig, Study
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.cli.study_progress import StudyDisplay
from smallworld_eqprop.studies import Store, sweep
from smallworld_eqprop.studies.exported import exported_keys

SIZES = [784, 50, 50, 50, 50, 50, 10]
SEEDS = (0, 1, 2)
EPOCHS, LONG = 10, 30
EXAMPLES, APART = 20_000, 10_000
HALVES = ("explore", "confirm")

Spec = dict[str, Any]

# Of a network without layers: as many nodes and edges, and as many edges at inputs and outputs.
HIDDEN: Spec = {
    "kind": "hidden_graph",
    "inputs": 784,
    "hidden": 250,
    "outputs": 10,
    "edges": 10_000,
}
CHIP: Spec = {"inputs": 196, "outputs": 10, "missing": 0.02}


@dataclass(frozen=True)
class Setting:
    """A kind of network.

    Attributes
    ----------
    name : str
        Letters, digits and dashes.
    half : {"explore", "confirm"}
    topology : dict
        As in a run file.
    layers : bool
        Whether it has the layers that energy scales by layers need.
    inside : bool
        Whether layers have edges inside, with which two sweeps do not reach a fixed point.
    pool : int
        Pixels a side of a square that are averaged to one.
    """

    name: str
    half: str
    topology: Spec
    layers: bool = True
    inside: bool = False
    pool: int = 1


def varied(
    name: str, topology: Spec, explore: Sequence[float], confirm: Sequence[float], **options: Any
) -> Iterator[Setting]:
    """Settings of one family, which differ in p."""
    for half, shares in zip(HALVES, (explore, confirm), strict=True):
        for p in shares:
            yield Setting(f"{name}-p{p:g}", half, topology | {"p": p}, **options)


def layered(kind: str, **fields: Any) -> Spec:
    return {"kind": kind, "layer_sizes": SIZES, **fields}


def settings() -> list[Setting]:
    """All settings of the design that need no file."""
    cliques, rings = {"intralayer": True}, {"neighbours": 10}
    found = [
        Setting("layered", "explore", layered("layered")),
        *varied("rewired", layered("rewire"), (0.01, 0.1, 0.6), (0.003, 0.03, 0.3)),
        *varied("moves", layered("rewire", law="moves"), (0.1, 0.6), (0.03, 0.3)),
    ]
    for places in ("input", "hidden", "output"):
        found += varied(f"to-{places}", layered("rewire", places=places), (0.03,), (0.01, 0.1))
    for places in ("short", "hub"):
        found += varied(f"to-{places}", layered("rewire", places=places), (0.03,), (0.1,))
    across = layered("rewire_ends", across_layers=True)
    found += [
        *varied("ends-across", across, (0.03, 0.3), (0.01, 0.1), inside=True),
        *varied(
            "degrees-kept", layered("rewire_keeping_degrees"), (0.1, 1), (0.03, 0.3), inside=True
        ),
        *varied("added", layered("add_skips"), (0.03, 0.3), (0.01, 0.1)),
        *varied("thinned", layered("thin"), (0.3,), (0.1, 0.6)),
        *varied("cliques", layered("rewire", **cliques), (0, 0.1), (0.03, 0.3), inside=True),
        *varied("rings-10", layered("rewire", **rings), (0, 0.1), (0.3,), inside=True),
        *varied("rings-20", layered("rewire", neighbours=20), (), (0, 0.03), inside=True),
        Setting("no-layers", "explore", layered("random_like"), layers=False),
    ]
    for law in ("random", "lattice", "scale-free"):
        found.append(Setting(f"hidden-{law}", "explore", HIDDEN | {"law": law}, layers=False))
    for law, explore, confirm in (
        ("watts-strogatz", (0.1,), (0.01, 0.5)),
        ("modular", (0.2,), (0.05, 0.5)),  # in five groups 10,000 edges leave p no choice
    ):
        spec = HIDDEN | {"law": law} | ({"modules": 2} if law == "modular" else {})
        found += varied(f"hidden-{law}", spec, explore, confirm, layers=False)
    for name, half, spec in (
        ("pegasus", "explore", {"size": 7}),
        ("king", "explore", {"rows": 40}),
        ("zephyr", "confirm", {"size": 6, "shore": 3}),
    ):
        found.append(Setting(name, half, {"kind": name, **CHIP, **spec}, layers=False, pool=2))
    return found


# Rates are those that analysis/studies/large_study_rates.toml found best.
SETTLED: Spec = {"relaxation": {"kind": "sor"}, "evaluation": {"kind": "sor"}}
#: Twelve settings that span the range of hops.
TWELVE = (
    *("layered", "rewired-p0.01", "rewired-p0.1", "rewired-p0.6", "degrees-kept-p1", "no-layers"),
    *("to-output-p0.03", "to-hidden-p0.03", "to-input-p0.03", "cliques-p0.1"),
    *("hidden-lattice", "hidden-watts-strogatz-p0.1"),
)
#: Measures with weights, before training and after.
WEIGHTED = ("couplings", "coupling_signal")
QUICK = ("layered", "rewired-p0.1", "hidden-lattice")


def paper(setting: Setting, epochs: int) -> Spec:  # noqa: ARG001
    """The paper's recipe, with the rate of its network of five hidden layers."""
    return {"preset": "layered-5x100"}


def adam(setting: Setting, epochs: int) -> Spec:
    """The same with Adam."""
    rate = {"kind": "cosine", "rate": 1e-3, "epochs": epochs}
    return paper(setting, epochs) | {"optimiser": {"kind": "adam", "learning_rate": rate}}


def weak_feedback(setting: Setting, epochs: int) -> Spec:
    """Weak feedback by layers; by hops without layers, by SOR with edges inside them."""
    if not setting.layers:
        return hops(setting, epochs)
    found = weak(0.03, 1.5e-3, epochs)
    return found | SETTLED if setting.inside else found


def hops(setting: Setting, epochs: int) -> Spec:  # noqa: ARG001
    """Weak feedback by hops to the outputs."""
    rule = {"kind": "centred", "beta": 0.25, "solver": {"kind": "euler", "steps": 12}}
    return weak(0.3, 3e-3, epochs) | SETTLED | {"depth": "hops", "rule": rule}


def weak(feedback: float, rate: float, epochs: int) -> Spec:
    schedule = {"kind": "cosine", "rate": rate, "epochs": epochs}
    return {"preset": "weak-feedback-10x64", "feedback": feedback, "learning_rate": schedule}


def exact(setting: Setting, epochs: int) -> Spec:
    """The exact gradient by Adam; outputs have no bound, at which their gradient would be 0."""
    rule = {"kind": "adjoint", "tolerance": 1e-4}
    return adam(setting, epochs) | {"rule": rule, "linear_outputs": True}


def readout(setting: Setting, epochs: int) -> Spec:
    """Only the edges of the outputs are trained."""
    return adam(setting, epochs) | {"rule": {"kind": "readout-only", "rule": {"kind": "centred"}}}


def coarse(setting: Setting, epochs: int) -> Spec:
    """The paper's recipe on devices whose steps have six bits, rounded at random."""
    steps = {"kind": "resolution", "bits": 6, "rounding": "stochastic"}
    return paper(setting, epochs) | {"hardware": [steps]}


def noisy(setting: Setting, epochs: int) -> Spec:
    """The paper's recipe with states that are read with noise."""
    return paper(setting, epochs) | {"hardware": [{"kind": "readout", "noise": 0.01}]}


def deeper(setting: Setting, epochs: int) -> Spec:  # noqa: ARG001
    """The paper's recipe with the steps of its nudge that ten hidden layers need.

    It has 8 steps for three hidden layers and 12 for five, so 22 for ten.
    """
    solver = {"kind": "euler", "steps": 22}
    return {"preset": "layered-5x100", "rule": {"kind": "random-sign", "solver": solver}}


@dataclass(frozen=True)
class Recipe:
    """How networks are trained, which of them, and on what.

    Attributes
    ----------
    name : str
    make : callable
        From a setting and the number of epochs to what is changed in a run file.
    settings : sequence of str, optional
        Names; all settings when left out.
    data : str
        A data set of images.
    examples : int
        Examples that are used for training.
    deep : bool
        Whether the networks have ten hidden layers of 64 nodes.
    epochs : int
    measures : tuple of str
        What is measured of every network.
    """

    name: str
    make: Callable[[Setting, int], Spec]
    settings: Sequence[str] | None = None
    data: str = "mnist"
    examples: int = EXAMPLES
    deep: bool = False
    epochs: int = EPOCHS
    measures: tuple[str, ...] = ("structure",)


#: By name, in the order of the design.
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("weak-feedback", weak_feedback),
        Recipe("paper", paper),
        Recipe("adam", adam, TWELVE),
        Recipe("adjoint", exact, TWELVE),
        Recipe("paper-long", paper, TWELVE, epochs=LONG, measures=("structure", *WEIGHTED)),
        Recipe("readout-only", readout, TWELVE),
        Recipe("six-bit-steps", coarse, TWELVE),
        Recipe("noisy-readings", noisy, TWELVE),
        Recipe("paper-10x64", deeper, TWELVE, deep=True),
        Recipe("weak-feedback-10x64", weak_feedback, TWELVE, deep=True),
        Recipe("paper-fashion", paper, TWELVE, data="fashion-mnist"),
        Recipe("weak-feedback-fashion", weak_feedback, TWELVE, data="fashion-mnist"),
        Recipe("paper-full", paper, TWELVE, examples=50_000),
        Recipe("weak-feedback-full", weak_feedback, TWELVE, examples=50_000),
        Recipe("hops", hops),
    )
}


def studies(
    recipes: Collection[str] = RECIPES.keys(),
    halves: Sequence[str] = HALVES,
    names: Sequence[str] | None = None,
    quick: bool = False,
) -> Iterator[Study]:
    """One study per recipe and half, in the order of the design; all settings without names."""
    for recipe, half in itertools.product(RECIPES.values(), HALVES):
        if recipe.name not in recipes or half not in halves:
            continue
        some = QUICK if quick else recipe.settings
        wanted = [each for each in (names, some) if each is not None]
        chosen = [
            each
            for each in settings()
            if each.half == half and all(each.name in allowed for allowed in wanted)
        ]
        if not chosen:
            continue
        epochs = 1 if quick else recipe.epochs
        runs = [
            run(setting, recipe, seed, quick)
            for seed, setting in itertools.product(SEEDS[:1] if quick else SEEDS, chosen)
        ]
        name = f"{recipe.name}-{half}" + ("-quick" if quick else "")
        yield Study(name, tuple(runs), epochs, recipe.measures)


def run(setting: Setting, recipe: Recipe, seed: int, quick: bool = False) -> RunConfig:
    """One run: its name says setting and recipe."""
    changed = recipe.make(setting, 1 if quick else recipe.epochs)
    topology = ten_by_64(setting.topology) if recipe.deep else setting.topology
    config = RunConfig.preset(changed.pop("preset"), topology=topology)
    examples, apart = (2000, 1000) if quick else (recipe.examples, APART)
    data: Spec = {"kind": recipe.data, "n_train": examples + apart}
    if setting.pool > 1:
        data["pool"] = setting.pool
    changed |= {"data": data, "validation": apart, "test": "end", "seed": seed}
    return config.changed(name=f"{setting.name}--{recipe.name}", **changed)


def ten_by_64(topology: Spec) -> Spec:
    """The same kind of network with ten hidden layers of 64 nodes, or as many nodes and edges."""
    if "layer_sizes" in topology:
        return topology | {"layer_sizes": [784, *[64] * 10, 10]}
    return topology | {"hidden": 640, "edges": 9 * 64**2, "entry": 64, "exits": 64}


def do(found: argparse.Namespace) -> int:
    """Train what is left, study by study."""
    todo = list(studies(found.recipes, found.halves, found.settings, found.quick))
    done = set(exported_keys(found.skip)) if found.skip else set()
    if found.store.exists():
        with Store(found.store) as store:
            done |= {each.key for each in store.statuses() if each.status == "done"}
    left = [sum(key not in done for key in each.keys) for each in todo]
    rows = [(each.name, len(each.runs), n) for each, n in zip(todo, left, strict=True)]
    print(tabulate(rows, ["study", "runs", "left"], tablefmt="plain"), flush=True)
    if found.list:
        return 0
    failed = 0
    for study in (each.without(done) for each, n in zip(todo, left, strict=True) if n):
        with StudyDisplay(study) as display:
            display.say(study.name, "bold")
            end = sweep(study, found.store, workers=found.workers, on_progress=display.show)
        failed += end.failed
    print(found.store)
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--halves", nargs="+", choices=HALVES, default=HALVES)
    names = [each.name for each in settings()]
    parser.add_argument("--settings", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true", help="say what is left, and train nothing")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--skip", type=Path, metavar="DIR", help="leave out what these tables have")
    parser.add_argument("--workers", type=int)
    found = parser.parse_args()
    if found.store is None:
        found.store = Path("runs", f"large_study{'_quick' if found.quick else ''}.sqlite")
    try:
        return exit_status(lambda: do(found))
    except KeyboardInterrupt:
        print("stopped; everything is kept. Go on with the same command", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
