from __future__ import annotations

import sys
from importlib import import_module

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.studies.style import use_style


@pytest.fixture
def script(coarse_pictures):
    """Import a script; what it draws has the style of the figures, whatever ran before."""
    with mpl.rc_context():
        use_style()
        yield import_module
    plt.close("all")


@pytest.fixture
def run_script(script, tmp_path, monkeypatch):
    """Run a script as from the command line; gives its exit status."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments), "--out", str(tmp_path)])
        return exit_status(script(name).main)

    return run


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Runs that pass for the paper's, of one and of five epochs."""
    parent = tmp_path_factory.mktemp("runs")

    def run(name, sizes, epochs, **topology):
        config = RunConfig(
            name=name,
            data=named("digits", 230),
            topology=Rewire(sizes, **topology),
        )
        return train(config, parent / f"{name}-{epochs}", epochs=epochs)

    three = (64, 12, 11, 10)
    return {
        epochs: [
            run("layered-3x500", three, epochs),
            run("layered-3x500-per-layer", three, epochs),
            run("rewired-3x500", three, epochs, intralayer=True, law="moves", moves=100),
            run("layered-5x100", (64, 8, 8, 8, 8, 10), epochs),
            run("rewired-5x100", (64, 8, 8, 8, 8, 10), epochs, intralayer=True, p=0.1),
        ]
        for epochs in (1, 5)
    }
