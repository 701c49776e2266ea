"""Threads share the work and change no number."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from smallworld_eqprop.dynamics.sharing import threads
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.estimator import EqPropClassifier
from smallworld_eqprop.learning.trainer import Trainer

CONFIG = TrainingConfig.paper(learning_rate=0.1, batch_size=10, nudged_steps=6)


def trained(graph, data, n):
    trainer = Trainer(graph, data, CONFIG)
    with threads(trainer.network, n):
        for _ in trainer.run_epoch():
            pass
    return trainer


@pytest.mark.parametrize("compact", [0, 1024])
def test_the_numbers_do_not_depend_on_their_number(toy_graph, toy, monkeypatch, compact):
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", compact)
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


@pytest.mark.torch
def test_torch_has_them_all(toy_graph, toy):
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with threads(Trainer(toy_graph, toy, CONFIG.changed(device="cpu")).network, before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
