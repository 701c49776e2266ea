from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.data import Csv, Parquet
from smallworld_eqprop.data.spec import DATA
from smallworld_eqprop.data.split import LIMITS
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.specs import read_spec, write_spec

FILE = Path(__file__).parent / "files" / "measurements.csv"
COLUMNS = "sepal width, b, c, d, e, f, constant, species"
SMALL = "a,b,kind\n0,6,x\n2,5,y\n4,6,x\n8,5,y\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def csv(content: str, target="kind", path="mine.csv", **options) -> Csv:
    """Of a file in the working directory."""
    Path(path).write_text(content, encoding="utf-8")
    return Csv(path, target, **options)


def refused(spec, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}") as caught:
        spec().load()
    assert "\n" not in str(caught.value)


def test_a_table_of_measurements():
    data = Csv(FILE, "species").load()
    table = pd.read_csv(FILE)
    assert repr(data) == (
        "Dataset(measurements.csv: classification, 120 training and 30 test examples, 6 features, "
        "3 outputs)"
    )
    assert data.classes == ("other kind", "setosa", "virginica")
    counts = (data.y_train.sum(axis=0) + data.y_test.sum(axis=0)).tolist()
    assert counts == [sum(table.species == name) for name in data.classes]
    np.testing.assert_allclose(data.y_test.mean(axis=0), np.array(counts) / 150, atol=0.02)
    np.testing.assert_array_equal(data.x_train.min(axis=0), 0)
    np.testing.assert_array_equal(data.x_train.max(axis=0), 1)
    assert data.columns.constant == ("constant",)
    assert data.columns.features == ("sepal width", "b", "c", "d", "e", "f")
    kept = table.drop(columns=["species", "constant"]).to_numpy()
    inputs = data.columns.inputs.forward(kept).astype(np.float32)
    assert {*map(tuple, np.concatenate((data.x_train, data.x_test)))} == {*map(tuple, inputs)}
    back = np.round(data.columns.inputs.back(data.x_train), 3)
    assert {*map(tuple, back)} < {*map(tuple, np.round(kept, 3))}
    assert data.x_test.min() >= 0
    assert data.x_test.max() <= 1
    digest = hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert data.sha256 == {"measurements.csv": digest}


def test_every_row_keeps_its_label(here):
    rows = "".join(f"{n / 100},{'xyz'[n % 3]}\n" for n in range(100))
    data = csv("a,kind\n" + rows, scaling="none", split_seed=3).load()
    number = np.round(np.concatenate([data.x_train, data.x_test])[:, 0] * 100).astype(int)
    assert sorted(number) == list(range(100))
    np.testing.assert_array_equal(np.concatenate([data.labels_train, data.labels_test]), number % 3)


def test_minimum_and_maximum_are_those_of_the_training_rows_in_use(here):
    rows = "".join(f"{n * n},{'xy'[n % 2]}\n" for n in range(40))
    data = csv("a,kind\n" + rows).load()
    assert data.x_train.min() == 0
    assert data.x_train.max() == 1
    few = csv("a,kind\n" + rows, n_train=3).load()
    assert len(few.x_train) == 3
    assert few.x_train.max() == 1
    assert few.x_train.min() == 0
    seeds = [csv("a,kind\n" + rows, n_train=3, split_seed=k).load().x_test for k in range(5)]
    assert any(np.isin(x, (0, 1)).any() for x in seeds)  # cut
    assert len(few.x_test) == len(data.x_test)
    np.testing.assert_array_equal(few.y_test, data.y_test)


def test_the_seed_decides_the_split_and_numpy_scalars_are_numbers():
    first = Csv(FILE, "species").load()
    same = Csv(FILE, "species", split_seed=np.int64(0), test_share=np.float64(0.2)).load()
    other = Csv(FILE, "species", split_seed=1).load()
    np.testing.assert_array_equal(first.x_train, same.x_train)
    assert not np.array_equal(first.x_train, other.x_train)
    spec = Csv(FILE, "species", n_train=np.int32(7), test_share=np.float32(0.25))
    assert spec.identity()["n_train"] == 7
    assert len(spec.load().x_train) == 7


