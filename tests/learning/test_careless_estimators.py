"""Estimators in careless hands: wrong parameters, changed ones, fits that learn nothing."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from smallworld_eqprop import EqPropClassifier, EqPropRegressor
from smallworld_eqprop.errors import InputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def fitted(**parameters):
    given = {
        "hidden_layer_sizes": (6,),
        "max_iter": 8,
        "learning_rate": 0.05,
        "random_state": 0,
        **parameters,
    }
    return EqPropClassifier(**given).fit(X, Y)


@pytest.mark.parametrize("value", [None, "word", float("nan"), 1e300, {}])
@pytest.mark.parametrize(
    "name", ["p", "feedback", "gain", "learning_rate", "decay", "batch_size", "max_iter", "tol"]
)
def test_a_parameter_that_is_no_number_is_one_line(name, value):
    with pytest.raises(InputError, match=f"^{name}: .*must be") as caught:
        fitted(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model", "rule", "loss", "optimiser", "relaxation", "n_jobs"])
def test_a_word_in_the_place_of_a_part_is_one_line(name):
    with pytest.raises(InputError, match=f"^{name}: 'word', must be"):
        fitted(**{name: "word"})


def test_numpy_numbers_are_numbers():
    found = fitted(p=np.float32(0.1), hidden_layer_sizes=np.array([6]), max_iter=np.int64(8))
    assert found.graph_.layer_sizes == (4, 6, 2)


@pytest.mark.parametrize("change", [{"hidden_layer_sizes": (7,)}, {"p": 0.3}, {"intralayer": True}])
def test_a_warm_start_with_another_topology_is_refused(change):
    found = fitted(warm_start=True).set_params(**change)
    with pytest.raises(InputError, match=f"^{next(iter(change))}: .*warm_start=False"):
        found.fit(X, Y)


def test_a_warm_start_with_the_same_topology_written_otherwise_goes_on():
    found = fitted(warm_start=True).set_params(hidden_layer_sizes=[6]).fit(X, Y)
    assert len(found.loss_curve_) == 16


def test_early_stopping_may_be_switched_between_warm_starts():
    found = fitted(warm_start=True)
    assert found.validation_scores_ is None
    found.set_params(early_stopping=True, validation_fraction=0.2).fit(X, Y)
    assert len(found.validation_scores_) == found.n_iter_
    scores = list(found.validation_scores_)
    assert found.set_params(early_stopping=False).fit(X, Y).validation_scores_ == scores


def test_a_fit_that_learns_nothing_warns():
    with pytest.warns(ConvergenceWarning, match="most frequent class is right as often"):
        fitted(learning_rate=0.0, max_iter=1)
    with pytest.warns(ConvergenceWarning, match="mean of the targets has no larger error"):
        EqPropRegressor((6,), learning_rate=0.0, max_iter=1, random_state=0).fit(X, -X[:, 0])


def test_outputs_that_ignore_the_input_warn():
    # Without decay, rates and weights of size 0 nothing of the input reaches an output.
    with pytest.warns(ConvergenceWarning, match="outputs do not depend on the input"):
        fitted(learning_rate=0.0, gain=0.0, max_iter=1)


def test_a_fit_that_learns_and_a_constant_target_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted()
        EqPropRegressor((6,), max_iter=2, random_state=0).fit(X, np.full(len(X), 3.0))
