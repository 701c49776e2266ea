"""Tables of figure 5 from stores."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pandas as pd
import pytest

from smallworld_eqprop import InputError, RunConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two values of p, two seeds, two epochs, of which only the first counts."""
    base = RunConfig.preset(
        "layered-5x100", data=named("digits", 100), rule={"solver": {"steps": 2}}
    )
    base = base.changed(layer_sizes=[64, 9, 9, 10], intralayer=True, rule={"solver": {"steps": 2}})
    path = tmp_path_factory.mktemp("sweep") / "store.sqlite"
    with ThreadPoolExecutor(1) as here:
        sweep(Study("s", grid(base, p=[0.2, 0], seed=[1, 0]), epochs=2), path, here, workers=1)
    return path


@pytest.fixture
def module():
    return import_module("collect_p_sweep")


def test_the_first_epoch_of_every_run(module, store, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["collect_p_sweep.py", str(store), "--out", str(tmp_path)])
    module.main()
    runs = pd.read_csv(tmp_path / "figure5_runs.csv")
    assert runs[["p", "seed"]].to_numpy().tolist() == [[0, 0], [0, 1], [0.2, 0], [0.2, 1]]
    assert set(runs.network) == {"2x9, intralayer edges"}
    corrections = pd.read_csv(tmp_path / "figure5_corrections.csv")
    with Store(store, create=False) as opened:
        history, stored = opened.history(), opened.corrections()
        keys = opened.runs().set_index(["p", "seed"])["key"]
    key = keys[0.2, 1]
    first = history[(history.key == key) & (history.epoch == 1)]
    assert runs.training_error[3] == pytest.approx(first.training_error.item(), rel=1e-5)
    mine = corrections[(corrections.p == 0.2) & (corrections.seed == 1)].set_index("pair").rms
    theirs = stored[(stored.key == key) & (stored.epoch == 1)].set_index("pair").rms
    pd.testing.assert_series_equal(mine, theirs, rtol=1e-5)


def test_rows_of_other_networks_stay(module, store, tmp_path):
    module.collect([store], tmp_path)
    tables = [tmp_path / f"figure5_{name}.csv" for name in ("runs", "corrections")]
    made = [pd.read_csv(path) for path in tables]
    for path, table in zip(tables, made, strict=True):
        older = table.assign(seed=7)  # an earlier state of the same network, which goes
        pd.concat((table.assign(network="5x100"), older)).to_csv(path, index=False)
    module.collect([store], tmp_path)
    for path, table in zip(tables, made, strict=True):
        kept = pd.read_csv(path)
        expected = pd.concat((table.assign(network="5x100"), table), ignore_index=True)
        pd.testing.assert_frame_equal(kept, expected)


@pytest.mark.parametrize(
    ("sizes", "intralayer", "name"),
    [
        ([784, 100, 100, 100, 100, 100, 10], False, "5x100"),
        ([784, 500, 500, 500, 10], True, "3x500, intralayer edges"),
        ([784, 30, 20, 10], False, "30-20"),
    ],
)
def test_networks_are_named_after_their_hidden_layers(module, sizes, intralayer, name):
    assert module.network(sizes, intralayer) == name


def test_what_is_not_done_is_counted_and_nothing_at_all_refused(module, store, tmp_path, capsys):
    base = RunConfig.preset("layered-5x100")
    with Store(tmp_path / "empty.sqlite") as empty:
        empty.add(Study("s", (base,)))
    with pytest.raises(InputError, match=r"empty\.sqlite: no finished run in it yet"):
        module.collect([tmp_path / "empty.sqlite"], tmp_path)
    copy = tmp_path / "more.sqlite"
    copy.write_bytes(store.read_bytes())
    with Store(copy) as more:
        more.add(Study("s", grid(base, seed=range(3))))
    module.collect([copy], tmp_path)
    assert "3 runs are not done yet" in capsys.readouterr().err
