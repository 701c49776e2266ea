"""Who works on a run: a sweep, by the process that it is in, and whether it is still there."""

from __future__ import annotations

import os
import platform
import time
import uuid

import psutil

__all__ = ["LEASE", "Watch", "is_alive", "new_owner", "retire"]

#: Seconds without a sign of life after which a sweep on another machine counts as dead.
LEASE = 120.0

# Processes are known by when they started, which is known to the second or so.
SAME_START = 2.0

_living: set[str] = set()


def new_owner() -> str:
    """A name for a sweep in this process, alive until it is retired or the process ends."""
    process = psutil.Process()
    token = uuid.uuid4().hex[:8]
    owner = f"{platform.node()}~{process.pid}~{_started(process):.2f}~{token}"
    _living.add(owner)
    return owner


def retire(owner: str) -> None:
    """Declare a sweep of this process over, whatever it left behind."""
    _living.discard(owner)


class Watch:
    """The sweeps that one process has seen alive, by its own clock.

    The clocks of two machines may differ by hours, and a clock may be set. So a sweep on another
    machine is taken for dead only when its last sign of life is not of now and has not changed
    while this process was watching for as long as a lease.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def is_alive(self, owner: str, heartbeat: float) -> bool:
        """Whether a sweep may go on; see `is_alive`."""
        now = time.monotonic()
        last, since = self._seen.get(owner, (None, now))
        if heartbeat != last:
            since = now
            self._seen[owner] = (heartbeat, now)
        here = owner.rsplit("~", 3)[0] == platform.node()
        return is_alive(owner, heartbeat) or (not here and now - since < LEASE)


def is_alive(owner: str, heartbeat: float) -> bool:
    """Whether a sweep goes on.

    On this machine its process is looked for, so that a killed one is known to be dead at once
    and one that was suspended for hours is known to live; elsewhere the last heartbeat tells.

    Parameters
    ----------
    owner : str
        As `new_owner` gave it.
    heartbeat : float
        When it last showed a sign of life, in seconds since the epoch.
    """
    try:
        host, pid, started, _ = owner.rsplit("~", 3)
        int(pid), float(started)
    except ValueError:
        return False  # not a name that `new_owner` gives
    if host != platform.node():
        return abs(time.time() - heartbeat) < LEASE  # a clock may have been set back
    if int(pid) == os.getpid():
        return owner in _living
    try:
        process = psutil.Process(int(pid))
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(_started(process) - float(started)) < SAME_START
        )
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # pragma: no cover
        return True


def _started(process: psutil.Process) -> float:
    # Linux knows the time since the machine was started, which does not change with the clock.
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)
