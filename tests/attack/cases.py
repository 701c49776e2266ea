"""One attack: a case in a process of its own, and what is said of its end."""

from __future__ import annotations

import functools
import io
import itertools
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

import typer.main

from smallworld_eqprop.cli import main

#: The ends of a case. The last two are faults.
ENDS = REFUSED, RIGHT, TRACEBACK, WRONG = "refused", "right", "traceback", "wrong"
#: Seconds that a case may compute, and wait: it needs less than one.
LIMIT, PATIENCE = 20, 300
LATE = {
    -signal.SIGXCPU: f"computed for more than {LIMIT} s",
    -signal.SIGALRM: f"took more than {PATIENCE} s",
}
#: Faulty cases that are printed.
SHOWN = 10


# Half the time of a case would go into making the same parser of command lines again.
typer.main.get_command = functools.cache(typer.main.get_command)


@dataclass
class Tally:
    """How the cases of one attack have ended.

    Attributes
    ----------
    name : str
    seed : int
    deadline : float
        Of `time.monotonic`; no case begins later.
    counts : dict of str to int
        By end.
    faults : list of str
        One text for every case that ended in a fault.
    """

    name: str
    seed: int
    deadline: float
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ENDS, 0))
    faults: list[str] = field(default_factory=list)

    def until_late(self, numbers: Iterable[int]) -> Iterator[int]:
        """The numbers of cases that begin in time."""
        return itertools.takewhile(lambda _: time.monotonic() < self.deadline, numbers)

    def add(self, number: int, told: str, what: str = "") -> None:
        """Count a case by the first word of its verdict, and print the first faults."""
        end = told.split(maxsplit=1)[0]
        self.counts[end] += 1
        if end in (TRACEBACK, WRONG):
            self.faults.append(f"{self.name} --seed {self.seed} --case {number}: {what}\n{told}\n")
            if len(self.faults) <= SHOWN:
                sys.stdout.write(f"{self.faults[-1]}\n")
                sys.stdout.flush()


def in_fork(case: Callable[[], str]) -> str:
    """Verdict of a case that runs in a fork of this process, where everything is imported.

    A process that a signal ends, or that computes or waits too long, counts as a traceback.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        limit_time()
        try:
            told = case()
        except BaseException:
            told = f"{TRACEBACK} {traceback.format_exc()}"
        os.write(writing, f"{told:.2000} {told[2000:][-2000:]}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"{TRACEBACK} {LATE.get(status, f'ended with {status}')}" if status else told


def limit_time() -> None:
    """Let a signal end this process, compiled loops included, where it takes too long."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT + 1))
    signal.alarm(PATIENCE)


def command(*arguments: str) -> tuple[str, str]:
    """Run a command line in this process.

    Returns
    -------
    told : str
        `RIGHT` for an exit status of 0, `REFUSED` for one line that says why not, else a fault.
    output : str
        What was printed on stdout.
    """
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    output, lines = out.getvalue(), err.getvalue().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if status == 0 and not errors:
        return RIGHT, output
    if status in (1, 2) and len(errors) == 1 and lines[-1] == errors[0]:
        return REFUSED, output
    # Two commands say with 1 that they have found something: damage, or runs that failed.
    checked = arguments[:1] == ("status",) and not lines and output
    failed = arguments[:1] == ("sweep",) and lines and "runs failed; " in lines[-1]
    if status == 1 and (checked or failed):
        return REFUSED, output
    return f"{TRACEBACK} {arguments} ended with {status}: {err.getvalue()}", output
