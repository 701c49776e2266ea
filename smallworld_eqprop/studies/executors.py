"""Where the runs of a study are done: in processes of this machine, or on a dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from smallworld_eqprop.errors import InputError

__all__ = [
    "GUARD",
    "LOST",
    "LocalProcesses",
    "cores",
    "dask_executor",
    "executor_of",
    "require_guard",
]

LOST = "scheduler: connection lost; start it and this sweep again, everything is kept"

GUARD = (
    'workers: no process can be started; in a script, call sweep under if __name__ == "__main__":, '
    "because every worker process imports the script"
)

#: Seconds to wait for a scheduler.
CONNECT = 10


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def require_guard() -> None:
    """Refuse to sweep in a process that is just importing the script that swept.

    Raises
    ------
    InputError
        If the script calls `sweep` wherever it is imported.
    """
    # What multiprocessing itself looks at; such a process cannot start others.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise InputError(GUARD)


class LocalProcesses(Executor):
    """Worker processes on this machine, of which each may die without taking others along.

    When this process dies, however it dies, the workers do so too.

    Parameters
    ----------
    n : int
        Number of processes.
    """

    def __init__(self, n: int) -> None:
        # Spawned: a fork would copy the threads' locks of numerical libraries in any state.
        self._context = multiprocessing.get_context("spawn")
        self._watched, self._lifeline = self._context.Pipe(duplex=False)
        # One pool for each, because a pool is lost with any of its processes.
        self._pools = [self._pool() for _ in range(n)]
        self._busy = [0] * n
        self._lock = threading.Lock()
        self._started = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give a call to the least busy process, in place of a dead one to a new one.

        Raises
        ------
        InputError
            If the processes die as they start, so that no call could be blamed for it.
        """
        if not self._started:
            self._started = True
            first, *_ = [pool.submit(os.getpid) for pool in self._pools]
            try:
                first.result()
            except BrokenProcessPool:
                raise InputError(GUARD) from None
        with self._lock:
            number = self._busy.index(min(self._busy))
            self._busy[number] += 1
        try:
            future = self._pools[number].submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self._pools[number].shutdown(wait=False)
            self._pools[number] = self._pool()
            future = self._pools[number].submit(fn, *args, **kwargs)

        def no_longer_busy(_: Future[Any]) -> None:
            with self._lock:
                self._busy[number] -= 1

        future.add_done_callback(no_longer_busy)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after what they are doing, or, without `wait`, at once."""
        if not wait:
            self._lifeline.close()
        for pool in self._pools:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures or not wait)
        self._lifeline.close()

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, self._context, _start_worker, (self._watched,))


def _start_worker(lifeline: Connection) -> None:
    # Ctrl-C in a terminal reaches all processes of it; the sweep decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()


def _die_with(lifeline: Connection) -> None:
    # Nothing is ever sent: this ends when the other side is closed, by will or by death.
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


@contextmanager
def executor_of(
    executor: Executor | None, workers: int | None, scheduler: str | None
) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """Where calls are done, and how many at once: as given, on a cluster, or on this machine."""
    if scheduler is not None:
        with dask_executor(scheduler) as (calls, threads):
            yield calls, lambda: min(workers or sys.maxsize, threads())
        return
    slots = workers or cores()
    if executor is not None:
        yield executor, lambda: slots
        return
    local = LocalProcesses(slots)
    try:
        yield local, lambda: slots
    except BaseException:
        local.shutdown(wait=False)
        raise
    local.shutdown()


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """Connect to a dask scheduler; give its executor, and how many calls it runs at once.

    Raises
    ------
    InputError
        If distributed is not installed, or there is no scheduler.
    """
    try:
        from distributed import Client
        from distributed.comm.core import connect
        from distributed.utils import LoopRunner
    except ImportError:
        raise InputError(
            "scheduler: distributed is not installed; pip install 'smallworld-eqprop[distributed]'"
        ) from None

    async def knock() -> None:
        await (await connect(address, timeout=CONNECT)).close()

    try:
        # A client that fails to connect is closed whenever its memory is collected, which then
        # may wait for a client that is being made, as that waits for it: so none may fail.
        LoopRunner().run_sync(knock)
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"scheduler: {address} cannot be reached ({reason}); start one with: dask scheduler"
        ) from None
    with client, _silent("distributed.client"):

        def threads() -> int:
            try:
                return sum(client.nthreads().values())
            except OSError:
                raise InputError(LOST) from None

        # pure: calls with equal arguments would be one call, also after a failure.
        yield client.get_executor(pure=False), threads


@contextmanager
def _silent(logger: str) -> Iterator[None]:
    """Keep a library from printing the traceback of what we say in a line."""
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
