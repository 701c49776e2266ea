"""A sweep, in this process and in ones of its own: what it does, skips, resumes and survives."""

from __future__ import annotations

import dataclasses
import errno
import os
import signal
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import psutil
import pytest

from smallworld_eqprop import InputError, train
from smallworld_eqprop.data.spec import Images
from smallworld_eqprop.graphs.measure.smallworld import small_world_sigma
from smallworld_eqprop.studies import job, runs, scratch
from smallworld_eqprop.studies.executors import LocalProcesses
from smallworld_eqprop.studies.owners import new_owner, retire
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep


class Inline(Executor):
    """Calls at once, in this process, and counts."""

    def __init__(self):
        self.keys = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.keys.append(args[0].key if fn is job.perform else "metrics")
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def study(tiny):
    return Study("s", grid(tiny.changed(n_train=60), p=[0.0, 0.1], seed=[0, 1]))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "s.sqlite"


@pytest.fixture
def quick(monkeypatch):
    """Progress and stops are looked at after every batch."""
    monkeypatch.setattr(job, "PULSE", 0.0)


def digest(path):
    with Store(path, create=False) as store:
        return store.results_digest()


def tidy(path):
    """Nothing but the store is left."""
    return [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_store_holds_what_single_runs_give(study, path, tmp_path):
    study = dataclasses.replace(study, epochs=2)
    end = sweep(study, path, Inline())
    assert (end.total, end.done, end.failed, end.running, end.elsewhere) == (4, 4, 0, {}, 0)
    assert tidy(path)
    with Store(path) as store:
        table, history, corrections = store.runs(), store.history(), store.corrections()
        assert store.provenance(study.keys[2])[-1]["step"] == "rewire"
        work = store.work()
    assert table["key"].tolist() == list(study.keys)
    for key, config in zip(study.keys, study.runs, strict=True):
        run = train(config, tmp_path / key, epochs=2)
        rows = history[history["key"] == key].drop(columns=["key", "seconds"])
        expected = run.history.drop(columns="seconds")
        assert rows.values.tolist() == expected.values.tolist()
        rms = corrections[(corrections["key"] == key) & (corrections["epoch"] == 2)]
        assert rms["pair"].tolist() == run.pairs
        assert rms["rms"].tolist() == run.corrections(2).mean(axis=0, dtype=float).tolist()
    graph = study.runs[3].topology.build(1)
    assert table["metric_n_edges"].tolist() == [graph.n_edges] * 4
    assert table["metric_skip_share"][3] == graph.skip.mean()
    assert (work["seconds"] > 0).all()


def test_what_is_done_is_not_done_again(study, path):
    calls = Inline()
    few = Study("s", study.runs[:3])
    sweep(few, path, calls)
    before = digest(path)
    sweep(few, path, calls)
    assert calls.keys == list(few.keys)
    assert digest(path) == before
    sweep(study, path, calls)
    assert calls.keys == list(study.keys)
    assert digest(path) != before


@pytest.mark.parametrize("group", ["sigma", "small_world"])
def test_metrics_that_are_asked_for_later_are_added_without_training(study, path, group):
    few = Study("s", study.runs[2:3])
    sweep(few, path, Inline())
    calls = Inline()
    more = dataclasses.replace(few, metrics=("structure", group))
    sweep(more, path, calls)
    assert calls.keys == ["metrics"]
    with Store(path) as store:
        runs = store.runs()
    assert {"metric_transitivity", "metric_small_world_sigma"} <= set(runs)
    assert ("metric_small_world_omega" in runs) == (group == "small_world")
    if group == "sigma":
        [run] = few.runs
        sigma = small_world_sigma(run.topology.build(run.training.seed), seed=run.training.seed)
        assert runs["metric_small_world_sigma"].tolist() == [sigma.value]
    sweep(more, path.with_name("at-once.sqlite"), calls)
    assert digest(path) == digest(path.with_name("at-once.sqlite"))
    sweep(more, path, calls)
    assert calls.keys == ["metrics", *few.keys]


def test_a_bad_run_does_not_stop_the_others(study, path):
    bad = study.runs[0].changed(p=2.0)
    study = Study("s", (bad, *study.runs))
    seen = []
    end = sweep(study, path, Inline(), on_progress=seen.append)
    assert (end.done, end.failed) == (4, 1)
    finished = [progress.finished for progress in seen if progress.finished]
    assert {claim.key for claim, _ in finished} == set(study.keys)
    with Store(path) as store:
        status = store.statuses()[0]
        assert (status.status, status.error) == ("failed", "p: 2.0; give a number from 0 to 1")
        assert "checked_share" in status.traceback
        assert len(store.runs()) == 4
    calls = Inline()
    sweep(study, path, calls)
    assert calls.keys == []
    sweep(study, path, calls, retry_failed=True)
    assert calls.keys == [study.keys[0]]
    assert tidy(path)


def test_an_unexpected_error_is_named(study, path, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr(job, "train", broken)
    assert sweep(study, path, Inline()).failed == 4
    with Store(path) as store:
        assert {run.error for run in store.statuses()} == {"RuntimeError: out of luck"}


def stop_after(number):
    """A callback that sends this process a signal after so many batches."""
    left = [number]

    def stop(progress):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    return stop


@pytest.mark.parametrize("batches", [1, 4, 10])
def test_stopped_anywhere_it_goes_on_from_the_checkpoint(study, path, quick, monkeypatch, batches):
    sweep(study, path.with_name("undisturbed.sqlite"), Inline())
    stop = stop_after(batches)
    show = job._Pulse.show
    monkeypatch.setattr(job._Pulse, "show", lambda self, at: (show(self, at), stop(at)))
    handler = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        sweep(study, path, pool, workers=1)
    assert signal.getsignal(signal.SIGTERM) is handler
    with Store(path) as store:
        assert "running" not in store.standing().values()
    trained = []
    monkeypatch.setattr(job._Pulse, "show", lambda self, at: trained.append(at))
    sweep(study, path, Inline())
    # Three batches and the end of the epoch for each of the four runs, and none of them twice.
    assert len(trained) <= 16 - batches
    assert digest(path) == digest(path.with_name("undisturbed.sqlite"))
    assert not path.with_name("s.sqlite.scratch").exists()


def test_checkpoints_that_cannot_be_used_cost_time_and_nothing_else(study, path, quick):
    sweep(study, path.with_name("undisturbed.sqlite"), Inline())
    folder = path.with_name("s.sqlite.scratch")
    damaged, older = (folder / f"{key}.12345678" for key in study.keys[:2])
    for key, config in zip((damaged, older), study.runs, strict=False):
        train(config, key, epochs=1)
    checkpoint = damaged / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    record = older / "run.json"
    record.write_text(record.read_text().replace('"version": "', '"version": "old-'))
    sweep(study, path, Inline())
    assert digest(path) == digest(path.with_name("undisturbed.sqlite"))
    assert not folder.exists()


def test_what_a_killed_sweep_left_of_finished_runs_is_removed(study, path):
    sweep(study, path, Inline())
    folder = path.with_name("s.sqlite.scratch")
    (folder / f"{study.keys[0]}.12345678").mkdir(parents=True)
    gone = new_owner()
    (folder / f"{gone}.sweep").touch()
    retire(gone)
    sweep(study, path, Inline())
    assert tidy(path)


def test_a_worker_that_was_thought_dead_loses_its_run(study, path, quick, monkeypatch):
    sweep(study, path.with_name("undisturbed.sqlite"), Inline())
    meeting = scratch.Scratch(path.with_name("s.sqlite.scratch"), new_owner())
    meeting.open([])
    tasks = [
        job.Task(key, run, 1, ("structure",), meeting.marker)
        for key, run in zip(study.keys, study.runs, strict=True)
    ]
    show = job._Pulse.show

    def overtaken(self, progress):
        show(self, progress)
        monkeypatch.setattr(job._Pulse, "show", show)
        outcomes.append(job.perform(tasks[0]))

    outcomes = []
    monkeypatch.setattr(job._Pulse, "show", overtaken)
    assert isinstance(job.perform(tasks[0]), job.Stopped)
    [done] = outcomes
    assert done.history[0]["epoch"] == 1
    meeting.close()
    assert isinstance(job.perform(tasks[1]), job.Stopped)  # the sweep is over


def test_a_machine_that_does_not_share_the_folder_works_in_one_of_its_own(study, path, tmp_path):
    marker = tmp_path / "not" / "here"
    done = job.perform(job.Task(study.keys[0], study.runs[0], 1, (), marker))
    assert done.metrics == {}
    assert not marker.parent.exists()


def test_two_sweeps_share_a_study_out(study, path):
    """The second one starts whenever the first has finished a run."""
    first, second = Inline(), Inline()

    def meanwhile(progress):
        if progress.finished:
            one = next(run for run, key in by_key.items() if key not in first.keys + second.keys)
            sweep(Study("s", (one,)), path, second)

    by_key = dict(zip(study.runs, study.keys, strict=True))
    sweep(study, path, first, workers=1, on_progress=meanwhile)
    assert sorted(first.keys + second.keys) == sorted(study.keys)
    assert len(first.keys) == len(second.keys) == 2


def test_runs_of_other_sweeps_are_left_to_them(study, path):
    owner = new_owner()
    with Store(path) as store:
        store.add(study)
        key = store.claim(study.keys, owner).key
    calls = Inline()
    end = sweep(study, path, calls)
    assert (end.done, end.elsewhere) == (3, 1)
    assert key not in calls.keys
    retire(owner)
    assert sweep(study, path, calls).done == 4


def test_a_full_disk_in_a_worker_stops_the_sweep_and_fails_no_run(study, path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "checkpoint.npz")

    monkeypatch.setattr(runs, "write_checkpoint", full)
    with pytest.raises(OSError, match=r"No space left on device: 'checkpoint\.npz'"):
        sweep(study, path, Inline())
    with Store(path) as store:
        assert set(store.standing().values()) == {"pending"}
    monkeypatch.undo()
    assert sweep(study, path, Inline()).done == 4


def test_a_full_disk_under_the_store_costs_no_finished_run(study, path, monkeypatch):
    sweep(Study("s", study.runs[:1]), path, Inline())
    with Store(path) as store:
        store.add(study)
        [(pages,)] = store._db.execute("PRAGMA page_count")
        store._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(OSError, match="No space left"):
            sweep(study, store, Inline())
    with Store(path) as store:
        standing = store.standing()
    assert set(standing.values()) == {"done", "pending"}
    assert standing[study.keys[0]] == "done"
    seen = []
    show = job._Pulse.show
    monkeypatch.setattr(job._Pulse, "show", lambda self, at: (show(self, at), seen.append(at)))
    sweep(study, path, Inline())
    # One at least was trained, and could not be stored; another has three batches and an end.
    assert len(seen) <= 4 * (list(standing.values()).count("pending") - 1)
    sweep(study, path.with_name("undisturbed.sqlite"), Inline())
    assert digest(path) == digest(path.with_name("undisturbed.sqlite"))


def test_missing_data_are_found_out_before_any_run(study, path, monkeypatch):
    def missing(self):
        raise InputError(f"{self.name}: no source has it")

    monkeypatch.setattr(Images, "load", missing)
    with pytest.raises(InputError, match="digits: no source"):
        sweep(study, path, Inline())
    with Store(path) as store:
        assert set(store.standing().values()) == {"pending"}


class Mortal(Inline):
    """Dies of some runs."""

    def __init__(self, deaths):
        super().__init__()
        self.deaths = deaths

    def submit(self, fn, /, task):
        if self.deaths.get(task.key, 0):
            self.deaths[task.key] -= 1
            self.keys.append(task.key)
            future = Future()
            future.set_exception(BrokenExecutor("died"))
            return future
        return super().submit(fn, task)


def test_a_run_of_which_workers_die_again_and_again_fails(study, path):
    calls = Mortal({study.keys[0]: 2, study.keys[1]: 3})
    end = sweep(study, path, calls)
    assert (end.done, end.failed) == (3, 1)
    assert calls.keys.count(study.keys[0]) == calls.keys.count(study.keys[1]) == 3
    with Store(path) as store:
        assert store.statuses()[1].error.startswith("its worker died 3 times")


def test_a_connection_that_is_lost_is_one_line(study, path):
    class Gone(Executor):
        def submit(self, fn, /, *args, **kwargs):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(InputError, match="connection lost") as caught:
        sweep(study, path, Gone())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers: 0"),
        ({"executor": Inline(), "scheduler": "tcp://localhost:1"}, "exclude each other"),
    ],
)
def test_bad_options_are_one_line(study, path, options, words):
    with pytest.raises(InputError, match=words):
        sweep(study, path, **options)
    assert not path.exists()


def test_a_local_worker_that_dies_takes_no_other_along():
    with LocalProcesses(2) as pool:
        dying, living = pool.submit(os._exit, 9), pool.submit(os.getpid)
        with pytest.raises(BrokenExecutor):
            dying.result()
        assert psutil.pid_exists(living.result())
        assert pool.submit(os.getpid).result() > 0
        gone = psutil.Process(living.result())
    gone.wait(timeout=20)
