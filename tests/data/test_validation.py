"""Training examples that are set apart: of every class alike, and the same ones for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.validation import set_apart
from smallworld_eqprop.errors import InputError


def classes(*counts):
    """A data set with so many training examples of every class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(0)
    rng.shuffle(labels)
    x, y = rng.random((len(labels), 2)), np.eye(len(counts))[labels]
    return Dataset("mine", "classification", x, y, x[:0], y[:0])


@pytest.mark.parametrize("validation", [8, 25, 80])
def test_both_parts_have_every_class_in_proportion(validation):
    data = classes(30, 60, 10)
    train, rest = set_apart(data, validation)
    assert len(rest) == validation
    assert sorted([*train, *rest]) == list(range(100))
    assert (np.diff(train) > 0).all()
    found = np.bincount(data.labels_train[rest], minlength=3)
    assert np.abs(found - validation * np.array([0.3, 0.6, 0.1])).max() < 1


def test_any_number_is_met_exactly():
    """Shares of rows are rounded up, so a number must not be made a share."""
    data = classes(20, 29)
    for validation in range(2, 48):
        assert len(set_apart(data, validation)[1]) == validation


def test_the_split_is_always_the_same():
    data = classes(30, 60, 10)
    for one, other in zip(set_apart(data, 20), set_apart(data, 20), strict=True):
        assert np.array_equal(one, other)


def test_none_is_set_apart_by_default():
    train, rest = set_apart(classes(3, 1), 0)
    assert train.tolist() == [0, 1, 2, 3]
    assert rest.tolist() == []


def test_a_regression_has_no_classes():
    x = np.linspace(0, 1, 10)[:, None]
    train, rest = set_apart(Dataset("line", "regression", x, x, x, x), 3)
    assert sorted([*train, *rest]) == list(range(10))
    assert len(rest) == 3


@pytest.mark.parametrize(
    ("counts", "validation", "message"),
    [
        ((5, 5), 10, "validation: 10, must be below the number of training examples of mine"),
        ((5, 5), 11, "which is 10"),
        ((5, 5, 5), 2, "2 of the 15 training examples of mine leave .* without class '0'"),
        ((5, 5, 5), 13, "13 of the 15"),
        ((9, 1), 4, "without class '1', of which there are 1"),
        ((200, 2), 20, "without class '1', of which there are 2; take another number, or give"),
    ],
)
def test_what_cannot_be_split_is_one_line(counts, validation, message):
    with pytest.raises(InputError, match=message) as caught:
        set_apart(classes(*counts), validation)
    assert "\n" not in str(caught.value)


def test_the_name_of_the_class_is_told():
    x, labels = np.ones((10, 1)), np.array([0] * 9 + [1])
    data = Dataset(
        "m", "classification", x, np.eye(2)[labels], x, np.eye(2)[labels], {}, ("a", "b")
    )
    with pytest.raises(InputError, match="without class 'b'"):
        set_apart(data, 3)
