"""Threads that share the examples of a batch."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from smallworld_eqprop.dynamics.sharing import share, threads
from smallworld_eqprop.errors import InputError


@pytest.fixture
def real(layered_network):
    return layered_network.network()


def of_products():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_every_example_has_one_thread(real, n, count):
    done, places = np.zeros(n, int), set()

    def work(part):
        done[part] += 1
        places.add(threading.get_ident())

    with threads(real, count):
        share(work, n)
    assert (done == 1).all()
    assert len(places) <= count


def test_they_work_at_once(real):
    together = threading.Barrier(2, timeout=20)  # passed by nobody alone
    with threads(real, 2):
        share(lambda part: together.wait(), 2)


@pytest.mark.parametrize(("operations", "count"), [(1e6, 1), (1e9, 2)])
def test_little_work_is_not_shared(real, operations, count):
    parts = []
    with threads(real, 2):
        share(parts.append, 10, operations)
    assert len(parts) == count


def test_what_goes_wrong_in_one_is_heard_of(real):
    def work(part):
        if part.start:
            raise ZeroDivisionError

    with threads(real, 2), pytest.raises(ZeroDivisionError):
        share(work, 2)


def test_products_have_one_thread_unless_they_are_large(real, monkeypatch):
    before = of_products()
    with threads(real, 2):
        assert of_products() == {1}
    assert of_products() == before
    monkeypatch.setattr("smallworld_eqprop.dynamics.network.WHOLE", 5)
    with threads(real, 2):
        assert of_products() == {2}
    assert of_products() == before


@pytest.mark.parametrize("n", [0, -1, 1.5, 100_000])
def test_bad_numbers_are_named(real, n):
    with (
        pytest.raises(InputError, match=f"threads: {n}, must be a whole number"),
        threads(real, n),
    ):
        pass
