from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from smallworld_eqprop.data import datasets
from smallworld_eqprop.learning.fitting import EqPropEstimator
from smallworld_eqprop.studies import executors, job


@pytest.fixture
def little_to_do(monkeypatch, tmp_path, coarse_pictures):
    """An empty folder, and few examples and epochs whatever is asked for, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    load_table, fit = datasets._load_table, EqPropEstimator._epochs
    monkeypatch.setattr(
        datasets, "_load_table", lambda name, n, rng: load_table(name, min(n or 20, 20), rng)
    )
    monkeypatch.setattr(
        EqPropEstimator,
        "_epochs",
        lambda self, trainer, data, n: fit(self, trainer, data, min(n, 2)),
    )
    # Uncached: what follows is to have all its data.
    monkeypatch.setattr(job, "_loaded", job._loaded.__wrapped__)
    monkeypatch.setattr(executors, "LocalProcesses", lambda n: ThreadPoolExecutor(1))
