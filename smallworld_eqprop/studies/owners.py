"""Who works on a run: a sweep, by the process that it is in, and whether it is still there."""

from __future__ import annotations

import os
import platform
import time
import uuid

import psutil

__all__ = ["LEASE", "is_alive", "new_owner", "retire"]

#: Seconds without a sign of life after which a sweep on another machine counts as dead.
LEASE = 120.0

# Processes are known by when they started, which is known to the second or so.
SAME_START = 2.0

_living: set[str] = set()


def new_owner() -> str:
    """A name for a sweep in this process, alive until it is retired or the process ends."""
    process = psutil.Process()
    token = uuid.uuid4().hex[:8]
    owner = f"{platform.node()}~{process.pid}~{process.create_time():.2f}~{token}"
    _living.add(owner)
    return owner


def retire(owner: str) -> None:
    """Declare a sweep of this process over, whatever it left behind."""
    _living.discard(owner)


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
    host, pid, started, _ = owner.rsplit("~", 3)
    if host != platform.node():
        return time.time() - heartbeat < LEASE
    if int(pid) == os.getpid():
        return owner in _living
    try:
        process = psutil.Process(int(pid))
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - float(started)) < SAME_START
        )
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # pragma: no cover
        return True
