from __future__ import annotations

import functools
import os

import matplotlib
import numpy as np
import pytest
from hypothesis import settings
from matplotlib.figure import Figure

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

matplotlib.use("Agg")

# Scripts, which `make attack` runs.
collect_ignore = ["attack"]

# Shared machines make single examples slow, so no deadline; in CI the same examples every time.
# Elsewhere every run draws others, so that many runs of 40 see more than one of 100.
settings.register_profile("default", deadline=None, max_examples=40)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")

#: Where torch computes in the tests of its engine; `cuda` needs a card.
TORCH_DEVICE = os.environ.get("SMALLWORLD_TORCH_DEVICE", "cpu")


@pytest.fixture
def torch():
    """The library, with one thread; the test is skipped where it is not installed."""
    found = pytest.importorskip("torch")
    before = found.get_num_threads()
    found.set_num_threads(1)
    yield found
    found.set_num_threads(before)


@pytest.fixture
def torch_device(torch):
    """Where torch computes in this test."""
    return TORCH_DEVICE


@pytest.fixture
def same(torch_device):
    """Compare what one network gives alone and in a stack: to the bit on the processor.

    A card adds in another order where there are more networks. So a relaxation may end elsewhere
    within its tolerance and after another number of sweeps, and counts are not compared there.
    """

    def compare(one, other):
        one, other = (
            np.asarray(each.cpu() if hasattr(each, "cpu") else each) for each in (one, other)
        )
        if torch_device == "cpu":
            np.testing.assert_array_equal(one, other)
        elif one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)

    return compare


@pytest.fixture(params=["numpy", pytest.param(TORCH_DEVICE, marks=pytest.mark.torch)])
def device(request):
    """Every engine: NumPy's, and torch's."""
    if request.param != "numpy":
        pytest.importorskip("torch")
    return request.param


@pytest.fixture
def coarse_pictures(monkeypatch):
    """Pictures of 100 dots per inch and of simple fonts; those of the style take a second each."""
    savefig = Figure.savefig

    @functools.wraps(savefig)
    def coarse(self, *args, **options):
        with matplotlib.rc_context({"pdf.fonttype": 3}):
            return savefig(self, *args, **options | {"dpi": 100})

    monkeypatch.setattr(Figure, "savefig", coarse)


@pytest.fixture(scope="session")
def toy():
    """Three noisy prototypes of 8 features; 43 examples, so that batches of 10 leave 3 over."""
    rng = np.random.default_rng(0)
    prototypes = rng.random((3, 8))

    def draw(n):
        labels = np.arange(n) % 3
        x = np.clip(prototypes[labels] + rng.normal(0, 0.15, (n, 8)), 0, 1)
        return x.astype(np.float32), np.eye(3, dtype=np.float32)[labels]

    return Dataset("toy", "classification", *draw(43), *draw(21), sha256={})


@pytest.fixture(scope="session")
def toy_graph():
    """Every kind of edge: adjacent, intralayer, skip."""
    return rewire(add_intralayer(layered((8, 7, 6, 3))), 0.2, seed=1)
