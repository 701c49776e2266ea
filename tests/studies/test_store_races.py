"""Two processes at one store in the same moment."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from smallworld_eqprop import RunConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.studies import database
from smallworld_eqprop.studies.owners import new_owner, retire
from smallworld_eqprop.studies.results import Correction, Done, Failed, Work
from smallworld_eqprop.studies.scratch import Scratch
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid

BASE = RunConfig(data=named("digits")).changed(layer_sizes=[64, 12, 10], learning_rate=[0.1, 0.2])
OUTCOME = Done(
    graph={},
    dataset={},
    history=[],
    corrections=[Correction(1, "0-1", "interlayer", 0.1)],
    metrics={"density": 0.3},
    measures={},
    work=Work(worker="w:1", started=1.0, finished=3.0, seconds=2.0, environment={}),
)


@pytest.fixture
def study():
    return Study("s", grid(BASE, seed=[0, 1]), epochs=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.sqlite"


class Meanwhile:
    """Does something in another thread as soon as a connection comes to a statement."""

    def __init__(self, words, deed):
        self._words, self._deed = words, deed
        self.thread = None

    def __call__(self, statement):
        if self.thread is None and self._words in statement:
            self.thread = threading.Thread(target=self._deed)
            self.thread.start()
            self.thread.join(0.5)  # longer only where it has to wait for this connection


@pytest.mark.parametrize("words", ["user_version", "sqlite_schema", "quick_check"])
def test_a_store_that_another_process_makes_just_now_is_a_store(path, study, monkeypatch, words):
    def make():
        with Store(path) as store:
            store.add(study)

    meanwhile = Meanwhile(words, make)
    connect = sqlite3.connect

    def watched(*args, **options):
        db = connect(*args, **options)
        if threading.current_thread() is threading.main_thread():
            db.set_trace_callback(meanwhile)
        return db

    monkeypatch.setattr(database.sqlite3, "connect", watched)
    with Store(path) as store:
        store.add(study)
        meanwhile.thread.join()
        assert list(store.standing()) == list(study.keys)


def test_a_run_that_ends_while_one_reads_is_wholly_in_it_or_not(path, study):
    owner = new_owner()
    failed, done = study.keys
    with Store(path) as store, closing(Store(path)) as other:
        store.add(study)
        other.claim([failed], owner)
        other.fail(failed, owner, Failed("too hot"))
        other.claim([done], owner)
        before = store.results_digest()

        def finish():
            with Store(path) as third:
                third.finish(done, owner, OUTCOME)

        meanwhile = Meanwhile("FROM corrections", finish)
        store._db.set_trace_callback(meanwhile)
        seen = store.results_digest()
        store._db.set_trace_callback(None)
        meanwhile.thread.join()
        assert seen == before != store.results_digest()
    retire(owner)


def test_a_sweep_that_ends_takes_no_folder_from_one_that_begins(path, monkeypatch):
    ends, begins = (Scratch(path, new_owner()) for _ in range(2))
    ends.open([])
    touch, late = type(path).touch, [ends.close]

    def touch_late(marker):
        while late:
            late.pop()()
        touch(marker)

    monkeypatch.setattr(type(path), "touch", touch_late)
    begins.open([])
    assert begins.marker.exists()
