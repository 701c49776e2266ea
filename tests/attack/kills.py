"""Kills of training and of sweeps at random moments: the end is the same to the bit."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from cases import RIGHT, TRACEBACK, WRONG, Tally, limit_time
from test_integrity import BASE
from test_sweep_kills import KILLED, STUDY, assert_same_stores, in_forks

from conftest import assert_same_outcome
from smallworld_eqprop import train
from smallworld_eqprop.studies import runs
from smallworld_eqprop.studies.study import Study

RUN, EPOCHS = BASE.changed(p=0.1), 6
#: Kills of one run, and of one sweep by the script of the tests.
LIVES, SWEEP_LIVES = 5, 10
#: Seconds after a batch, and before a kill: a life is a few batches, of the eighteen of the run.
PAUSE, LONGEST = 0.02, 0.1


def attack_kills(tally: Tally, numbers: range, folder: Path) -> None:
    """Kill sweeps of two workers in four of ten cases, and single runs in the others."""
    n_sweeps = len(numbers) // 24
    for i in tally.until_late(range(n_sweeps)):
        told = killed_sweep(folder / f"sweep{i}")
        for number in numbers[SWEEP_LIVES * i : SWEEP_LIVES * (i + 1)]:
            tally.add(number, told, "sweep")
    train(RUN, folder / "reference", epochs=EPOCHS)
    left = numbers[SWEEP_LIVES * n_sweeps :]
    for start in tally.until_late(range(0, len(left), LIVES)):
        lives = left[start : start + LIVES]
        rng = random.Random(f"{tally.seed} kills {start}")
        told = killed_run(rng, folder / "reference", folder / f"run{start}", len(lives))
        for number in lives:
            tally.add(number, told, "run")


def killed_sweep(folder: Path) -> str:
    """Verdict on a sweep that is killed ten times, beside one that is not."""
    folder.mkdir()
    study_file, log, undisturbed, killed = (
        folder / name for name in ("study.toml", "log", "a.sqlite", "b.sqlite")
    )
    study_file.write_text(STUDY)
    statuses = in_forks(KILLED, study_file, log, undisturbed, killed)
    if statuses != [0, *[-signal.SIGKILL] * SWEEP_LIVES, 0]:
        return f"{TRACEBACK} exit statuses {statuses}"
    try:
        assert_same_stores(undisturbed, killed, Study.from_toml(study_file))
    except AssertionError as error:
        return f"{WRONG} {error}"
    return RIGHT


def killed_run(rng: random.Random, reference: Path, folder: Path, kills: int) -> str:
    """Verdict on a run that is killed so often, and then resumed to its end."""
    runs.CHECKPOINT_EVERY = rng.choice((0.0, 120.0))  # at every batch, or after epochs only
    done = 0
    while True:
        child = os.fork()
        if not child:
            limit_time()
            train(
                RUN, folder, epochs=EPOCHS, existing="resume", on_batch=lambda _: time.sleep(PAUSE)
            )
            os._exit(0)
        if done < kills:
            time.sleep(rng.uniform(0, LONGEST))
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == -signal.SIGKILL:
            done += 1
        elif status:
            return f"{TRACEBACK} a life ended with {status}"
        elif done == kills:
            break
    try:
        assert_same_outcome(reference, folder)
        assert not list(folder.rglob(".*-*")), "temporary files are left"
    except AssertionError as error:
        return f"{WRONG} {error}"
    return RIGHT
