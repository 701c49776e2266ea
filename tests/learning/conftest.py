from __future__ import annotations

import pytest
from problems import GRAPHS, PAIRS, problem_named

from smallworld_eqprop.data import load


@pytest.fixture(scope="session")
def digits():
    return load("digits", n_train=400)


@pytest.fixture(params=PAIRS, ids=" on ".join)
def name(request):
    """Every graph with every model that it allows."""
    return request.param


@pytest.fixture(params=GRAPHS)
def problem(request):
    """The paper's model on each kind of graph."""
    return problem_named(request.param)