@pytest.mark.parametrize(
    ("content", "options", "classes"),
    [
        ("a,kind\n1,True\n2,False\n3,True\n4,False\n", {}, ("False", "True")),
        ("a,kind\n1,10\n2,9\n3,10\n4,9\n", {}, ("9", "10")),
        ("a,kind\n1,1.0\n2,0.0\n3,1.0\n4,0.0\n", {}, ("0", "1")),
        ("a,kind\n1,0.5\n2,1\n3,0.5\n4,1\n", {"task": "classification"}, ("0.5", "1")),
        ("a,kind\n1,NA\n2,None\n3,NA\n4,None\n", {}, ("NA", "None")),
        ("a,kind\n1, a b\n2,ü\n3, a b\n4,ü\n", {}, ("a b", "ü")),
        ("a;kind\n1;x\n2;y\n3;x\n4;y\n", {"separator": ";"}, ("x", "y")),
        ("a\tkind\n1\tx\n2\ty\n3\tx\n4\ty\n", {"separator": "\t"}, ("x", "y")),
    ],
)
def test_what_is_a_class(here, content, options, classes):
    assert csv(content, test_share=0.5, **options).load().classes == classes


def test_a_file_without_a_header(here):
    data = csv("1,x\n2,y\n3,x\n4,y\n", "1", header=False, test_share=0).load()
    assert data.x_train.shape == (4, 1)
    assert data.x_test.shape == (0, 1)
    assert data.y_test.shape == (0, 2)


def test_a_regression_scales_its_targets_by_the_training_rows_and_does_not_cut_them(here):
    rows = "".join(f"{n},{n % 7},{10 * n},{-n}\n" for n in range(50))
    data = csv("a,b,y,z\n" + rows, ("y", "z"), task="regression").load()
    assert data.task == "regression"
    assert data.classes == ()
    assert data.y_train.shape == (40, 2)
    np.testing.assert_array_equal(data.y_train.min(axis=0), 0)
    np.testing.assert_array_equal(data.y_train.max(axis=0), 1)
    few = csv("a,b,y,z\n" + rows, ("y", "z"), task="regression", n_train=5).load()
    assert few.y_test.max() > 1


def test_without_scaling_numbers_stay_as_they_are(here):
    content = "a,y\n0.5,100\n-1,200\n1,300\n0,400\n"
    data = csv(content, "y", task="regression", scaling="none", test_share=0).load()
    assert sorted(data.y_train[:, 0]) == [100, 200, 300, 400]
    assert sorted(data.x_train[:, 0]) == [-1, 0, 0.5, 1]
    assert LIMITS == (-1, 1)


def test_test_rows_of_their_own(here):
    Path("test.csv").write_text("kind,b,a\ny,1,100\nx,1,2\n")
    spec = csv("a,b,kind\n0,5,x\n2,6,y\n4,5,x\n", test_path="test.csv", n_train=3)
    data = spec.load()
    np.testing.assert_allclose(data.x_train, [[0, 0], [0.5, 1], [1, 0]])
    np.testing.assert_allclose(data.x_test, [[1, 0], [0.5, 0]])
    assert data.y_test.tolist() == [[0, 1], [1, 0]]
    assert data.sha256.keys() == {"mine.csv", "test/test.csv"}
    other = csv(SMALL, test_path="test.csv", split_seed=1, test_share=0.5).identity()
    assert other == csv(SMALL, test_path="test.csv").identity()
    assert other.keys() == {"target", "sha256", "test_sha256"}


def test_only_the_content_of_a_file_counts_for_its_identity(here):
    first = csv(SMALL).identity()
    assert first == {"target": "kind", "sha256": hashlib.sha256(SMALL.encode()).hexdigest()}
    assert csv(SMALL, path="copy.csv", task="classification").identity() == first
    assert csv(SMALL.replace("8", "9")).identity() != first
    for options in ({"task": "regression"}, {"split_seed": 1}, {"features": ["a"]}, {"n_train": 2}):
        assert csv(SMALL, **options).identity() != first


