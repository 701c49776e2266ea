"""Threads that share the examples of a batch."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.threads import share, threads
from smallworld_eqprop.errors import InputError


@pytest.fixture(scope="session")
def engine():
    return Couplings


@pytest.fixture
def couplings(layered_network):
    return layered_network.couplings()


def of_products():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_every_example_has_one_thread(couplings, n, count):
    done, places = np.zeros(n, int), set()

    def work(part):
        done[part] += 1
        places.add(threading.get_ident())

    with threads(couplings, count):
        share(work, n)
    assert (done == 1).all()
    assert len(places) <= count


def test_they_work_at_once(couplings):
    together = threading.Barrier(2, timeout=20)  # passed by nobody alone
    with threads(couplings, 2):
        share(lambda part: together.wait(), 2)


def test_what_goes_wrong_in_one_is_heard_of(couplings):
    def work(part):
        if part.start:
            raise ZeroDivisionError

    with threads(couplings, 2), pytest.raises(ZeroDivisionError):
        share(work, 2)


def test_products_have_one_thread_unless_they_are_large(couplings, monkeypatch):
    before = of_products()
    with threads(couplings, 2):
        assert of_products() == {1}
    assert of_products() == before
    monkeypatch.setattr("smallworld_eqprop.dynamics.couplings.WHOLE", 5)
    with threads(couplings, 2):
        assert of_products() == {2}
    assert of_products() == before


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_bad_numbers_are_named(couplings, n):
    with (
        pytest.raises(InputError, match=f"threads: {n}, must be a whole number"),
        threads(couplings, n),
    ):
        pass
