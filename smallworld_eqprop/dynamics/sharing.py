"""Threads that share the work on a batch."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from smallworld_eqprop.parts import AtOnce, check_type

__all__ = ["share", "threads"]

_threads = ContextVar("threads", default=1)

# Fewer multiplications are done before another thread has begun.
WORTH_SHARING = 1 << 25


@contextmanager
def threads(network: Any, n: int) -> Iterator[None]:
    """Let threads share the work on every batch of a network, inside a ``with`` statement.

    Up to 4096 free nodes the threads share the examples, and each matrix product has one thread.
    No example depends on another, so the numbers do not depend on `n` with solvers that relax each
    example separately (`SOR`, `Euler`). With `Sweeps` the rounding depends on `n`, because a
    product of fewer rows may be summed in another order. In larger networks, and on torch, the
    threads share the matrix products instead, and the rounding depends on `n` as well. Where a
    network has several attractors, rounding can decide in which one an example ends.

    Parameters
    ----------
    network : Network
        That of a `Trainer` is ``trainer.network``.
    n : int
        Number of threads.

    Returns
    -------
    context manager

    Raises
    ------
    InputError
        If `n` is not a whole number from 1 to 1024.

    Examples
    --------
    >>> from smallworld_eqprop import Trainer, TrainingConfig, layered, load
    >>> digits = load("digits", n_train=100)
    >>> trainer = Trainer(layered([64, 20, 10]), digits, TrainingConfig())
    >>> with threads(trainer.network, 2):
    ...     batches = list(trainer.run_epoch())
    >>> len(batches)
    5
    """
    check_type("threads", n, AtOnce)
    products = 1 if network.by_example else n
    before = _threads.set(n if products == 1 else 1)
    try:
        with _libraries().limit(limits=products), _torch_threads(network, n):
            yield
    finally:
        _threads.reset(before)


@functools.cache
def _libraries() -> ThreadpoolController:
    # Looking for them takes as long as a batch; that of NumPy is loaded by now.
    return ThreadpoolController()


@contextmanager
def _torch_threads(network: Any, n: int) -> Iterator[None]:
    if network.backend.library != "torch":
        yield
        return
    import torch  # it does not hear of the limits of other libraries

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def share(work: Callable[[slice], object], n: int, operations: float = np.inf) -> None:
    """Call ``work(part)`` with the parts of ``range(n)``, as many at once as there are threads.

    Parameters
    ----------
    work : callable
        Takes a slice; for most of its time it must not need the interpreter.
    n : int
        Number of examples.
    operations : float
        About how many multiplications the work is; for few a thread costs more than it saves.
    """
    count = _threads.get() if operations >= WORTH_SHARING else 1
    size = max(-(-n // count), 1)
    first, *others = (slice(start, start + size) for start in range(0, max(n, 1), size))
    running = [_pool(count - 1, os.getpid()).submit(work, part) for part in others]
    work(first)
    for each in running:
        each.result()


@functools.cache
def _pool(size: int, _process: int) -> ThreadPoolExecutor:
    # Kept, because starting threads takes as long as an example. A fork has none of its parent's.
    return ThreadPoolExecutor(size)
