"""Tidy tables from run folders, small enough to be kept when the runs are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Positive, check_type
from smallworld_eqprop.studies.record import Run

__all__ = ["corrections", "learning_curves", "provenance"]

CURVE_COLUMNS = (
    "epoch",
    "training_error",
    "test_error",
    "mean_sweeps",
    "log_spread",
    "log_spread_interlayer",
)

#: Points of the centred moving average, as in figure 4 of the paper.
WINDOW = 11


def learning_curves(runs: Iterable[Run]) -> pd.DataFrame:
    """One row per run and finished epoch.

    Parameters
    ----------
    runs : iterable of Run
        Each of another network or seed.

    Returns
    -------
    DataFrame
        network, seed, epoch, training_error, test_error (shares of examples), mean_sweeps,
        log_spread, log_spread_interlayer; validation_error where a run has one.

    Raises
    ------
    InputError
        If two runs are of one network and seed, or a run has finished no epoch.
    """
    parts = []
    for run in _distinct(runs):
        history = run.history
        missing = [name for name in CURVE_COLUMNS if name not in history]
        if missing:
            raise InputError(f"{run.folder / 'history.csv'}: has no column {', '.join(missing)}")
        part = history[[*CURVE_COLUMNS, *history.columns.intersection(["validation_error"])]]
        part.insert(0, "network", run.config.name)
        part.insert(1, "seed", run.config.training.seed)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def corrections(runs: Iterable[Run], *, every: int = 10) -> pd.DataFrame:
    """RMS correction of every layer pair: closely in the first epoch, then one mean per epoch.

    In the first epoch it is a centred moving average over 11 batches, taken at every tenth one.
    Later epochs are means over their batches.

    Parameters
    ----------
    runs : iterable of Run
        Each of another network or seed.
    every : int
        Batches from one average of the first epoch to the next.

    Returns
    -------
    DataFrame
        network, seed, epoch, batch (the middle one of those averaged, counted from 1 over the
        whole run), pair, kind (interlayer, skip or intralayer), rms.

    Raises
    ------
    InputError
        As for `learning_curves`, or if `every` is below 1.
    """
    check_type("every", every, Positive)
    parts = []
    for run in _distinct(runs):
        parts += _corrections_of(run, every)
    return pd.concat(parts, ignore_index=True)


def provenance(runs: Iterable[Run]) -> dict[str, list[dict[str, Any]]]:
    """What every run was made from and with, by network.

    Returns
    -------
    dict
        For every network one entry per seed: configuration and its key, versions, machine, graph,
        SHA-256 of the data, epochs and seconds. It can be written as JSON.

    Raises
    ------
    InputError
        As for `learning_curves`, or if runs of one network differ in more than the seed.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    first: dict[str, Run] = {}
    for run in _distinct(runs):
        name, history = run.config.name, run.history
        other = first.setdefault(name, run)
        if _without_seed(run) != _without_seed(other):
            raise InputError(
                f"{run.folder} and {other.folder}: both are called {name}, but their "
                "configurations differ in more than the seed; give them names of their own"
            )
        kept = ("version", "python", "libraries", "machine", "threads", "graph", "dataset")
        entries.setdefault(name, []).append(
            {
                "seed": run.config.training.seed,
                "key": run.config.key,
                "epochs": len(history),
                "seconds": round(float(history["seconds"].sum()), 1),
                "config": run.config.to_dict(),
                **{key: run.record[key] for key in kept if key in run.record},
            }
        )
    return {name: sorted(found, key=lambda entry: entry["seed"]) for name, found in entries.items()}


def _distinct(runs: Iterable[Run]) -> list[Run]:
    """Refuse to take two runs for one."""
    found = list(runs)
    if not found:
        raise InputError("runs: none given; name at least one run folder")
    seen: dict[tuple[str, int], Run] = {}
    for run in found:
        key = run.config.name, run.config.training.seed
        if key in seen:
            raise InputError(
                f"{run.folder} and {seen[key].folder}: both are {key[0]}, seed {key[1]}; "
                "give one of them"
            )
        seen[key] = run
    return found


def _without_seed(run: Run) -> dict[str, Any]:
    training = dataclasses.replace(run.config.training, seed=0)
    config = dataclasses.replace(run.config, summary="", training=training)
    return config.to_dict()


def _corrections_of(run: Run, every: int) -> list[pd.DataFrame]:
    """Tables of one run: the first epoch closely, and the means of the others."""
    parts = []
    n_batches = 0
    for epoch in range(1, len(run.history) + 1):
        values = run.corrections(epoch).astype(float)
        if epoch == 1:
            window = min(WINDOW, len(values))
            mean = pd.DataFrame(values).rolling(window, center=True, min_periods=1).mean()
            middle = np.arange(0, len(values), every)
            parts.append(_long(run, epoch, middle + 1, mean.to_numpy()[middle]))
        else:
            middle = np.array([n_batches + (len(values) + 1) // 2])
            parts.append(_long(run, epoch, middle, values.mean(axis=0, keepdims=True)))
        n_batches += len(values)
    return parts


def _long(
    run: Run, epoch: int, batches: npt.NDArray[np.integer], values: npt.NDArray
) -> pd.DataFrame:
    n_pairs = len(run.pairs)
    return pd.DataFrame(
        {
            "network": run.config.name,
            "seed": run.config.training.seed,
            "epoch": epoch,
            "batch": np.repeat(batches, n_pairs),
            "pair": np.tile(run.pairs, len(batches)),
            "kind": np.tile(run.kinds, len(batches)),
            "rms": values.ravel(),
        }
    )
