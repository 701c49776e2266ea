from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.data import Dataset, load
from smallworld_eqprop.errors import InputError

EYE = np.eye(3, dtype=np.float32)


def arrays(n: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((n, 4), np.float32)
    y = EYE[np.arange(n) % 3]
    return {"x_train": x, "y_train": y, "x_test": x[:3].copy(), "y_test": y[:3].copy()}


def dataset(task="classification", **changes) -> Dataset:
    return Dataset("mine", task, **{**arrays(), **changes})


def changed(name: str, place, value, dtype=np.float32) -> dict[str, np.ndarray]:
    array = arrays()[name].astype(dtype)
    array[place] = value
    return {name: array}


def test_what_is_as_it_should_be_is_not_copied_and_stays_writeable_for_its_owner():
    given = arrays()
    data = dataset(**given)
    for name, array in given.items():
        kept = getattr(data, name)
        assert np.shares_memory(kept, array)
        assert not kept.flags.writeable
        assert array.flags.writeable


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.astype(np.float64),
        np.asfortranarray,
        lambda a: a.astype(np.float16).astype(object),
        lambda a: a.tolist(),
        pd.DataFrame,
        lambda a: np.repeat(a, 2, axis=0)[::2],
        np.ma.masked_array,
    ],
)
def test_what_means_the_same_is_converted(convert):
    data = dataset(**{name: convert(array) for name, array in arrays().items()})
    for name, array in arrays().items():
        kept = getattr(data, name)
        assert kept.dtype == np.float32
        assert kept.flags.c_contiguous
        assert not kept.flags.writeable
        np.testing.assert_allclose(kept, array, atol=1e-3)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16])
def test_whole_numbers_are_numbers(dtype):
    x = (arrays()["x_train"] > 0.5).astype(dtype)
    np.testing.assert_array_equal(dataset(x_train=x).x_train, x)


@pytest.mark.parametrize("empty", [[], np.empty((0, 4)), np.empty(0, np.float32)])
def test_there_may_be_no_test_examples(empty):
    data = dataset(x_test=empty, y_test=[])
    assert data.x_test.shape == (0, 4)
    assert data.y_test.shape == (0, 3)


def test_inputs_may_be_negative_and_rounded_at_the_limits():
    x = np.linspace(-1, 1, 24).reshape(6, 4)
    x[0, 0] -= 1e-8
    assert dataset(x_train=x).x_train.min() == -1


def test_targets_of_a_regression_may_be_any_finite_number_in_one_column():
    data = dataset("regression", y_train=np.arange(6) * 100 - 50, y_test=[1e6, -3, 0])
    assert data.y_train.shape == (6, 1)
    assert data.y_test[0, 0] == 1e6


