"""Event files, read back record by record: length, checksum, message, checksum."""

from __future__ import annotations

import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from smallworld_eqprop import InputError, Store, Study, grid, sweep, train


def scalars(folder):
    """Values by tag and step of the one event file in a folder."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.glob("events.out.tfevents.*")
    content, place, found = path.read_bytes(), 0, {}
    while place < len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        event = Event.FromString(content[place + 12 : place + 12 + length])
        place += 12 + length + 4
        for value in event.summary.value:
            assert (value.tag, event.step) not in found
            found[value.tag, event.step] = value.simple_value
    return found


def test_every_epoch_is_there_once_however_often_it_was_started(tiny, reference, tmp_path):
    logs, folder = tmp_path / "logs", tmp_path / "mine"
    train(tiny, folder, epochs=1, tensorboard=logs)
    run = train(tiny, folder, epochs=2, existing="resume", tensorboard=logs)
    found = scalars(logs / "mine")
    assert {step for tag, step in found if tag == "error/test"} == {1, 2}
    for row in run.history.itertuples():
        for tag, value in (
            ("error/training", row.training_error),
            ("error/test", row.test_error),
            ("log-spread/all", row.log_spread),
            ("relaxation/sweeps", row.mean_sweeps),
        ):
            assert found[tag, row.Index + 1] == pytest.approx(value)
        means = run.corrections(row.epoch).mean(axis=0)
        for pair, mean in zip(run.pairs, means, strict=True):
            assert found[f"RMS_correction/{pair}", row.epoch] == pytest.approx(mean, rel=1e-5)
    # What is recorded does not depend on it.
    assert run.history.test_error.tolist() == reference.history.test_error.tolist()


def test_event_files_of_other_programs_are_kept(tiny, tmp_path):
    other = tmp_path / "logs" / "mine" / "events.out.tfevents.1700000000.host"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"mine")
    for existing in ("error", "overwrite"):
        train(tiny, tmp_path / "mine", epochs=1, existing=existing, tensorboard=tmp_path / "logs")
    assert other.read_bytes() == b"mine"
    assert len(list(other.parent.iterdir())) == 2


def test_a_run_of_the_same_name_elsewhere_keeps_its_event_file(tiny, tmp_path):
    logs = tmp_path / "logs"
    for place in ("first", "second", "first"):
        train(tiny, tmp_path / place / "mine", epochs=1, existing="overwrite", tensorboard=logs)
    assert len(list((logs / "mine").iterdir())) == 2


def test_a_sweep_names_its_runs_by_what_they_differ_in(tiny, tmp_path):
    rates = [0.01, [0.1, 0.05, 0.02]]
    study = Study("rates", grid(tiny, learning_rate=rates), epochs=1)
    with ThreadPoolExecutor(1) as executor, Store(tmp_path / "store.sqlite") as store:
        sweep(study, store, executor, tensorboard=tmp_path / "logs")
        errors = store.runs()["final_test_error"]
    folders = sorted((tmp_path / "logs" / "rates").iterdir())
    assert [folder.name for folder in folders] == [
        "learning_rate=-0.1-0.05-0.02-",
        "learning_rate=0.01",
    ]
    found = [scalars(folder)["error/test", 1] for folder in folders]
    assert sorted(found) == pytest.approx(sorted(errors))


def test_without_the_library_nothing_is_started(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    words = r"needs tensorboardX; pip install 'smallworld-eqprop\[tensorboard\]'"
    with pytest.raises(InputError, match=words):
        train(tiny, tmp_path / "run", epochs=1, tensorboard=tmp_path / "logs")
    with pytest.raises(InputError, match=words):
        sweep(Study("one", (tiny,)), tmp_path / "store", tensorboard=tmp_path / "logs")
    assert not list(tmp_path.iterdir())
