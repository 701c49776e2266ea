"""Whole sweeps that are killed, again and again, and sweeps that work side by side."""

from __future__ import annotations

import signal
import subprocess
import sys

import psutil
import pytest

from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study

STUDY = """
epochs = 2

[base]
dataset = "digits"
n_train = 200
layer_sizes = [64, 15, 12, 10]
rule.solver.steps = 4

[grid]
p = [0.0, 0.1, 0.2]
seed = [0, 1]
"""

# Forks sweeps, each with its workers in a process group of its own, from a process that has
# everything imported and compiled: so a kill hits a sweep at work and not one that starts.
FORKS = """
import os, random, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from smallworld_eqprop import Trainer, load
from smallworld_eqprop.studies import job, runs
from smallworld_eqprop.studies import sweeping as sweeps
from smallworld_eqprop.studies.study import Study

study, log, *stores = Study.from_toml(sys.argv[1]), *sys.argv[2:]
job.PULSE = runs.CHECKPOINT_EVERY = 0.0
show = job._Pulse.show

def slowly(pulse, progress):
    show(pulse, progress)
    time.sleep(0.005)

def logged(task):
    with open(log, "a") as file:
        file.write(task.key + "\\n")
    return job.perform(task)

job._Pulse.show = slowly
sweeps.perform = logged
data = study.runs[-1].data
job._loaded(data, str(job.identity_of(data)))
job.measure_run(study.runs[-1], study.metrics, None, None)
config = study.runs[-1]
trainer = Trainer(config.topology.build(0), load("digits", n_train=20), config.training)
for _ in trainer.run_epoch():
    pass

def begin(store):
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        with ProcessPoolExecutor(2, get_context("fork")) as pool:
            end = sweeps.sweep(study, store, pool, workers=2)
        os._exit(0 if end.done + end.elsewhere == end.total else 1)
    os.setpgid(child, child)  # whoever of the two comes first
    return child

def end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""

KILLED = """
began = time.monotonic()
statuses = [end(begin(stores[0]))]
# Ten lives together are shorter than half a sweep, so that every kill hits one at work.
longest = (time.monotonic() - began) / 20
for _ in range(10):
    child = begin(stores[1])
    time.sleep(random.uniform(0, longest))
    os.killpg(child, signal.SIGKILL)
    statuses.append(end(child))
print(*statuses, end(begin(stores[1])))
"""

SIDE_BY_SIDE = """
print(*map(end, [begin(stores[0]), begin(stores[0])]))
"""


def in_forks(script, *paths):
    done = subprocess.run(
        [sys.executable, "-c", FORKS + script, *paths],
        capture_output=True,
        text=True,
        timeout=120,
    )
    sys.stderr.write(done.stderr)  # pytest shows it where a fork has failed
    assert done.returncode == 0
    return [int(word) for word in done.stdout.split()]


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def study(study_file):
    return Study.from_toml(study_file)


def assert_same_stores(one, other, study):
    with Store(one, create=False) as left, Store(other, create=False) as right:
        assert set(left.standing()) == set(study.keys)
        for table in ("runs", "history", "corrections"):
            a, b = (
                getattr(store, table)().drop(columns="seconds", errors="ignore")
                for store in (left, right)
            )
            assert a.equals(b), table
        assert left.results_digest() == right.results_digest()
        assert len(left.runs()) == len(study.runs)


def test_killed_ten_times_at_random_moments_it_ends_as_if_never_killed(study_file, study, tmp_path):
    undisturbed, killed, log = (tmp_path / name for name in ("a.sqlite", "b.sqlite", "log"))
    first, *kills, last = in_forks(KILLED, study_file, log, undisturbed, killed)
    assert (first, last) == (0, 0)
    assert kills == [-signal.SIGKILL] * 10
    assert_same_stores(undisturbed, killed, study)
    assert {path.name for path in tmp_path.iterdir()} == {
        "study.toml", "a.sqlite", "b.sqlite", "log",
    }  # fmt: skip


def test_two_sweeps_at_once_never_do_the_same_run(study_file, study, tmp_path):
    store, log = tmp_path / "store.sqlite", tmp_path / "log"
    assert in_forks(SIDE_BY_SIDE, study_file, log, store) == [0, 0]
    assert sorted(log.read_text().split()) == sorted(study.keys)
    with Store(store, create=False) as opened:
        assert len(opened.runs()) == len(study.runs)


def test_workers_do_not_outlive_a_killed_sweep(study_file, study, tmp_path):
    """The command line, with workers in the way they are by default."""
    store = tmp_path / "store.sqlite"
    command = [
        sys.executable, "-c", "from smallworld_eqprop.cli import main; raise SystemExit(main())",
        "sweep", str(study_file), "--store", str(store), "--workers=1",
    ]  # fmt: skip
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as sweep:
        assert sweep.stdout is not None
        sweep.stdout.readline()
        children = psutil.Process(sweep.pid).children()
        [worker] = [child for child in children if "spawn_main" in str(child.cmdline())]
        sweep.send_signal(signal.SIGKILL)
        sweep.wait()
    worker.wait(timeout=20)
    with Store(store, create=False) as opened:
        assert len(opened.runs()) >= 1
        assert "running" not in opened.standing().values()
