"""Runs as estimators, and estimators as runs, predict what they predicted."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError

from smallworld_eqprop import (
    Dataset,
    EqPropClassifier,
    EqPropRegressor,
    InputError,
    Run,
    RunConfig,
    train,
)
from smallworld_eqprop.studies.report import report_html

TABLES = Path(__file__).parents[1] / "data" / "files"
GRAPHS = Path(__file__).parents[1] / "graphs" / "files"
pytestmark = pytest.mark.filterwarnings(
    "ignore:mine.csv. left", "ignore:graph. 4 outputs", "ignore:fit. "
)


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(TABLES / "measurements.csv", "mine.csv")
    shutil.copy(GRAPHS / "areas.graphml", "areas.graphml")
    return pd.read_csv("mine.csv")


def config(target="species", task=None, n_outputs=3, **topology):
    data = {"kind": "csv", "path": "mine.csv", "target": target}
    topology = topology or {"kind": "layered", "layer_sizes": [6, 8, n_outputs]}
    return RunConfig.from_dict(
        {
            "data": data | ({"task": task} if task else {}),
            "topology": topology,
            "optimiser": {"kind": "sgd", "learning_rate": 0.1},
        }
    )


def test_the_columns_of_another_run_or_none_are_not_those_of_a_run(table):
    run = train(config(), "run", epochs=1)
    table["sepal width"] *= 2
    table.to_csv("mine.csv", index=False)
    other = train(config(), "other", epochs=1)
    path = run.folder / "columns.npz"
    shutil.copy(other.folder / "columns.npz", path)
    with pytest.raises(InputError, match=r"columns\.npz: was changed after it was written"):
        run.estimator()
    path.unlink()
    with pytest.raises(InputError, match=r"columns\.npz: cannot be read"):
        run.estimator()


@pytest.mark.parametrize(
    "topology",
    [
        {},
        {
            "kind": "file",
            "path": "areas.graphml",
            "inputs": "role=sensory",
            "outputs": "role=motor",
        },
    ],
    ids=["layers", "own graph"],
)
def test_a_run_predicts_classes_by_name_from_the_columns_of_the_table(table, topology):
    run = train(config(**topology), "run", epochs=4)
    data = run.config.data.load()
    # What it learned from is no longer needed.
    Path("mine.csv").unlink()
    Path("areas.graphml").unlink()
    found = Run("run").estimator()
    features = table[list(found.feature_names_in_)]
    given = found.predict(features)
    inputs = data.columns.inputs.forward(features.to_numpy())
    outputs = run.network().outputs(inputs)[:, :3]
    assert list(found.classes_) == list(data.classes) == sorted(set(table.species))
    np.testing.assert_array_equal(given, found.classes_[outputs.argmax(axis=1)])
    assert len(set(given)) > 1
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(again.predict(features), given)


def test_a_run_of_a_regression_predicts_in_units_of_the_target(table):
    run = train(
        config("b", "regression", 1).changed(features=("c", "d", "e", "f"), layer_sizes=(4, 6, 1)),
        "run",
        epochs=3,
    )
    found = run.estimator()
    features = table[["c", "d", "e", "f"]]
    given = found.predict(features)
    columns = run.config.data.load().columns
    outputs = run.network().outputs(columns.inputs.forward(features.to_numpy()))
    np.testing.assert_allclose(given, columns.targets.back(outputs)[:, 0], atol=1e-2)
    assert table.b.min() <= given.mean() <= table.b.max()


def test_a_run_of_a_named_set_takes_what_load_gives(tiny, tmp_path):
    run = train(tiny, tmp_path / "run", epochs=1)
    data = tiny.data.load()
    found = run.estimator()
    np.testing.assert_array_equal(found.predict(data.x_test), run.network().predict(data.x_test))
    assert list(found.classes_) == list(range(10))
    assert found.loss_curve_ == run.history.training_cost.tolist()


def test_the_recipe_of_a_run_is_that_of_its_estimator(tiny, tmp_path):
    tiny = tiny.changed(start="rest")
    run = train(tiny, tmp_path / "run", epochs=1)
    fresh = clone(run.estimator())
    for name in ("model", "rule", "loss", "optimiser", "relaxation"):
        assert getattr(fresh, name) == getattr(tiny.training, name)
    data = tiny.data.load()
    fresh.fit(data.x_train, data.labels_train)
    assert fresh.graph_ == run.graph


def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, np.array(["one kind", "b", "c"])[y]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fitted_estimator_becomes_a_run(tmp_path, early_stopping):
    X, y = wine()
    found = EqPropClassifier((9,), max_iter=4, early_stopping=early_stopping, random_state=0)
    found.fit(X, y)
    run = Run.from_estimator(found, tmp_path / "run")
    again = run.estimator()
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))
    assert list(run.history.training_cost) == found.loss_curve_
    np.testing.assert_array_equal(run.corrections(), np.concatenate(found.corrections_))
    assert run.graph == found.graph_
    assert "EqPropClassifier" in report_html(run)
    assert bool(run.record["notes"]) is early_stopping


def test_a_regressor_becomes_a_run(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    found = EqPropRegressor((9,), max_iter=3, random_state=0).fit(X, y)
    again = Run.from_estimator(found, tmp_path / "run").estimator()
    np.testing.assert_allclose(again.predict(X), found.predict(X), rtol=1e-12)


def test_it_is_gone_on_with_only_when_the_arrays_are_given(tmp_path):
    X, y = wine()
    found = EqPropClassifier((9,), max_iter=2, random_state=0).fit(X, y)
    folder = tmp_path / "run"
    run = Run.from_estimator(found, folder)
    with pytest.raises(InputError, match=r"^data: arrays with the SHA-256 .*not stored; give them"):
        train(run.config, folder, epochs=3, existing="resume")
    inputs = found.scaler_.forward(X.to_numpy())
    targets = np.eye(3)[np.searchsorted(found.classes_, y)]
    data = Dataset("mine", "classification", inputs, targets, [], [])
    with pytest.warns(UserWarning, match="the schedule ends after 4 steps, but the run after 6"):
        run = train(run.config, folder, epochs=3, existing="resume", data=data)
    assert len(run.history) == 3


def test_what_cannot_become_a_run_says_why(tmp_path):
    X, y = wine()
    with pytest.raises(NotFittedError):
        Run.from_estimator(EqPropClassifier(), tmp_path / "run")
    found = EqPropClassifier((5,), max_iter=1).fit(X, y)
    run = Run.from_estimator(found, tmp_path / "run")
    with pytest.raises(InputError, match="holds a run already"):
        Run.from_estimator(found, tmp_path / "run")
    with pytest.raises(InputError, match="estimator: comes from a run"):
        Run.from_estimator(run.estimator(), tmp_path / "other")