def test_a_single_class_is_one_hot():
    assert dataset(y_train=np.ones((6, 1)), y_test=np.ones((3, 1))).y_train.shape == (6, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "clasification"}, "task: 'clasification'; did you mean classification?"),
        ({"task": None}, "task: None; allowed: classification, regression"),
        (changed("x_train", (2, 1), np.nan), r"x_train: nan in row 2, column 1 \(counted from 0\)"),
        (changed("x_train", (2, 1), np.inf), "x_train: inf in row 2, column 1 .* must be finite"),
        (changed("x_test", (1, 3), -np.inf), "x_test: -inf in row 1, column 3"),
        (changed("x_train", (5, 0), 255), "x_train: 255 in row 5, column 0 .* -1 to 1; .* by 255"),
        (changed("x_train", (5, 0), 255, np.uint8), "x_train: 255 in row 5, column 0"),
        (changed("x_test", (0, 2), -1.5), "x_test: -1.5 in row 0, column 2 .* from -1 to 1"),
        ({"x_train": arrays(5)["x_train"]}, "y_train: 6 rows, but x_train has 5"),
        ({"y_test": EYE[:2]}, "y_test: 2 rows, but x_test has 3"),
        ({"x_test": np.zeros((3, 5))}, "x_test: 5 columns, but x_train has 4; give as many"),
        ({"y_test": np.eye(4)[:3]}, "y_test: 4 columns, but y_train has 3; give as many"),
        ({"x_train": np.zeros((0, 4)), "y_train": EYE[:0]}, r"x_train: shape \(0, 4\); give at"),
        ({"x_train": np.zeros((6, 0))}, r"x_train: shape \(6, 0\); give at least one"),
        ({"x_train": np.zeros(6)}, r"x_train: shape \(6,\), must have one row for every example"),
        ({"x_train": np.zeros((6, 2, 2))}, r"x_train: shape \(6, 2, 2\), .*reshape\(len"),
        ({"x_train": [["a", "b"]] * 6}, "x_train: .*'a'.* in row 0, column 0 .*; must be a number"),
        ({"x_train": [[1, 0], [0, None]]}, "x_train: None in row 1, column 1 .* be a number"),
        ({"x_train": [[1, 0], [0]]}, "x_train: rows of different lengths"),
        ({"x_train": np.zeros((6, 4), complex)}, "x_train: complex128, must be an array of num"),
        ({"x_train": np.zeros((6, 4), "M8[s]")}, r"x_train: datetime64\[s\], must be an array"),
        ({"x_train": 3.0 + 1j}, "x_train: complex, must be an array of numbers"),
        ({"x_train": 0.5}, r"x_train: shape \(\), must have one row"),
        (
            {"x_train": np.ma.masked_array(np.zeros((6, 4)), np.arange(24).reshape(6, 4) == 9)},
            "x_train: masked in row 2, column 1",
        ),
        (
            {"y_train": np.arange(6) % 3},
            r"y_train: one column of labels \(0 in row 0, .*numpy.eye\(n_classes\)\[labels\]",
        ),
        ({"y_train": [[1.0], [1.0], [2.0]] * 2}, r"y_train: one column of labels \(2 in row 2, "),
        (changed("y_train", (4, 1), 0.5), r"y_train: row 4 .* is \[0, 0.5, 0\]; .* a 1 for"),
        (changed("y_train", (4, 0), 1), r"y_train: row 4 .* is \[1, 1, 0\]"),
        (changed("y_test", (1, 1), 0), r"y_test: row 1 .* is \[0, 0, 0\]"),
        (changed("y_test", (1, 1), np.nan), "y_test: nan in row 1, column 1 .* must be finite"),
        (
            {"task": "regression", "y_train": [1, 2, 3, 4, 5, 1e39], "y_test": [0, 0, 0]},
            r"y_train: 1e\+39 in row 5, column 0 .* is too large for float32",
        ),
        ({"task": "regression", "y_train": [1, np.nan] * 3}, "y_train: nan in row 1, column 0"),
        ({"classes": ("a", "b")}, "classes: 2 names, but y_train has 3 columns"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_one_line(changes, message):
    with pytest.raises(InputError, match=f"^{message}") as caught:
        dataset(**changes)
    assert "\n" not in str(caught.value)


def test_a_bad_value_is_found_among_many():
    x = np.zeros((5000, 3), np.float32)
    x[4321, 2] = np.nan
    with pytest.raises(InputError, match="x_train: nan in row 4321, column 2 "):
        dataset(x_train=x, y_train=EYE[np.zeros(5000, int)], x_test=[], y_test=[])


def test_named_data_sets_are_not_copied(monkeypatch):
    data = load("wine")
    again = dataclasses.replace(data, name="again")
    assert all(np.shares_memory(getattr(data, name), getattr(again, name)) for name in arrays())


def test_what_has_no_source_is_told_apart_by_its_arrays():
    assert dataset().fingerprint == dataset().fingerprint
    assert dataset().fingerprint != dataset(**changed("x_train", (0, 0), 0.5)).fingerprint
    wide = dataset("regression", y_train=np.zeros((6, 2)), x_test=[], y_test=[])
    assert wide.fingerprint != dataset(x_test=[], y_test=[]).fingerprint
    assert wide.fingerprint.keys() == {"arrays"}
    data = load("wine")
    assert data.fingerprint == data.sha256
