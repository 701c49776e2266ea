"""Threads share the work and change no number."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from smallworld_eqprop.dynamics.threads import share, threads
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.estimator import EqPropClassifier
from smallworld_eqprop.learning.trainer import Trainer

CONFIG = TrainingConfig(learning_rate=0.1, batch_size=10, nudged_steps=6)


def trained(graph, data, n):
    trainer = Trainer(graph, data, CONFIG)
    with threads(trainer.couplings, n):
        for _ in trainer.run_epoch():
            pass
    return trainer


def of_products():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("compact", [0, 1024])
def test_the_numbers_do_not_depend_on_their_number(toy_graph, toy, monkeypatch, compact):
    monkeypatch.setattr("smallworld_eqprop.dynamics.couplings.COMPACT", compact)
    arrays, values = trained(toy_graph, toy, 1).state()
    for n in (2, 3, 50):  # more than there are examples
        others, other_values = trained(toy_graph, toy, n).state()
        for name in arrays:
            np.testing.assert_array_equal(arrays[name], others[name])
        for each in (values, other_values):
            each["history"][0].pop("seconds", None)
            each["sums"].pop("seconds", None)
        assert other_values == values


def test_of_an_estimator(toy):
    x, y = toy.x_train, toy.y_train.argmax(axis=1)
    fits = [
        EqPropClassifier(12, max_iter=300, n_jobs=n, random_state=0).fit(x, y)
        for n in (None, 2, -1)
    ]
    for fit in fits[1:]:
        assert fit.loss_curve_ == fits[0].loss_curve_
        np.testing.assert_array_equal(fit.predict_proba(x), fits[0].predict_proba(x))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_every_example_has_one_thread(toy_graph, toy, n, count):
    done, places = np.zeros(n, int), set()

    def work(part):
        done[part] += 1
        places.add(threading.get_ident())

    couplings = Trainer(toy_graph, toy, CONFIG).couplings
    with threads(couplings, count):
        share(work, n)
    assert (done == 1).all()
    assert len(places) <= count


def test_they_work_at_once(toy_graph, toy):
    together = threading.Barrier(2, timeout=20)  # passed by nobody alone
    with threads(Trainer(toy_graph, toy, CONFIG).couplings, 2):
        share(lambda part: together.wait(), 2)


def test_what_goes_wrong_in_one_is_heard_of(toy_graph, toy):
    def work(part):
        if part.start:
            raise ZeroDivisionError

    with threads(Trainer(toy_graph, toy, CONFIG).couplings, 2), pytest.raises(ZeroDivisionError):
        share(work, 2)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that it may wait for ever
def test_a_fork_has_threads_of_its_own(toy_graph, toy):
    trained(toy_graph, toy, 2)
    child = os.fork()
    if not child:
        status = 1
        try:
            trained(toy_graph, toy, 2)
            status = 0
        finally:
            os._exit(status)
    for _ in range(200):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the fork waits for threads that it does not have")


def test_products_have_one_thread_unless_they_are_large(toy_graph, toy, monkeypatch):
    before = of_products()
    with threads(Trainer(toy_graph, toy, CONFIG).couplings, 2):
        assert of_products() == {1}
    assert of_products() == before
    monkeypatch.setattr("smallworld_eqprop.dynamics.couplings.WHOLE", 5)
    with threads(Trainer(toy_graph, toy, CONFIG).couplings, 2):
        assert of_products() == {2}
    assert of_products() == before


@pytest.mark.torch
def test_torch_has_them_all(toy_graph, toy):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with threads(Trainer(toy_graph, toy, replace(CONFIG, device="cpu")).couplings, before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_bad_numbers_are_named(toy_graph, toy, n):
    with (
        pytest.raises(InputError, match=f"threads: {n}, must be a whole number"),
        threads(Trainer(toy_graph, toy, CONFIG).couplings, n),
    ):
        pass
