"""The estimators keep scikit-learn's contract, and learn."""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.estimator_checks import parametrize_with_checks

from smallworld_eqprop import (
    Dataset,
    EqPropClassifier,
    EqPropRegressor,
    Hopfield,
    InputError,
    Trainer,
    TrainingConfig,
    layered,
    rewire,
)
from smallworld_eqprop.data.rows import SparseRows
from smallworld_eqprop.dynamics import SOR
from smallworld_eqprop.learning import SGD, Centred, RandomSign, SquaredError
from smallworld_eqprop.learning.fitting import EqPropEstimator

# Most fits here are too short to learn much.
pytestmark = pytest.mark.filterwarnings("ignore:fit. :sklearn.exceptions.ConvergenceWarning")


#: Checks of a good fit: 20 epochs are enough, though one asks for 1,000. The others need only 3.
WELL_FITTED = {
    "check_class_weight_classifiers", "check_classifiers_train", "check_regressors_train",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings themselves
@parametrize_with_checks(
    [EqPropClassifier((20,)), EqPropRegressor((20,))],
    expected_failed_checks=lambda _: dict.fromkeys(
        (f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")),
        "batches are drawn at random, and differ where examples are repeated",
    ),
)
def test_scikit_learn_contract(estimator, check, monkeypatch):
    most, fit = 20 if check.func.__name__ in WELL_FITTED else 3, EqPropEstimator._epochs
    monkeypatch.setattr(
        EqPropEstimator,
        "_epochs",
        lambda self, trainer, data, n: fit(self, trainer, data, min(n, most)),
    )
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, train_size=600, test_size=300, random_state=0)


def test_a_rewired_network_learns_digits_and_pickles(digits):
    X, X_test, y, y_test = digits
    found = EqPropClassifier((40, 40), p=0.1, max_iter=20, random_state=0).fit(X, y)
    assert found.score(X_test, y_test) > 0.75  # 0.87, sd 0.03, over seeds
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(again.predict_proba(X_test), found.predict_proba(X_test))


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
        EqPropClassifier(rule=Centred(-1)).fit(X, y)
    with pytest.raises(InputError, match="scaling: 'fast', must be 'standard', 'none'"):
        EqPropClassifier(scaling="fast").fit(X, y)
    with pytest.raises(InputError, match=r"x_train: \d+ in row 0.*must be from -1 to 1"):
        EqPropClassifier(scaling="none").fit(X, y)
    with pytest.raises(InputError, match="classes"):
        EqPropClassifier().partial_fit(X, y)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X, y.map(dict(enumerate(("setosa", "versicolor", "virginica"))))


FEW = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}


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


def test_frames_arrays_and_sparse_matrices_are_the_same_data(iris):
    X, y = iris
    found = EqPropClassifier(**FEW).fit(X, y)
    assert list(found.feature_names_in_) == list(X.columns)
    assert set(found.predict(X)) <= set(y)
    expected = found.predict_proba(X)
    assert np.allclose(expected.sum(axis=1), 1)
    for same in (X.to_numpy(), sparse.csr_array(X.to_numpy()), sparse.csc_matrix(X.to_numpy())):
        again = clone(found).fit(same, y)
        np.testing.assert_allclose(again.predict_proba(same), expected, atol=1e-5)
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
        fits.append(estimator.fit(X, y).predict_proba(X))
    assert np.array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])
    assert same.graph_ != other.graph_


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
    found = EqPropClassifier((8,), random_state=0, **options).fit(X, y)
    scores = found.validation_scores_
    assert found.n_iter_ == len(scores) < found.max_iter
    # It ends three epochs after the last improvement, with the weights of the best epoch.
    best = int(np.argmax(scores))
    assert max(scores[-3:]) <= scores[best] + found.tol
    state = check_random_state(0)
    state.randint(2**31)  # the topology is drawn before the examples are set apart
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=state)
    assert found.score(X_test, y_test) == pytest.approx(scores[best])


