"""A sweep on a real dask cluster: a scheduler and workers in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from smallworld_eqprop import InputError, RunConfig
from smallworld_eqprop.studies.executors import dask_executor
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep

pytest.importorskip("distributed")

# Workers log every run that they begin, and take their time over it.
PRELOAD = """
import os, time
from smallworld_eqprop.studies import job

class Slowly(job._Pulse):
    def show(self, progress):
        super().show(progress)
        time.sleep(0.01)
        if progress.batch.batch == 0 and progress.finished is None:
            with open({log!r}, "a") as file:
                file.write(f"{{os.getpid()}} {{self._folder.name.split('.')[0]}}\\n")

def dask_setup(worker):
    job.PULSE, job._Pulse = 0.0, Slowly
"""


@pytest.fixture
def study():
    base = RunConfig.preset("layered-5x100", dataset="digits", layer_sizes=[64, 15, 12, 10])
    base = base.changed(n_train=200, rule={"solver": {"steps": 4}})
    return Study("s", grid(base, p=[0.0, 0.1], seed=range(5)))


@pytest.fixture
def cluster(tmp_path):
    """A scheduler with three workers: address, processes, and a log of what workers begin."""
    log = tmp_path / "log"
    (tmp_path / "preload.py").write_text(PRELOAD.format(log=str(log)))
    python = sys.executable
    quiet = {"stderr": subprocess.DEVNULL, "cwd": tmp_path}
    scheduler = subprocess.Popen(
        [python, "-m", "distributed.cli.dask_scheduler", "--host=127.0.0.1", "--port=0",
         "--no-dashboard", "--scheduler-file=scheduler.json"], **quiet)  # fmt: skip
    workers = [
        subprocess.Popen(
            [python, "-m", "distributed.cli.dask_worker", "--scheduler-file=scheduler.json",
             "--nthreads=1", "--no-nanny", "--no-dashboard", "--preload=preload.py"], **quiet)
        for _ in range(3)
    ]  # fmt: skip
    description = tmp_path / "scheduler.json"
    deadline = time.monotonic() + 60
    while not description.exists() or not description.stat().st_size:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield json.loads(description.read_text())["address"], scheduler, workers, log
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def test_a_worker_and_then_the_scheduler_are_killed(study, cluster, tmp_path, capfd):
    """Every run is in the store once; what a lost cluster has not done stays to be done."""
    address, scheduler, workers, log = cluster
    with dask_executor(address) as (_, slots):
        while slots() < 3:
            time.sleep(0.05)
    killed = []

    def kill(progress):
        begun = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        if not killed and len({pid for pid, _ in begun}) == 3:
            pid, key = next(line for line in reversed(begun) if line[1] in progress.running)
            os.kill(int(pid), signal.SIGKILL)
            killed.append(key)

    end = sweep(study, tmp_path / "cluster.sqlite", scheduler=address, on_progress=kill)
    with Store(tmp_path / "cluster.sqlite") as store:
        assert {run.error for run in store.statuses()} == {None}
    assert end.done == 10
    [key] = killed
    assert sum(worker.poll() is not None for worker in workers) == 1
    begun = [line.split() for line in log.read_text().splitlines()]
    others = Counter(name for _, name in begun if name != key)
    assert set(others.values()) == {1}
    with Store(tmp_path / "cluster.sqlite") as store:
        assert store.runs()["key"].tolist() == list(study.keys)
        assert len({name.rpartition(":")[2] for name in store.work()["worker"]}) >= 2
        on_cluster = store.results_digest()
    with ThreadPoolExecutor(1) as here:
        sweep(study, tmp_path / "here.sqlite", here, workers=1)
    with Store(tmp_path / "here.sqlite") as store:
        assert store.results_digest() == on_cluster

    def kill_all(progress):
        if progress.done:
            scheduler.kill()

    again = tmp_path / "again.sqlite"
    with pytest.raises(InputError, match="connection lost"):
        sweep(study, again, scheduler=address, on_progress=kill_all)
    with Store(again) as store:
        assert set(store.standing().values()) == {"done", "pending"}
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://127.0.0.1", "nonsense://x"])
def test_a_scheduler_that_is_not_there_is_one_line(study, tmp_path, address, monkeypatch):
    monkeypatch.setattr("smallworld_eqprop.studies.executors.CONNECT", 0.3)
    with pytest.raises(InputError, match="cannot be reached") as caught:
        sweep(study, tmp_path / "store.sqlite", scheduler=address)
    assert "\n" not in str(caught.value)
    assert address in str(caught.value)
    with Store(tmp_path / "store.sqlite") as store:
        assert set(store.standing().values()) == {"pending"}
