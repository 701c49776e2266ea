from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallworld_eqprop.data import Npz
from smallworld_eqprop.data.spec import DATA
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.specs import read_spec, write_spec

RNG = np.random.default_rng(0)
X, Y = RNG.random((40, 2, 3)) * 9 - 3, np.arange(40) % 4
APART = {"x_train": X[:30], "y_train": Y[:30], "x_test": X[30:], "y_test": Y[30:]}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def npz(options=None, **arrays) -> Npz:
    np.savez("mine.npz", **arrays)
    return Npz("mine.npz", **(options or {}))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (Y, ("0", "1", "2", "3")),
        (Y[:, np.newaxis].astype(np.float64), ("0", "1", "2", "3")),
        (np.eye(4)[Y], ("0", "1", "2", "3")),
        (np.eye(5, dtype=bool)[Y], ("0", "1", "2", "3", "4")),
        (np.array(["a b", "c"])[Y % 2], ("a b", "c")),
        (np.array([b"a b", b"c"])[Y % 2], ("a b", "c")),
        (Y > 1, ("False", "True")),
    ],
)
def test_labels_of_every_form(y, classes):
    data = npz(x=X, y=y).load()
    assert data.classes == classes
    assert data.x_train.shape == (32, 6)
    assert data.y_test.shape == (8, len(classes))
    assert data.x_train.min() == 0
    assert data.x_train.max() == 1
    assert data.sha256.keys() == {"mine.npz"}


def test_arrays_for_testing_of_their_own():
    data = npz(**APART).load()
    low, high = (each(X[:30].reshape(30, 6), axis=0) for each in (np.min, np.max))
    expected = np.clip((X[30:].reshape(10, 6) - low) / (high - low), 0, 1)
    np.testing.assert_allclose(data.x_test, expected, rtol=1e-6)
    np.testing.assert_array_equal(data.labels_test, Y[30:])
    first = npz({"n_train": 7}, **APART, more=np.zeros(3)).load()
    np.testing.assert_array_equal(first.labels_train, Y[:7])
    none = npz(**APART | {"x_test": X[:0], "y_test": Y[:0]}).load()
    assert none.x_test.shape == (0, 6)


@pytest.mark.parametrize("y", [RNG.random(40), RNG.random((40, 3)) * 50, Y])
def test_a_regression(y):
    data = npz({"task": "regression"}, x=X, y=y).load()
    assert data.task == "regression"
    assert data.y_train.shape == (32, y.size // 40)
    assert data.y_train.max() == 1


def test_float32_that_need_no_scaling_stay_as_they_are():
    arrays = {name: a.astype(np.float32) / 9 for name, a in APART.items() if name[0] == "x"}
    data = npz({"scaling": "none"}, **APART | arrays).load()
    np.testing.assert_array_equal(data.x_test, arrays["x_test"].reshape(10, 6))


def test_as_a_table():
    table = {"kind": "npz", "path": "mine.npz", "task": "regression", "split_seed": 2}
    assert write_spec(DATA, read_spec(DATA, table)) == table


def with_value(value) -> np.ndarray:
    x = X.copy()
    x[3, 1, 0] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, r"mine.npz: no array 'x_train' \(there are: x\); give x_train, y_train, "),
        ({k: v for k, v in APART.items() if k != "y_test"}, "mine.npz: no array 'y_test'"),
        ({"x": X, "y": np.array([None] * 40)}, "mine.npz: y: pickled objects, which are not read"),
        ({"x": X[:9], "y": Y}, "mine.npz: y: 40 rows, but x has 9"),
        ({"x": X[0, 0], "y": Y[:3]}, r"mine.npz: x: shape \(3,\), must have one row"),
        ({"x": X[:, :0], "y": Y}, r"mine.npz: x: shape \(40, 0, 3\); give at least one value"),
        ({"x": np.full((40, 2), "a"), "y": Y}, "mine.npz: x: .*'a'.* in row 0, column 0"),
        ({"x": with_value(np.nan), "y": Y}, "mine.npz: x: row 3, column 3 .*: missing"),
        ({"x": with_value(np.inf), "y": Y}, "mine.npz: x: row 3, column 3 .*: inf, must be fin"),
        ({"x": X, "y": Y + 0.5}, "mine.npz: y: 4 different numbers, .* give data.task"),
        ({"x": X, "y": np.arange(40)}, "mine.npz: y: 40 different numbers"),
        ({"x": X, "y": np.where(Y > 1, np.nan, 1)}, "mine.npz: y: nan in row 2 "),
        ({"x": X, "y": np.ones((40, 2))}, r"mine.npz: y: row 0 .* is \[1, 1\], not one-hot"),
        ({"x": X, "y": X}, r"mine.npz: y: shape \(40, 2, 3\), must have one value"),
        ({"x": X, "y": 0 * Y}, "mine.npz: x: all 40 rows are of the one class '0'"),
        (APART | {"x_test": X[30:, :1]}, "mine.npz: x_test: 3 values an example, but x_train has"),
        (APART | {"y_test": Y[30:] + 9}, "mine.npz: x_test: class '9' has no training example"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(arrays, message):
    np.savez("mine.npz", **arrays)
    with pytest.raises(InputError, match=f"^{message}") as caught:
        Npz("mine.npz").load()
    assert "\n" not in str(caught.value)


def test_targets_of_a_regression_that_do_not_fit():
    arrays = APART | {"y_train": RNG.random((30, 2)), "y_test": RNG.random((10, 3))}
    with pytest.raises(InputError, match=r"y_test: 3 values an example, but y_train has 2"):
        npz({"task": "regression"}, **arrays).load()
    with pytest.raises(InputError, match=r"mine.npz: y: .*'a'.* in row 0 .* must be a number"):
        npz({"task": "regression"}, x=X, y=np.full(40, "a")).load()


def test_damaged_files_are_refused_in_one_line():
    npz(x=X, y=Y)
    whole = Path("mine.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    np.save("array.npy", X)
    array = Path("array.npy").read_bytes()
    for content in (b"", b"text", whole[:200], bytes(flipped), array, b"\x80\x04N."):
        Path("mine.npz").write_bytes(content)
        with pytest.raises(InputError, match=r"^mine.npz: ") as caught:
            Npz("mine.npz").load()
        assert "\n" not in str(caught.value)