def test_a_file_that_has_changed_is_refused(here):
    spec = csv(SMALL, test_share=0.5)
    spec.identity()
    kept = pickle.loads(pickle.dumps(spec))  # noqa: S301 as a worker gets it
    spec.load()
    Path("mine.csv").write_text(SMALL.replace("8", "9"))
    refused(
        lambda: spec, r"mine.csv: data.path: the file has changed since it was first read \(SHA"
    )
    refused(lambda: kept, "mine.csv: data.path: the file has changed")
    assert spec == csv(SMALL, test_share=0.5)
    loaded = csv(SMALL, test_share=0.5)
    loaded.load()
    Path("mine.csv").unlink()
    assert loaded.identity() == spec.identity()


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "csv", "path": "mine.csv", "target": "kind"},
        {
            "kind": "csv",
            "path": "mine.csv",
            "target": ["a", "b"],
            "task": "regression",
            "features": ["c"],
            "separator": ";",
            "header": False,
            "scaling": "none",
            "test_share": 0.5,
            "split_seed": 3,
            "n_train": 10,
            "test_path": "test.csv",
        },
        {"kind": "parquet", "path": "mine.parquet", "target": "kind"},
    ],
)
def test_tables_are_read_as_they_are_written(table):
    spec = read_spec(DATA, table)
    assert write_spec(DATA, spec) == table
    assert spec.task == table.get("task")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "specis"}, rf".*s.csv: data.target: unknown column 'specis'; did you mean "
         rf"species\? \(allowed: {COLUMNS}\)"),
        ({"features": ["b", "sepal_width"]}, ".*data.features: unknown column 'sepal_width'; did"),
        ({"features": ["b", "species"]}, "data.features: 'species' is the target"),
        ({"features": "b"}, "data.features: 'b', must be a list of columns"),
        ({"features": ["b", "b"]}, "data.features: 'b' is given twice"),
        ({"target": ["b", "c"]}, "data.target: 2 columns, but a classification has one"),
        ({"target": []}, "data.target: .*, must be a column"),
        ({"target": 3}, "data.target: 3, must be"),
        ({"target": "b"}, ".*column 'b': 1.. different numbers, .* give data.task"),
        ({"target": "b", "task": "regression"}, ".*data row 1, column 'species': 'other kind', "
         "must be a number; choose columns of numbers by data.features"),
        ({"target": "species", "task": "regression"}, ".*data row 1, column 'species': 'other "
         "kind', must be a number; a regression needs numbers"),
        ({"task": "clasification"}, "data.task: 'clasification'; did you mean classification"),
        ({"scaling": "standard"}, "data.scaling: 'standard'; allowed: min-max, none"),
        ({"scaling": "none"}, ".*data row 1, column 'sepal width': 1.078, must be from -1 to 1"),
        ({"test_share": 1.0}, "data.test_share: 1.0, must be a number from 0 to below 1"),
        ({"test_share": float("nan")}, "data.test_share: nan"),
        ({"test_share": 0.01}, ".*data.test_share: 0.01 of 150 rows leaves 148 .* at least 3"),
        ({"split_seed": -1}, "split_seed: -1, must be a whole number from 0 to"),
        ({"n_train": 0}, "n_train: 0, must be a whole number from 1 to"),
        ({"n_train": True}, "n_train: True, must be a whole number"),
        ({"n_train": 121}, "n_train must be an integer from 1 to 120 for .*measurements.csv, not"),
        ({"n_train": 1}, ".*all 1 training rows are of the one class"),
        ({"separator": ";"}, ".*a single column with the separator ';', 'sepal width,b"),
        ({"separator": ", "}, "data.separator: ', ', must be one character"),
        ({"header": 0}, "data.header: 0, must be true or false"),
        ({"path": ""}, "data.path: '', must be the name of a file"),
        ({"path": "absent.csv"}, "absent.csv: data.path: cannot be read .No such file"),
        ({"path": "."}, r"\.: data.path: cannot be read .Is a directory"),
        ({"test_path": "absent.csv"}, "absent.csv: data.test_path: cannot be read"),
        ({"test_path": ""}, "data.test_path: '', must be the name of a file"),
    ],
)  # fmt: skip
def test_bad_keys_are_refused_in_one_line(changes, message):
    refused(lambda: Csv(**{"path": FILE, "target": "species"} | changes), message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SMALL.replace("2,5", "2,"), "mine.csv: data row 2, column 'b': missing; leave out"),
        (SMALL.replace("2,5", "2,NA"), "mine.csv: data row 2, column 'b': 'NA', a missing value"),
        (SMALL.replace("8,5,y", "8,5"), "mine.csv: data row 4, column 'kind': missing"),
        (SMALL.replace("2,5", "2,red"), "mine.csv: data row 2, column 'b': 'red', must be a num"),
        (SMALL.replace("2,5", "2,inf"), "mine.csv: data row 2, column 'b': inf, must be finite"),
        (SMALL.replace("y", "x"), "mine.csv: all 4 rows are of the one class 'x'"),
        (SMALL.replace("8,5,y", "8,5,z"), "mine.csv: class 'y' has 1 row, too few for a split"),
        (SMALL, "mine.csv: data.test_share: 0.2 of 4 rows leaves 3 for training and 1 for test"),
        (SMALL.replace("2,5", "2,5,6"), r"mine.csv: not a table with the separator ',' \("),
        (SMALL.replace("2,5,y", '2,5,"y'), r"mine.csv: not a table with the separator ',' \("),
        (SMALL.replace("a,b", "a,a"), "mine.csv: data.test_share"),
        (SMALL.replace("a,b", ",b"), "mine.csv: column 1 has no name; name the columns to learn"),
        ("a,b,kind\n", "mine.csv: no rows"),
        ("", "mine.csv: not a table"),
        ("kind,other\nx,1\n", "mine.csv: all 1 rows are of the one class"),
        ("kind\nx\n", "mine.csv: a single column"),
        ("\udcff\udcfe", "mine.csv: not a text in UTF-8"),
    ],
)
def test_bad_tables_are_refused_in_one_line(here, content, message):
    Path("mine.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    refused(lambda: Csv("mine.csv", "kind"), message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,kind\n1,2,z\n", "test.csv: class 'z' has no training example; allowed: x, y"),
        ("a,kind\n1,x\n", "test.csv: data.features: unknown column 'b'"),
        ("a,b,sort\n1,2,x\n", "test.csv: data.target: unknown column 'kind'"),
        ("a,b,kind\n1,,x\n", "test.csv: data row 1, column 'b': missing"),
    ],
)
def test_bad_test_tables_are_refused_in_one_line(here, content, message):
    Path("test.csv").write_text(content)
    refused(lambda: csv(SMALL, test_path="test.csv"), message)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, 1, 1, 1], "mine.csv: all 4 rows have the one target 1; there is nothing to learn"),
        (["1", "x", "2", "3"], "mine.csv: data row 2, column 'y': 'x', must be a number"),
        (["1", "inf", "2", "3"], "mine.csv: data row 2, column 'y': inf, must be finite"),
    ],
)
def test_bad_targets_of_a_regression_are_refused(here, column, message):
    content = "a,y\n" + "".join(f"{n},{value}\n" for n, value in enumerate(column))
    refused(lambda: csv(content, "y", task="regression"), message)


