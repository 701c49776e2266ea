"""Runs that are killed, stopped, damaged, or that run out of disk."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from smallworld_eqprop import InputError, Run, train
from smallworld_eqprop.studies import folder as folder_module
from smallworld_eqprop.studies import resuming, runs

# Forks runs from a process that has everything imported and compiled: so a kill hits a run at work.
LIVES = """
import json, os, random, signal, sys, time
from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.studies import runs

config, folder, other = RunConfig.from_dict(json.loads(sys.argv[1])), *sys.argv[2:]
runs.CHECKPOINT_EVERY = 0.0
train(config, other, epochs=1)
for life in range(20):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)

        def report(progress):
            os.write(writing, b".")
            time.sleep(0.02)

        train(config, folder, epochs=2, existing="resume", on_batch=report)
        os._exit(0)
    os.close(writing)
    first = os.read(reading, 1)
    # Less than a third of the batches at a time, so that it takes both kills.
    time.sleep(random.uniform(0, 0.06))
    if first and life < 2:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with open(f"{folder}/run.json") as record:
        print(os.waitstatus_to_exitcode(status), json.load(record)["key"])
    if status == 0:
        break
"""


def test_killed_at_random_moments_it_ends_as_if_never_killed(
    tiny, reference, tmp_path, same_outcome
):
    folder = tmp_path / "killed"
    lives = subprocess.run(
        [sys.executable, "-c", LIVES, json.dumps(tiny.to_dict()), folder, tmp_path / "other"],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert lives.stdout.splitlines() == [f"{s} {tiny.key}" for s in (-9, -9, 0)]
    same_outcome(reference.folder, folder)
    assert not list(folder.rglob(".*"))


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [False, True])
def test_killed_before_or_after_any_write_it_ends_the_same(
    tiny, reference, tmp_path, same_outcome, monkeypatch, after
):
    """Every moment a file is replaced, one after the other, in one run that never gives up."""
    folder = tmp_path / "killed"
    writer = folder_module.atomic_writer
    monkeypatch.setattr(runs, "CHECKPOINT_EVERY", 0.0)
    deaths = 0
    left = 0

    @contextmanager
    def mortal(path):
        nonlocal left, deaths
        left -= 1
        if left == 0 and not after:
            deaths += 1
            raise Killed
        with writer(path) as file:
            yield file
        if left == 0:
            deaths += 1
            raise Killed

    monkeypatch.setattr(folder_module, "atomic_writer", mortal)
    for lifetime in range(1, 60):
        left = lifetime
        try:
            train(tiny, folder, epochs=2, existing="resume")
            break
        except Killed:
            continue
    assert deaths >= 5
    same_outcome(reference.folder, folder)


def test_ctrl_c_finishes_the_batch_and_keeps_everything(tiny, reference, tmp_path, same_outcome):
    folder = tmp_path / "stopped"
    seen = []

    def interrupt(progress):
        seen.append(progress.batch.batch)
        if len(seen) == 13:
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tiny, folder, epochs=2, on_batch=interrupt)
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(seen) == 13
    train(tiny, folder, epochs=2, existing="resume", on_batch=interrupt)
    assert seen[13] == seen[12] + 1
    same_outcome(reference.folder, folder)


def test_sigterm_is_as_gentle(tiny, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(
            tiny,
            tmp_path / "run",
            epochs=9,
            on_batch=lambda progress: os.kill(os.getpid(), signal.SIGTERM),
        )
    assert (tmp_path / "run" / "checkpoint.npz").exists()


def test_another_configuration_is_not_resumed(tiny, reference):
    with pytest.raises(InputError, match=r"p is 0.1, not 0.2") as caught:
        train(tiny.changed(p=0.2), reference.folder, epochs=3, existing="resume")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["run.json", "checkpoint.npz"])
def test_another_version_is_not_resumed(tiny, reference, name, monkeypatch):
    if name == "run.json":
        monkeypatch.setattr(resuming, "__version__", "99.0")
    else:
        monkeypatch.setattr(folder_module, "__version__", "99.0")
    with pytest.raises(InputError, match=r"version.*99\.0.*overwrite"):
        train(tiny, reference.folder, epochs=3, existing="resume")


def test_a_checkpoint_of_another_run_is_refused(tiny, reference, tmp_path):
    other = train(tiny.changed(seed=8), tmp_path / "other", epochs=1)
    (other.folder / "checkpoint.npz").replace(reference.folder / "checkpoint.npz")
    with pytest.raises(InputError, match=r"checkpoint of another configuration"):
        train(tiny, reference.folder, epochs=3, existing="resume")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_is_refused(tiny, reference, share):
    path = reference.folder / "checkpoint.npz"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"damaged checkpoint .*; overwrite") as caught:
        train(tiny, reference.folder, epochs=3, existing="resume")
    assert "\n" not in str(caught.value)


def test_no_flipped_byte_of_a_checkpoint_goes_unnoticed(tiny, reference):
    path = reference.folder / "checkpoint.npz"
    content = path.read_bytes()
    history = (reference.folder / "history.csv").read_bytes()
    rng = np.random.default_rng(0)
    # Everywhere in the data, and densely in the directory at the end, which no checksum covers.
    places = [*rng.integers(len(content), size=25), *range(len(content) - 500, len(content), 11)]
    refused = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            train(tiny, reference.folder, epochs=2, existing="resume")
        except InputError as error:
            assert re.search(r"checkpoint|cannot be read", str(error))
            assert "\n" not in str(error)
            refused += 1
        # Dates and attributes may differ; then all content was read as it was written.
        assert (reference.folder / "history.csv").read_bytes() == history
    assert refused > 25


def test_a_damaged_record_is_refused(tiny, reference):
    path = reference.folder / "run.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(InputError, match=r"run.json: cannot be read"):
        train(tiny, reference.folder, epochs=3, existing="resume")


def test_a_damaged_graph_is_refused(tiny, reference):
    path = reference.folder / "graph.npz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"graph.npz"):
        train(tiny, reference.folder, epochs=3, existing="resume")


@contextmanager
def disk_of(n_bytes):
    """No file can grow beyond this, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_names_the_file_and_keeps_what_was_there(
    tiny, reference, tmp_path, same_outcome
):
    folder = tmp_path / "full"
    train(tiny, folder, epochs=1)
    before = (folder / "checkpoint.npz").read_bytes()
    with disk_of(10_000), pytest.raises(OSError, match=r"checkpoint\.npz"):
        train(tiny, folder, epochs=2, existing="resume")
    assert (folder / "checkpoint.npz").read_bytes() == before
    assert not list(folder.rglob(".*"))
    train(tiny, folder, epochs=2, existing="resume")  # with room again
    same_outcome(reference.folder, folder)


def test_a_file_in_the_place_of_the_folder(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        train(tiny, tmp_path / "file" / "run", epochs=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tiny, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        train(tiny, tmp_path / "run", epochs=1)
    tmp_path.chmod(0o700)


def test_what_a_killed_write_left_is_removed(tiny, reference):
    leftover = reference.folder / ".checkpoint.npz-abc123_4"
    copy = reference.folder / ".checkpoint.npz-before"
    for path in (leftover, copy):
        path.write_bytes(b"half")
    train(tiny, reference.folder, epochs=2, existing="resume")
    assert not leftover.exists()
    assert copy.exists()
    assert Run(reference.folder).history.epoch.tolist() == [1, 2]
