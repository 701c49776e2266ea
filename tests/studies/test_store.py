"""The store: transactions, claims, tables, and files that are damaged, full or read-only."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import time
from contextlib import closing

import pytest

from smallworld_eqprop import InputError, RunConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.learning.history import EpochRecord
from smallworld_eqprop.studies import owners
from smallworld_eqprop.studies.owners import is_alive, new_owner, retire
from smallworld_eqprop.studies.results import Correction, Done, Failed, Work
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid

BASE = RunConfig(data=named("digits")).changed(layer_sizes=[64, 12, 10], learning_rate=[0.1, 0.2])
STUDY = Study("s", grid(BASE, p=[0.0, 0.1], seed=[0, 1]), epochs=2)
KEYS = STUDY.keys
NAN = float("nan")


def record(epoch, error):
    values = {field.name: 0.5 for field in dataclasses.fields(EpochRecord)}
    return {**values, "epoch": epoch, "unconverged": 3, "test_error": error, "log_spread": NAN}


def outcome(error=0.25, **work):
    values = {"worker": "w:1", "started": 1.0, "finished": 3.0, "seconds": 2.0, "environment": {}}
    return Done(
        graph={"n_edges": 7, "provenance": [{"step": "layered"}]},
        dataset={"name": "digits"},
        history=[record(1, 0.5), record(2, error)],
        corrections=[
            Correction(epoch, pair, "interlayer", 0.1 * epoch)
            for epoch in (1, 2)
            for pair in ("1-2", "0-1")
        ],
        metrics={"transitivity": 0.0, "density": 0.3, "degree_assortativity": NAN},
        work=Work(**(values | work)),
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path):
    with Store(path) as opened:
        opened.add(STUDY)
        yield opened


@pytest.fixture
def owner():
    name = new_owner()
    yield name
    retire(name)


def finish_all(store, owner, keys=KEYS, **work):
    for number, key in enumerate(keys):
        assert store.claim([key], owner).key == key
        assert store.finish(key, owner, outcome(0.01 * number, **work))


def test_a_changed_grid_only_adds(store, owner):
    assert store.add(STUDY) == 0
    finish_all(store, owner)
    more = Study("s", grid(BASE, p=[0.1, 0.2], seed=[0, 1]), epochs=2)
    assert store.add(more) == 2
    assert list(store.standing().values()) == ["done"] * 4 + ["pending"] * 2


def test_every_run_is_claimed_once_whoever_asks(store, path, owner):
    other = new_owner()
    with Store(path) as second:
        claimed = [
            one.claim(KEYS, name).key
            for one, name in ((store, owner), (second, other), (store, owner), (second, other))
        ]
        assert claimed == list(KEYS)
        assert store.claim(KEYS, owner) is second.claim(KEYS, other) is None
        assert set(second.standing().values()) == {"running"}
        second.release(other, claimed[1])
        assert store.claim(KEYS, owner).key == claimed[1]
        retire(other)
        assert store.claim(KEYS, owner).key == claimed[3]


def test_a_claim_says_what_to_do(store, owner):
    claim = store.claim(KEYS, owner)
    assert (claim.config, claim.epochs) == (STUDY.runs[0], 2)


def test_a_run_that_went_to_another_sweep_is_not_stored(store, owner):
    key = store.claim(KEYS, owner).key
    retire(owner)
    other = new_owner()
    assert store.claim([key], other).key == key
    assert not store.finish(key, owner, outcome(0.1))
    assert not store.fail(key, owner, Failed("too late"))
    assert store.finish(key, other, outcome(0.2))
    assert store.runs().final_test_error.tolist() == [0.2]


def test_owners_on_this_machine_live_as_long_as_their_process():
    mine = new_owner()
    assert is_alive(mine, heartbeat=0.0)  # suspended for ages, but there
    retire(mine)
    assert not is_alive(mine, heartbeat=time.time())
    host, _, started, token = mine.rsplit("~", 3)
    for pid, start in (
        (os.getppid(), float(started) - 1e6),  # that number is another process by now
        (2**22 + 1, started),  # larger than any number of a process
    ):
        assert not is_alive(f"{host}~{pid}~{start}~{token}", heartbeat=time.time())


def test_owners_elsewhere_live_as_long_as_their_heart_beats(store, monkeypatch):
    monkeypatch.setattr(owners.platform, "node", lambda: "elsewhere")
    far = new_owner()
    store.claim(KEYS, far)
    monkeypatch.undo()
    assert is_alive(far, time.time() - 1)
    assert not is_alive(far, time.time() - owners.LEASE - 1)
    assert store.standing()[KEYS[0]] == "running"
    monkeypatch.setattr(owners, "LEASE", -1.0)
    assert store.standing()[KEYS[0]] == "pending"
    monkeypatch.setattr(owners, "LEASE", 0.5)
    store.beat(far)
    assert store.standing()[KEYS[0]] == "running"


def test_a_run_is_wholly_there_or_not(store, owner):
    before = store.results_digest()
    key = store.claim(KEYS, owner).key
    good = outcome()
    bad = dataclasses.replace(good, work=dataclasses.replace(good.work, worker=object()))
    with pytest.raises(sqlite3.Error):
        store.finish(key, owner, bad)  # all but its last row can be written
    assert store.results_digest() == before
    assert store.standing()[key] == "running"
    for table in (store.runs(), store.history(), store.corrections(), store.work()):
        assert table.empty
    assert store.finish(key, owner, good)


def test_failures_are_kept_and_can_be_retried(store, owner):
    key = store.claim(KEYS, owner).key
    assert store.fail(key, owner, Failed("p: 2.0", "Traceback ..."))
    assert store.claim([key], owner) is None
    status = store.statuses()[0]
    assert (status.status, status.error, status.traceback) == ("failed", "p: 2.0", "Traceback ...")
    store.retry_failed(KEYS)
    assert store.statuses()[0].error is None
    assert store.claim([key], owner).key == key


def test_runs_are_one_row_each(store, owner):
    finish_all(store, owner, reversed(KEYS))
    runs = store.runs()
    assert runs["key"].tolist() == list(KEYS)  # in the order of the study
    assert runs["p"].tolist() == [0.0, 0.0, 0.1, 0.1]
    assert runs["seed"].tolist() == [0, 1, 0, 1]
    assert runs["learning_rate"].tolist() == ["[0.1, 0.2]"] * 4
    assert runs["family"].tolist() == ["rewire"] * 4
    assert runs["final_test_error"].tolist() == [0.03, 0.02, 0.01, 0.0]
    assert runs["epoch1_test_error"].tolist() == [0.5] * 4
    assert runs["final_log_spread"].isna().all()
    assert runs["final_log_spread"].dtype == float
    assert runs["final_unconverged"].tolist() == [3] * 4
    measured = [name for name in runs if name.startswith("metric_")]
    assert measured == ["metric_transitivity", "metric_density", "metric_degree_assortativity"]
    assert runs["metric_degree_assortativity"].isna().all()
    assert not [name for name in runs if "seconds" in name or "worker" in name]


def test_history_and_corrections_are_tidy(store, owner):
    finish_all(store, owner)
    history = store.history()
    assert list(history) == ["key", *(field.name for field in dataclasses.fields(EpochRecord))]
    assert history[["key", "epoch"]].values.tolist() == [[key, n] for key in KEYS for n in (1, 2)]
    corrections = store.corrections()
    assert list(corrections) == ["key", "epoch", "pair", "kind", "rms"]
    assert corrections["pair"].tolist() == ["1-2", "0-1"] * 8
    assert corrections["rms"].tolist() == [0.1, 0.1, 0.2, 0.2] * 4
    assert store.work()["worker"].tolist() == ["w:1"] * 4
    assert store.provenance(KEYS[0]) == ({"step": "layered"},)
    with pytest.raises(InputError, match="no finished run 'x'"):
        store.provenance("x")
    assert store.config(KEYS[3]) == STUDY.runs[3]
    with pytest.raises(InputError, match="no run 'x'"):
        store.config("x")


def test_an_empty_store_has_empty_tables(store):
    assert "p" in store.runs()
    assert store.runs().empty and store.history().empty and store.corrections().empty
    assert not store.measured("density")


def test_metrics_can_be_added_later(store, owner):
    finish_all(store, owner, KEYS[:2])
    before = store.results_digest()
    store.add_metrics(KEYS[0], {"small_world_sigma": 2.0}, {"sigma": None})
    assert store.measured("sigma") == {KEYS[0]}
    assert store.runs()["metric_small_world_sigma"].tolist()[0] == 2.0
    assert store.results_digest() != before


def test_the_digest_is_of_the_outcome_alone(tmp_path, owner):
    digests = []
    for name, keys, error, work in (
        ("a", KEYS, 0.2, {}),
        ("b", KEYS[::-1], 0.2, {"worker": "other", "seconds": 9.0}),
        ("c", KEYS, 0.2 + 1e-16, {}),
    ):
        with Store(tmp_path / name) as store:
            store.add(STUDY)
            for key in keys:
                store.claim([key], owner)
                done = outcome(error, **work)
                if name == "b":
                    done.history[0]["seconds"] = 99.0
                store.finish(key, owner, done)
            digests.append(store.results_digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_store_of_before_a_quantity_was_recorded_takes_it_in(path, owner):
    with Store(path) as store:
        store.add(STUDY)
        finish_all(store, owner, KEYS[:1])
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE epochs DROP COLUMN worst_residual")
        db.execute("DROP TABLE digests")
    with Store(path, create=False) as store:
        assert "worst_residual" not in store.history()
    with Store(path) as store:
        finish_all(store, owner, KEYS[1:])
        assert store.history()["worst_residual"].isna().sum() == 2


def one_line(error):
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a database, but long enough to be taken for one" * 30, "damaged, or not a store"),
        ("CREATE TABLE other (x)", "not a store of studies"),
        ("PRAGMA user_version = 99", "form 99"),
    ],
)
def test_a_file_that_is_something_else_is_left_alone(path, content, words):
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        if "user_version" in content:
            Store(path).close()
        with closing(sqlite3.connect(path)) as db:
            db.execute(content)
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(InputError, match=words) as caught:
            Store(path, create=create)
        assert path.name in one_line(caught.value)
    assert path.read_bytes() == before


def test_a_damaged_store_is_refused_and_left_alone(store, path, owner):
    finish_all(store, owner)
    store.close()
    whole = path.read_bytes()
    refused = 0
    for page in range(1, len(whole) // 4096):
        damaged = whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :]
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged") as caught:
            Store(path)
        one_line(caught.value)
        assert path.read_bytes() == damaged
        refused += 1
    assert refused > 5
    path.write_bytes(whole[:5000])
    with pytest.raises(InputError, match="damaged"):
        Store(path, create=False)


def test_there_is_no_store(path):
    with pytest.raises(InputError, match="no store here"):
        Store(path, create=False)
    assert not path.exists()


def test_a_folder_in_place_of_the_store(tmp_path):
    with pytest.raises(InputError, match="a folder, not the store of a study; name the file"):
        Store(tmp_path)


def test_a_full_disk_keeps_what_was_there(store, owner):
    finish_all(store, owner, KEYS[:1])
    before = store.results_digest()
    store.claim(KEYS[1:], owner)
    [(pages,)] = store._db.execute("PRAGMA page_count")
    store._db.execute(f"PRAGMA max_page_count={pages}")
    large = dataclasses.replace(outcome(), metrics={f"m{n}": 0.0 for n in range(1000)})
    with pytest.raises(OSError, match="No space left on device") as caught:
        store.finish(KEYS[1], owner, large)
    assert caught.value.filename == str(store.path)
    assert store.results_digest() == before
    store._db.execute("PRAGMA max_page_count=100000")
    assert store.finish(KEYS[1], owner, large)


@pytest.fixture
def unprivileged(path):
    """As a user who may read the store and not write it; root itself may write everywhere."""
    if os.geteuid() == 0:
        for folder in path.parents:
            if not folder.stat().st_mode & 0o005:
                folder.chmod(0o755)
        os.seteuid(65534)
    else:
        path.parent.chmod(0o500)
        path.chmod(0o400)
    yield
    if os.geteuid() == 65534:
        os.seteuid(0)
    else:
        path.parent.chmod(0o700)


def test_a_read_only_store_can_be_read(path, owner, request):
    with Store(path) as store:
        store.add(STUDY)
        finish_all(store, owner)
        digest = store.results_digest()
    request.getfixturevalue("unprivileged")
    with Store(path, create=False) as store:
        assert store.results_digest() == digest
        assert len(store.runs()) == 4
    with (
        Store(path) as store,
        pytest.raises(OSError, match=r"Read-only|Permission") as caught,
    ):
        store.retry_failed(KEYS)
    assert caught.value.filename == str(path)


def test_a_store_says_where_its_runs_stand(store, path, owner):
    claim = store.claim(KEYS, owner)
    store.fail(claim.key, owner, Failed("no"))
    assert repr(store) == f"Store({path}: {len(KEYS) - 1} pending, 1 failed)"
    store.close()
    assert repr(store) == f"Store({path}: closed or unreadable)"
