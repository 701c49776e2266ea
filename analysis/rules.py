"""All learning rules on the same networks: training, validation and test error after a few epochs.

    python analysis/rules.py --seeds 0 1 2
    python analysis/rules.py --networks 10x64 --p 0 --rules centred adjoint

Networks with weak feedback, layered and rewired, by the recipe of the preset weak-feedback-3x500,
with a gain of 1 for both sizes. Only the rule differs, and the schedule is as long as the run.
Errors are in %; 10,000 training examples are set apart for validation. Every run that ends adds a
row to results/rules.csv, and runs that have their row are left out: the script can be stopped and
started again at any time.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

import pandas as pd
from tables import write
from tabulate import tabulate

from smallworld_eqprop import Dataset, InputError, RunConfig, Trainer, load
from smallworld_eqprop.dynamics import Sweeps, threads
from smallworld_eqprop.graphs.topology import Layered, Rewire
from smallworld_eqprop.learning import (
    Adjoint,
    Centred,
    Contrastive,
    Cosine,
    Coupled,
    OneSided,
    RandomSign,
    ReadoutOnly,
)
from smallworld_eqprop.studies.executors import cores

TABLE = Path(__file__).resolve().parents[1] / "results" / "rules.csv"
PRESET = "weak-feedback-3x500"
# Sizes of the hidden layers, and the feedback.
NETWORKS = {"3x500": ((500,) * 3, 0.03), "10x64": ((64,) * 10, 0.1)}
# One sweep for every phase after the free one, as in the preset.
SWEEP = Sweeps(1)
CENTRED = Centred(0.25, SWEEP)
RULES = {
    "centred": CENTRED,
    "one-sided": OneSided(0.25, SWEEP),
    "random-sign": RandomSign(0.25, SWEEP),
    "contrastive": Contrastive(SWEEP),
    "coupled": Coupled(0.25, SWEEP),
    "adjoint": Adjoint(tolerance=1e-4),
    "readout-only": ReadoutOnly(CENTRED),
}
KEY = ["dataset", "validation", "network", "p", "rule", "seed", "epochs"]
ERRORS = ["training_error", "validation_error", "test_error"]


def config_of(data: Dataset, row: dict) -> RunConfig:
    hidden, feedback = NETWORKS[row["network"]]
    sizes = (data.x_train.shape[1], *hidden, data.y_train.shape[1])
    base = RunConfig.preset(PRESET)
    rate = base.training.optimiser.learning_rate.rate
    return base.changed(
        topology=Rewire(sizes, p=row["p"]) if row["p"] else Layered(sizes),
        feedback=feedback,
        gain=1.0,
        rule=RULES[row["rule"]],
        learning_rate=Cosine(rate, epochs=row["epochs"]),
        validation=row["validation"],
        test="end",
        seed=row["seed"],
    )


def result(data: Dataset, row: dict, n_threads: int) -> dict:
    """Train one run; one that does not stay finite ends with its message and without errors."""
    config = config_of(data, row)
    trainer = Trainer(config.topology.build(row["seed"]), data, config.training)
    try:
        with threads(trainer.network, n_threads):
            for epoch in range(1, row["epochs"] + 1):
                for _ in trainer.run_epoch(last=epoch == row["epochs"]):
                    pass
    except InputError as error:
        return {**row, "ended": str(error)}
    last = trainer.history[-1]
    found = {name: 100 * getattr(last, name) for name in ERRORS}
    found["epoch1_training_error"] = 100 * trainer.history[0].training_error
    found["unconverged"] = sum(record.unconverged for record in trainer.history)
    found["seconds"] = sum(record.seconds for record in trainer.history)
    return {**row, **found, "ended": "finished"}


def in_words(table: pd.DataFrame) -> str:
    """Mean and standard deviation over the seeds, one line per network, p and rule."""
    lines = []
    for setting, part in table.groupby([name for name in KEY if name != "seed"], sort=False):
        done = part[part.ended == "finished"]
        cells = [spread(done[name]) for name in ERRORS] if len(done) else ["not finite"] * 3
        lines.append((*setting, len(done), *cells))
    head = [*(name for name in KEY if name != "seed"), "seeds", *ERRORS]
    return tabulate(sorted(lines, key=lambda line: line[:4]), [h.replace("_", " ") for h in head])


def spread(errors: pd.Series) -> str:
    return f"{errors.mean():.2f}" + (f" ± {errors.std():.2f}" if len(errors) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--rules", nargs="+", choices=RULES, default=[*RULES])
    parser.add_argument("--p", type=float, nargs="+", default=[0.0, 0.1])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--validation", type=int, default=10_000, help="examples set apart")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--table", type=Path, default=TABLE, help="to write, and to go on with")
    options = parser.parse_args()
    try:
        data = load(options.dataset)
        table = pd.read_csv(options.table) if options.table.exists() else pd.DataFrame(columns=KEY)
        there = set(table[KEY].itertuples(index=False, name=None))
        # Seeds last, so that a run of every rule comes before the second seed.
        for seed, network, p, rule in itertools.product(
            options.seeds, options.networks, options.p, options.rules
        ):
            values = (data.name, options.validation, network, p, rule, seed, options.epochs)
            row = dict(zip(KEY, values, strict=True))
            if values in there:
                continue
            print(f"{network}, p = {p:g}, {rule}, seed {seed}", flush=True)
            new = pd.DataFrame([result(data, row, options.threads)])
            table = new if table.empty else pd.concat([table, new], ignore_index=True)
            write(table, options.table)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(in_words(table))
    print(options.table)


if __name__ == "__main__":
    main()
