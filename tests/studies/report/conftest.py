from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from smallworld_eqprop import RunConfig, Store, Study, grid, sweep, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.studies.report import report_html

#: With names that would be markup if nobody took care.
CONFIG = RunConfig(
    name="<b>mine<b> & yours",
    summary="</script><script>alert(1)</script>",
    data=named("digits", 100),
    topology=Rewire((64, 12, 11, 10), p=0.1),
)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return train(CONFIG, tmp_path_factory.mktemp("runs") / "run", epochs=2)


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "mine.sqlite"
    study = Study("mine", grid(CONFIG, p=[0.0, 0.1, 0.2], seed=[0, 1]), epochs=2)
    with ThreadPoolExecutor(1) as executor:
        sweep(study, path, executor)
    return path


@pytest.fixture(scope="session")
def run_html(run):
    return report_html(run)


@pytest.fixture(scope="session")
def study_html(store_path):
    with Store(store_path) as store:
        return report_html(store)


@pytest.fixture(scope="session")
def config():
    return CONFIG