def test_verbose_is_a_line_per_epoch(iris, capsys):
    found = EqPropClassifier(**FEW, verbose=True).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    losses = [f"Epoch {n}, loss = {loss:.6f}" for n, loss in enumerate(found.loss_curve_, start=1)]
    assert lines == losses


def log_loss(found, X, y):
    places = np.searchsorted(found.classes_, y)
    return -np.log(found.predict_proba(X)[np.arange(len(y)), places]).mean()


@pytest.mark.parametrize("p", [0, 0.1])
def test_the_defaults_learn_what_a_linear_model_learns(p):
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    found = EqPropClassifier(p=p, random_state=0).fit(X, y)
    assert found.score(X_test, y_test) > linear.score(X_test, y_test) - 0.02
    assert log_loss(found, X_test, y_test) < 1.5 * log_loss(linear, X_test, y_test)


def test_a_regression_in_units_far_from_1_is_learned():
    X = np.random.default_rng(0).normal(size=(300, 3)) * [1, 100, 1e-3] + [0, 5, 7]
    y = np.column_stack((1000 * X[:, 0], X[:, 1] - 1e5))
    found = EqPropRegressor(random_state=0).fit(X[:200], y[:200])
    assert found.score(X[200:], y[200:]) > 0.97
    assert EqPropRegressor(random_state=0).fit(X, y[:, 0]).predict(X).shape == (300,)


def test_what_is_decided_and_what_is_probable_agree(iris):
    X, y = iris
    found = EqPropClassifier(**FEW).fit(X, y)
    decided = found.decision_function(X)
    assert decided.shape == (150, 3)
    np.testing.assert_array_equal(found.classes_[decided.argmax(axis=1)], found.predict(X))
    shares = np.exp(decided)
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.predict_proba(X), shares)
    two = EqPropClassifier(**FEW).fit(X[:100], y[:100])
    decided = two.decision_function(X)
    np.testing.assert_array_equal(two.classes_[(decided > 0).astype(int)], two.predict(X))
    np.testing.assert_allclose(two.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decided)))


def test_parts_of_the_recipe_are_parameters(iris):
    X, y = iris
    parts = {
        "model": Hopfield(),
        "rule": RandomSign(0.5),
        "loss": SquaredError(),
        "optimiser": SGD(0.05),
        "relaxation": SOR(),
    }
    found = EqPropClassifier(**FEW, **parts).fit(X, y)
    assert found.network_.model == Hopfield()
    probable = found.predict_proba(X)
    assert np.allclose(probable.sum(axis=1), 1)
    assert found.set_params(gain=0.0, p=0.0).fit(X, y).network_.weights.std() < 0.1


def test_examples_of_weight_0_are_left_out(iris):
    X, y = iris
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    found = EqPropClassifier(**FEW).fit(X, y, sample_weight=weights)
    kept = weights > 0
    same = EqPropClassifier(**FEW).fit(X[kept], y[kept], sample_weight=10 * weights[kept])
    np.testing.assert_allclose(same.predict_proba(X), found.predict_proba(X), atol=1e-5)
    other = EqPropClassifier(**FEW).fit(X[kept], y[kept])
    assert not np.allclose(other.predict_proba(X), found.predict_proba(X), atol=1e-3)
    with pytest.raises(ValueError, match="at least one non-zero number"):
        EqPropClassifier(**FEW).fit(X, y, sample_weight=0 * weights)
    with pytest.raises(InputError, match="class_weight: 0 of every example"):
        EqPropClassifier(**FEW, class_weight=dict.fromkeys(set(y), 0.0)).fit(X, y)


def test_a_step_of_weighted_examples_is_that_of_repeated_ones(digits):
    X, _, y, _ = digits
    x, targets = X[:20] / 16, np.eye(10)[y[:20]]
    weights = np.arange(20) % 3 + 1
    weighted = {"weights": weights / weights.mean()}
    repeated = np.repeat(np.arange(20), weights)
    steps = []
    for rows, more in ((np.arange(20), weighted), (repeated, {})):
        data = Dataset("some", "classification", x[rows], targets[rows], [], [], **more)
        config = TrainingConfig(batch_size=len(rows), optimiser=SGD(0.1), start="rest")
        trainer = Trainer(layered((64, 20, 10)), data, config)
        before = trainer.network.weights
        for _ in trainer.run_epoch():
            pass
        steps.append(trainer.network.weights - before)
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-6)
    assert np.abs(steps[0]).max() > 1e-3