def test_parquet(here):
    pytest.importorskip("pyarrow")
    table = pd.read_csv(FILE)
    table["species"] = table["species"].astype("category")
    table["whole"] = pd.array(np.arange(150), dtype="Int64")
    table.set_index("b").to_parquet("mine.parquet")
    data = Parquet("mine.parquet", "species").load()
    assert data.classes == ("other kind", "setosa", "virginica")
    assert data.x_train.shape == (120, 7)
    Path("mine.parquet").write_bytes(Path("mine.parquet").read_bytes()[:-9])
    refused(lambda: Parquet("mine.parquet", "species"), "mine.parquet: not a Parquet file")
    table["when"] = pd.Timestamp("2020-01-01")
    table.to_parquet("mine.parquet")
    refused(
        lambda: Parquet("mine.parquet", "species"), "mine.parquet: column 'when': datetime64.* must"
    )


def test_parquet_needs_a_reader(here, monkeypatch):
    for name in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, name, None)
    Path("mine.parquet").write_bytes(b"PAR1")
    refused(
        lambda: Parquet("mine.parquet", "species"),
        "mine.parquet: to read Parquet pandas needs pyarrow; pip install pyarrow$",
    )


def test_a_constant_column_is_no_feature_unless_it_is_asked_for(here):
    content = "a,unit,b,kind\n1,mm,7,x\n2,mm,7,y\n3,mm,7,x\n4,mm,7,y\n"
    data = csv(content, test_share=0).load()
    assert data.columns.features == ("a",)
    assert data.columns.constant == ("unit", "b")
    kept = csv(content, features=("a", "b"), test_share=0).load()
    np.testing.assert_array_equal(kept.x_train[:, 1], 0)
    assert kept.columns.constant == ()
    refused(
        lambda: csv("b,kind\n7,x\n7,y\n"), "mine.csv: every column but the target has one value"
    )


def test_constant_columns_are_those_of_the_training_file(here):
    Path("test.csv").write_text("a,b,kind\n3,7,x\n3,8,y\n")
    data = csv("a,b,kind\n1,7,x\n2,7,y\n", test_path="test.csv").load()
    assert data.x_test.shape == (2, 1)
