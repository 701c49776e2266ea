from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

from smallworld_eqprop import RunConfig
from smallworld_eqprop.data import DATASETS, datasets, load, named
from smallworld_eqprop.data.sources import FOLDER_VARIABLE, MNIST, read_files
from smallworld_eqprop.errors import InputError

TABLES = {"digits": (1797, 64, 10), "wine": (178, 13, 3), "diabetes": (442, 10, 1)}


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def toy_mnist(monkeypatch):
    """Four files of the right form, small in everything but the number of training images."""
    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (60_000, 2, 2), dtype=np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 60_000, dtype=np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (50, 2, 2), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 50, dtype=np.uint8),
    }
    contents = {name: idx(array) for name, array in arrays.items()}
    monkeypatch.setattr(datasets, "read_files", lambda files, *, folder, cache: contents)
    return arrays


@pytest.mark.parametrize("n_train", [None, 60_000, 50_000, np.int64(1)])
def test_images_are_scaled_and_the_first_are_kept(toy_mnist, n_train):
    data = load("mnist", n_train=n_train)
    kept = slice(n_train if n_train is not None else 60_000)
    pixels = toy_mnist["train-images-idx3-ubyte"][kept].reshape(-1, 4)
    np.testing.assert_array_equal(data.x_train, pixels.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data.labels_train, toy_mnist["train-labels-idx1-ubyte"][kept])
    np.testing.assert_array_equal(data.labels_test, toy_mnist["t10k-labels-idx1-ubyte"])
    assert data.x_test.shape == (50, 4)
    assert data.sha256 == MNIST.sha256


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_every_example_in_the_unit_interval(name):
    n_examples, n_features, n_outputs = TABLES[name]
    data = load(name)
    assert data.x_train.shape[1] == data.x_test.shape[1] == n_features
    assert data.y_train.shape[1] == data.y_test.shape[1] == n_outputs
    assert len(data.x_train) == len(data.y_train)
    assert len(data.x_test) == len(data.y_test) == pytest.approx(n_examples / 5, abs=1)
    x, y = np.vstack([data.x_train, data.x_test]), np.vstack([data.y_train, data.y_test])
    assert len(x) == n_examples
    assert (x.min(), x.max(), y.min(), y.max()) == (0, 1, 0, 1)
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert not array.flags.writeable


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_every_feature_fills_the_unit_interval(name):
    data = load(name)
    x = np.vstack([data.x_train, data.x_test])
    np.testing.assert_array_equal(x.min(axis=0), 0)
    np.testing.assert_array_equal(x.max(axis=0), 1)


def test_digits_keep_their_labels():
    images, labels = sklearn_datasets.load_digits(return_X_y=True)
    known = {row.tobytes(): label for row, label in zip(images, labels, strict=True)}
    data = load("digits")
    rows = np.round(data.x_test * 16).astype(np.float64)
    assert [known[row.tobytes()] for row in rows] == data.labels_test.tolist()


def test_wine_is_split_by_class():
    data = load("wine")
    share = data.y_test.sum(axis=0) / (data.y_test.sum(axis=0) + data.y_train.sum(axis=0))
    np.testing.assert_allclose(share, 0.2, atol=0.02)


def test_regression_has_no_labels():
    with pytest.raises(InputError, match="diabetes is a regression dataset"):
        _ = load("diabetes").labels_train


def test_the_seed_decides_the_split():
    first, again, other = load("wine"), load("wine", seed=0), load("wine", seed=1)
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert first.sha256 == again.sha256
    assert not np.array_equal(first.x_train, other.x_train)


def test_n_train_keeps_the_first_and_the_same_test_set():
    whole, part = load("wine"), load("wine", n_train=10)
    np.testing.assert_array_equal(part.x_train, whole.x_train[:10])
    np.testing.assert_array_equal(part.x_test, whole.x_test)


@pytest.mark.parametrize("n_train", [0, -1, 143, 10.0, float("nan"), True, "10"])
def test_n_train_out_of_range(n_train):
    with pytest.raises(InputError, match=r"integer from 1 to 142 for wine, not "):
        load("wine", n_train=n_train)


def test_n_train_is_checked_before_anything_is_fetched(tmp_path):
    with pytest.raises(InputError, match="from 1 to 60000 for mnist, not 60001"):
        load("mnist", n_train=60_001, folder=tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("mnsit", "mnist"), ("fashion_mnist", "fashion-mnist"), ("digit", "digits")],
)
def test_unknown_name_suggests_the_nearest(name, nearest):
    with pytest.raises(InputError, match=f"unknown dataset '{name}'; did you mean {nearest}?"):
        load(name)


def test_unknown_name_lists_the_known():
    with pytest.raises(InputError, match=", ".join(DATASETS)):
        load("cifar")


@pytest.mark.network
def test_mnist_from_any_source(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    data = load("mnist", cache=tmp_path)
    assert data.x_train.shape == (60_000, 784)
    assert data.x_test.shape == (10_000, 784)
    assert np.bincount(data.labels_test)[:3].tolist() == [980, 1135, 1032]
    published = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
    cached = read_files(MNIST, cache=tmp_path)
    assert {name: hashlib.md5(content).hexdigest() for name, content in cached.items()} == published


def test_a_dataset_says_what_it_is():
    assert repr(load("diabetes")) == (
        "Dataset(diabetes: regression, 353 training and 89 test examples, 10 features, 1 outputs)"
    )


def test_pooled_pixels_are_means_of_squares():
    fine, coarse = load("digits"), load("digits", pool=2)
    assert coarse.x_train.shape == (len(fine.x_train), 16)
    for one, other in ((fine.x_train, coarse.x_train), (fine.x_test, coarse.x_test)):
        image, small = one[7].reshape(8, 8), other[7].reshape(4, 4)
        assert small[1, 3] == pytest.approx(image[2:4, 6:8].mean())
        np.testing.assert_allclose(other.mean(axis=1), one.mean(axis=1), rtol=1e-5)
        assert not other.flags.writeable
    np.testing.assert_array_equal(fine.y_test, coarse.y_test)
    assert load("digits", pool=8).x_train.shape[1] == 1


@pytest.mark.parametrize(
    ("name", "pool", "message"),
    [
        ("digits", 3, "pool: 3, allowed for 8 x 8 pixels: 1, 2, 4, 8"),
        ("digits", 0, "pool: 0, allowed"),
        ("digits", 2.0, "pool: 2.0, allowed"),
        ("wine", 2, "pool: 2, but wine has no images; leave it out"),
    ],
)
def test_a_pool_that_fits_no_image_is_one_line(name, pool, message):
    with pytest.raises(InputError, match=message):
        load(name, pool=pool)


def test_the_spec_of_images_has_a_pool_and_its_default_changes_no_key():
    config = RunConfig(data=named("digits"))
    assert config.changed(pool=1).key == config.key
    pooled = config.changed(pool=4)
    assert pooled.key != config.key
    assert pooled.to_dict()["data"] == {"kind": "digits", "pool": 4}
    assert pooled.data.load().x_test.shape[1] == 4
    with pytest.raises(InputError, match="pool"):
        RunConfig(data=named("wine")).changed(pool=2)