def test_a_rare_class_counts_more_when_classes_are_balanced():
    X, y = make_classification(600, 5, weights=[0.93], class_sep=0.5, random_state=0)
    alike = EqPropClassifier((10,), random_state=0).fit(X, y)
    balanced = EqPropClassifier((10,), class_weight="balanced", random_state=0).fit(X, y)
    assert (balanced.predict(X) == 1).sum() > 2 * (alike.predict(X) == 1).sum()
    as_many = EqPropClassifier((10,), class_weight={0: 1, 1: 1}, random_state=0).fit(X, y)
    np.testing.assert_allclose(as_many.predict_proba(X), alike.predict_proba(X), atol=1e-5)


def test_partial_fit_goes_on_and_widens_the_scaling(iris):
    X, y = iris
    X = X.to_numpy()
    found = EqPropClassifier(**FEW).partial_fit(X[:50], y[:50], classes=sorted(set(y)))
    first = found.scaler_
    for _ in range(40):
        found.partial_fit(X, y)
    assert (found.scaler_.width > first.width).all()
    cut = [(np.abs(each.forward(X)) == 1).mean() for each in (first, found.scaler_)]
    assert cut[1] < 0.01 < 0.1 < cut[0]
    assert found.score(X, y) > 0.9
    assert [record.epoch for record in found.history_] == list(range(1, 42))
    # Adam remembers: its moments are those of all steps, which are long past the first ones.
    arrays, _ = found._kept.state
    assert arrays["optimiser/square/weights"].max() > 0


def test_a_graph_may_have_more_outputs_than_classes(iris):
    X, y = iris
    graph = rewire(layered((4, 20, 5)), 0.1, seed=0)
    found = EqPropClassifier(graph=graph, random_state=0).fit(X, y)
    assert found.score(X, y) > 0.85
    assert found.predict_proba(X).shape == found.decision_function(X).shape == (150, 3)
    np.testing.assert_allclose(found.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(InputError, match="output layer of 2 nodes, but this data needs 3"):
        EqPropClassifier(graph=layered((4, 10, 2))).fit(X, y)


def test_outputs_that_are_joined_take_the_squared_error(iris):
    X, y = iris
    graph = layered((4, 10, 3)).replace_edges(
        np.concatenate((layered((4, 10, 3)).edges, [(14, 15)])), {"step": "joined"}
    )
    found = EqPropClassifier(graph=graph, random_state=0).fit(X, y)
    assert not found.network_.model.readout
    assert found.score(X, y) > 0.8


def test_of_sparse_features_only_a_batch_is_an_array(monkeypatch):
    X = sparse.random_array((300, 50), density=0.1, rng=0, format="csr")
    y = (X[:, [0]].toarray()[:, 0] + X[:, [1]].toarray()[:, 0] > 0).astype(int)
    dense = EqPropClassifier(random_state=0).fit(X.toarray(), y)
    seen = []
    take = SparseRows.__getitem__
    monkeypatch.setattr(
        SparseRows, "__getitem__", lambda self, rows: seen.append(take(self, rows)) or seen[-1]
    )
    found = EqPropClassifier(random_state=0).fit(X, y)
    expected = dense.predict_proba(X.toarray())
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-4)
    fitted = [len(rows) for rows in seen if len(rows) > 100]
    assert len(fitted) <= 1  # the hash of the data goes through them once


@pytest.mark.torch
def test_it_trains_on_torch(iris):
    pytest.importorskip("torch")
    X, y = iris
    found = EqPropClassifier(**FEW, device="cpu").fit(X, y)
    same = EqPropClassifier(**FEW).fit(X, y)
    np.testing.assert_allclose(found.predict_proba(X), same.predict_proba(X), atol=1e-3)
