"""What is no worker's death and no end of a sweep: lost markers, odd clocks, busy stores."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

import psutil
import pytest

from smallworld_eqprop import InputError
from smallworld_eqprop.studies import database, executors, job, owners, sweeping
from smallworld_eqprop.studies.owners import is_alive, new_owner, retire
from smallworld_eqprop.studies.results import Stopped
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep


@pytest.fixture
def study(tiny):
    return Study("s", grid(tiny.changed(n_train=60), seed=[0, 1]), metrics=())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.sqlite"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(job, "PULSE", 0.0)
    monkeypatch.setattr(sweeping, "TICK", 0.01)


@pytest.fixture
def elsewhere(monkeypatch):
    """The name of a sweep on another machine."""
    with monkeypatch.context() as patch:
        patch.setattr(owners.platform, "node", lambda: "elsewhere")
        owner = new_owner()
    yield owner
    retire(owner)


def errors(path):
    with Store(path, create=False) as store:
        return [run.error for run in store.statuses()]


@pytest.mark.parametrize("lost", ["marker", "folder"])
def test_a_marker_that_vanishes_is_made_again(study, path, quick, monkeypatch, lost):
    show, left = job._Pulse.show, [6]

    def lose(self, progress):
        show(self, progress)
        left[0] -= 1
        # More often than a worker may die of a run.
        if left[0] >= 0 and lost == "marker":
            self._marker.unlink(missing_ok=True)
        elif left[0] == 5:
            shutil.rmtree(self._marker.parent)

    monkeypatch.setattr(job._Pulse, "show", lose)
    with ThreadPoolExecutor(1) as pool:
        end = sweep(study, path, pool, workers=1)
    assert (end.done, end.failed) == (2, 0)
    assert errors(path) == [None, None]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_workers_that_stop_for_no_reason_end_the_sweep_and_fail_no_run(study, path, quick):
    class Stops(Executor):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.set_result(Stopped())
            return future

    with pytest.raises(InputError, match=r"\.sweep: workers found it missing 10 times"):
        sweep(study, path, Stops())
    with Store(path) as store:
        assert set(store.standing().values()) == {"pending"}


def test_a_sweep_lives_whatever_becomes_of_the_clock(monkeypatch):
    """Linux makes the start of a process of the clock and of the time since boot."""
    owner = new_owner()
    parent = psutil.Process(owners.os.getppid())
    host, _, _, token = owner.rsplit("~", 3)
    started = f"{owners._started(parent):.2f}"
    step, boot, create = 3600.0, psutil.boot_time, psutil.Process.create_time
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + step)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create(self) + step)
    assert is_alive(f"{host}~{parent.pid}~{started}~{token}", heartbeat=0.0)
    retire(owner)


@pytest.mark.parametrize("skew", [-3600.0, 3600.0])
def test_a_sweep_elsewhere_lives_whatever_its_clock_says(study, path, monkeypatch, elsewhere, skew):
    clock, now = [0.0], time.time()
    monkeypatch.setattr(owners.time, "monotonic", lambda: clock[0])
    key = study.keys[0]

    def beat():
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: now + skew + clock[0])
            store.beat(elsewhere)

    with Store(path) as store, Store(path) as other:
        store.add(study)
        assert store.claim([key], elsewhere)
        mine = new_owner()
        for _ in range(10):
            beat()
            assert other.claim([key], mine) is None
            clock[0] += owners.LEASE / 2
        # Without further signs of life it is dead.
        assert other.claim([key], mine) is None
        clock[0] += owners.LEASE
        assert other.claim([key], mine).key == key
        retire(mine)


def test_a_sweep_waits_for_one_that_may_be_dead(study, path, quick, monkeypatch, elsewhere):
    monkeypatch.setattr(owners, "LEASE", 0.3)
    with Store(path) as store, ThreadPoolExecutor(1) as pool:
        store.add(study)
        store.claim(study.keys, elsewhere)
        time.sleep(0.3)
        assert sweep(study, path, pool, workers=1).done == 2


def test_a_store_that_is_kept_busy_delays_the_sweep(study, path, quick, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    with Store(path) as store:
        store.add(study)
    held = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    held.execute("BEGIN")
    held.execute("SELECT * FROM runs").fetchall()
    busy = []
    kind = database._kind
    monkeypatch.setattr(database, "_kind", lambda error: busy.append(kind(error)) or busy[-1])
    release = threading.Timer(1.0, lambda: held.execute("ROLLBACK"))
    release.start()
    with ThreadPoolExecutor(1) as pool:
        end = sweep(study, path, pool, workers=1)
    release.join()
    held.close()
    assert busy
    assert set(busy) == {sqlite3.SQLITE_BUSY}
    assert (end.done, end.failed) == (2, 0)


def test_a_store_that_is_kept_busy_can_be_given_up(study, path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.01)
    with Store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as held:
        store.add(study)
        held.execute("BEGIN")
        held.execute("SELECT * FROM runs").fetchall()
        store.give_up = lambda: True
        with pytest.raises(OSError, match="busy"):
            store.claim(study.keys, "me")
        held.execute("ROLLBACK")
        assert set(store.standing().values()) == {"pending"}


@pytest.mark.parametrize("stopped", [False, True])
def test_workers_that_die_as_they_start_are_blamed_on_the_script_unless_it_is_stopped(
    study, path, monkeypatch, stopped
):
    """SIGTERM to all processes of a sweep, as `timeout` sends it, ends workers that start."""

    class Dies(Executor):
        def submit(self, fn, /, *args, **kwargs):
            if stopped:
                os.kill(os.getpid(), signal.SIGTERM)
            future = Future()
            future.set_exception(BrokenProcessPool())
            return future

    monkeypatch.setattr(executors.LocalProcesses, "_pool", lambda self: Dies())
    with pytest.raises(KeyboardInterrupt if stopped else InputError) as caught:
        sweep(study, path, workers=1)
    assert str(caught.value) == ("" if stopped else executors.GUARD)
    with Store(path) as store:
        assert set(store.standing().values()) == {"pending"}


SCRIPT = """
import sys
from smallworld_eqprop import RunConfig
from smallworld_eqprop.studies import Study, sweep

base = RunConfig.preset("layered-5x100", dataset="digits", layer_sizes=[64, 9, 10], n_train=20)
sweep(Study("s", (base,)), sys.argv[1], workers=1)
"""


def test_a_script_without_a_guard_ends_in_the_error_that_says_so(tmp_path):
    script, path = tmp_path / "script.py", tmp_path / "s.sqlite"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, path], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(executors.GUARD)
    with Store(path, create=False) as store:
        assert set(store.standing().values()) == {"pending"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["s.sqlite", "script.py"]
