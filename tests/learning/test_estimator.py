"""The estimators keep scikit-learn's contract, and learn."""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
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
    assert found.score(X_test, y_test) > 0.75  # 0.87, sd 0.03, over seeds
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


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X, y.map(dict(enumerate(("setosa", "versicolor", "virginica"))))


FEW = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_works_in_pipelines_and_searches(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), EqPropClassifier(**FEW))
    scores = cross_val_score(pipeline, X, y, cv=3)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    graphs = [layered((4, 6, 3)), rewire(layered((4, 5, 5, 3)), 0.2, seed=0)]
    for grid in ({"p": [0, 0.2]}, {"graph": graphs}):
        search = GridSearchCV(EqPropClassifier(**FEW), grid, cv=2).fit(X, y)
        (name, values), *_ = grid.items()
        assert search.best_params_[name] in values
        assert search.predict(X[:4]).shape == (4,)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_frames_arrays_and_sparse_matrices_are_the_same_data(iris):
    X, y = iris
    found = EqPropClassifier(**FEW).fit(X, y)
    assert list(found.feature_names_in_) == list(X.columns)
    assert set(found.predict(X)) <= set(y)
    expected = found.predict_proba(X)
    assert np.allclose(expected.sum(axis=1), 1)
    for same in (X.to_numpy(), sparse.csr_array(X.to_numpy()), sparse.csc_matrix(X.to_numpy())):
        again = clone(found).fit(same, y)
        np.testing.assert_array_equal(again.predict_proba(same), expected)
    with pytest.raises(ValueError, match="feature names should match"):
        found.predict(X.rename(columns=str.upper))
    targets = pd.DataFrame({"a": X.iloc[:, 0], "b": X.iloc[:, 1]})
    model = EqPropRegressor((8,), max_iter=2, random_state=0).fit(X, targets)
    assert model.predict(X).shape == (150, 2)


def test_the_random_state_decides(iris):
    X, y = iris
    same, other = (EqPropClassifier(**FEW | {"random_state": s, "max_iter": 1}) for s in (0, 1))
    fits = []
    for estimator in (same, clone(same), other):
        with pytest.warns(ConvergenceWarning, match="raise max_iter"):
            fits.append(estimator.fit(X, y).predict_proba(X))
    assert np.array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])
    assert same.graph_ != other.graph_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_warm_start_goes_on(iris):
    X, y = iris
    found = EqPropClassifier(**FEW, warm_start=True).fit(X, y)
    graph, before = found.graph_, found.network_.weights
    found.set_params(max_iter=1, learning_rate=0.0).fit(X, y)
    assert found.graph_ is graph
    # A learning rate of 0 shows that the weights are those of the first fit.
    np.testing.assert_array_equal(found.network_.weights, before)
    assert (found.n_iter_, len(found.loss_curve_)) == (1, 4)


def test_partial_fit_goes_through_the_examples_once(iris):
    X, y = iris
    found = EqPropClassifier(**FEW)
    for part in range(3):
        found.partial_fit(X[part::3], y[part::3], classes=sorted(set(y)))
    assert (found.n_iter_, len(found.loss_curve_)) == (1, 3)
    assert found.predict(X).shape == (150,)
    with pytest.raises(InputError, match="is not the same as on the first call"):
        found.partial_fit(X, y, classes=["setosa", "versicolor"])
    with pytest.raises(InputError, match="early_stopping: True, must be False"):
        EqPropClassifier(early_stopping=True).partial_fit(X, y, classes=sorted(set(y)))


def test_early_stopping_keeps_the_best_weights(iris):
    X, y = iris
    options = {"early_stopping": True, "validation_fraction": 0.4, "n_iter_no_change": 3}
    found = EqPropClassifier((8,), schedule="constant", random_state=0, **options).fit(X, y)
    scores = found.validation_scores_
    assert found.n_iter_ == len(scores) < found.max_iter
    # It ends three epochs after the last improvement, with the weights of the best epoch.
    best = int(np.argmax(scores))
    assert max(scores[-3:]) <= scores[best] + found.tol
    state = check_random_state(0)
    state.randint(2**31)  # the topology is drawn before the examples are set apart
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=state)
    assert found.score(X_test, y_test) == pytest.approx(scores[best], abs=0.02)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_verbose_is_a_line_per_epoch(iris, capsys):
    found = EqPropClassifier(**FEW, verbose=True).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    losses = [f"Epoch {n}, loss = {loss:.6f}" for n, loss in enumerate(found.loss_curve_, start=1)]
    assert lines == losses


def test_a_fit_that_fell_silent_says_so(iris):
    X, y = iris
    # A nudge this weak moves no output whose field is below zero.
    model = EqPropClassifier(**FEW | {"p": 0.0, "learning_rate": 5.0, "beta": 0.05})
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert model.loss_curve_[-1] == 1
    assert any("all outputs were silent" in str(warning.message) for warning in caught)
