"""One writer at a time in a run folder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading

import pytest

from smallworld_eqprop import InputError, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.studies import locking
from smallworld_eqprop.studies.locking import LOCK, one_writer

HOLDER = """
import sys
from pathlib import Path
from smallworld_eqprop.studies.locking import one_writer

with one_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that writes to a folder until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        yield child
        child.kill()


def test_a_second_start_says_who_writes_and_a_killed_one_is_in_nobodys_way(tiny, tmp_path, holder):
    folder = tmp_path / "run"
    words = (
        rf"process {holder.pid} on {platform.node()} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d; wait"
    )
    for existing in ("error", "resume", "overwrite"):
        with pytest.raises(InputError, match=words) as caught:
            train(tiny, folder, epochs=1, existing=existing)
        assert "\n" not in str(caught.value)
        assert [path.name for path in folder.iterdir()] == [LOCK]
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / LOCK).exists()
    assert len(train(tiny, folder, epochs=1).history) == 1
    assert not (folder / LOCK).exists()


def test_two_starts_of_the_same_run_write_it_once(tiny, reference, tmp_path, same_outcome):
    folder, refused = tmp_path / "run", []

    def again():
        try:
            train(tiny, folder, epochs=2, existing="resume")
        except InputError as error:
            refused.append(str(error))

    def meanwhile(progress):
        if progress.batch.batch == 3 and not progress.finished:
            second = threading.Thread(target=again)
            second.start()
            second.join()

    train(tiny, folder, epochs=2, on_batch=meanwhile)
    assert len(refused) == 2
    assert all(f"is written to by process {os.getpid()} on" in error for error in refused)
    same_outcome(reference.folder, folder)


def test_the_command_line_refuses_in_one_line(tmp_path, holder, capsys):
    out = str(tmp_path / "run")
    options = ["--dataset=digits", "--set=layer_sizes=64,9,10", "--train-examples=20"]
    assert main(["train", "layered-5x100", *options, "--out", out, "--resume"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {out}: is written to by process {holder.pid} on ")
    assert error.count("\n") == 1


def test_a_start_that_fails_leaves_no_folder(tiny, tmp_path):
    with pytest.raises(InputError, match="layer_sizes"):
        train(tiny.changed(layer_sizes=[63, 12, 10]), tmp_path / "run", epochs=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"my notes", b"\x00\xff", b"12\n"])
def test_another_programs_file_of_the_same_name_stays(tiny, tmp_path, reference, content):
    for folder in (tmp_path / "mine", reference.folder):
        folder.mkdir(exist_ok=True)
        (folder / LOCK).write_bytes(content)
        with pytest.raises(InputError, match=r"run\.lock: not the lock of a run; move it away"):
            train(tiny, folder, epochs=1, existing="overwrite")
        assert (folder / LOCK).read_bytes() == content


@pytest.mark.filterwarnings("ignore:flock not supported")
def test_without_locks_of_the_system_a_file_is_the_lock(tmp_path, monkeypatch):
    """As on some disks of clusters."""

    def missing(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", missing)
    monkeypatch.setattr(locking, "PATIENCE", 0.0)
    folder = tmp_path / "run"
    with one_writer(folder):
        with (
            pytest.raises(InputError, match=re.escape(f"process {os.getpid()} on")),
            one_writer(folder),
        ):
            pytest.fail("two writers")
        (folder / "run.json").write_text(json.dumps({}))
    assert [path.name for path in folder.iterdir()] == ["run.json"]
    with one_writer(folder):
        pass
