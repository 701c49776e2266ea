"""The estimators keep scikit-learn's contract, and learn."""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from smallworld_eqprop import EqPropClassifier, EqPropRegressor, InputError, layered, rewire


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings themselves
@parametrize_with_checks([EqPropClassifier(), EqPropRegressor()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, train_size=600, test_size=300, random_state=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_rewired_network_learns_digits_and_pickles(digits):
    X, X_test, y, y_test = digits
    found = EqPropClassifier((40, 40), p=0.1, max_iter=20, random_state=0).fit(X, y)
    assert found.score(X_test, y_test) > 0.85
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(again.predict_proba(X_test), found.predict_proba(X_test))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_any_graph_will_do(digits):
    X, X_test, y, y_test = digits
    graph = rewire(layered((64, 30, 30, 10)), 0.2, seed=0)
    found = EqPropClassifier(graph=graph, max_iter=15, random_state=0).fit(X, y)
    assert found.graph_ == graph
    assert found.score(X_test, y_test) > 0.7
    small = nx.complete_bipartite_graph(4, 2)
    model = EqPropRegressor(graph=small, inputs=[0, 1, 2, 3], outputs=[4], max_iter=2)
    assert model.fit(X[:50, 20:24], y[:50]).predict(X[:5, 20:24]).shape == (5,)


def test_before_fit_and_bad_parameters(digits):
    X, _, y, _ = digits
    with pytest.raises(NotFittedError):
        EqPropClassifier().predict(X)
    with pytest.raises(InputError, match="beta"):
        EqPropClassifier(beta=-1).fit(X, y)
    with pytest.raises(InputError, match="schedule: 'fast', must be 'adaptive'"):
        EqPropClassifier(schedule="fast").fit(X, y)
    with pytest.raises(InputError, match="classes"):
        EqPropClassifier().partial_fit(X, y)
