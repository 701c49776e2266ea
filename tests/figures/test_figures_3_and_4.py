from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from smallworld_eqprop import RunConfig, TopologyConfig, train

FIGURES = Path(__file__).resolve().parents[2] / "figures"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FIGURES))
    yield import_module
    plt.close("all")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs that pass for the paper's, of one and of five epochs."""
    parent = tmp_path_factory.mktemp("runs")

    def run(name, sizes, epochs, **topology):
        config = RunConfig(
            name=name,
            dataset="digits",
            n_train=230,
            topology=TopologyConfig(sizes, **topology),
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


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.parametrize("name", ["figure3", "figure4"])
def test_the_script_writes_pdf_and_png(script, runs, tmp_path, monkeypatch, capsys, name, epochs):
    folders = [str(run.folder) for run in runs[epochs]]
    monkeypatch.setattr(sys, "argv", [name, "--runs", *folders, "--out", str(tmp_path)])
    script(name).main()
    written = [tmp_path / f"{name}.{ending}" for ending in ("pdf", "png")]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    for ending, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (tmp_path / f"{name}.{ending}").read_bytes().startswith(start)


def test_figure_3_shows_the_history_in_percent(script, runs):
    published = script("networks").published_curves()
    ax = script("figure3").draw(runs[5][:3], published).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "error (%)")
    lines = {(line.get_color(), line.get_linestyle()): line.get_ydata() for line in ax.lines}
    for run in runs[5][:3]:
        colour = script("networks").look(run)[1]
        assert np.allclose(lines[colour, "-"], 100 * run.history.training_error)
        assert np.allclose(lines[colour, "--"], 100 * run.history.test_error)
    grey = [line for line in ax.lines if line.get_color() == script("style").GREY]
    assert len(grey) == 6
    assert grey[0].get_ydata()[0] == pytest.approx(36.4067)
    assert len(grey[0].get_ydata()) == 5


def test_figure_3_of_one_epoch_ends_in_its_mean(script, runs):
    figure3 = script("figure3")
    run = runs[1][0]
    ax = figure3.draw([run], script("networks").published_curves()).axes[0]
    within = max(ax.lines, key=lambda line: len(line.get_xdata()))
    assert len(within.get_xdata()) == 12  # the last batch holds 10 of 20 examples
    assert within.get_xdata()[-1] < 1
    assert 0 <= within.get_ydata().min() <= within.get_ydata().max() <= 100


def test_figure_4_averages_over_eleven_batches(script, runs):
    run = runs[5][2]
    ax = script("figure4").draw([run]).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("batch", "RMS weight correction")
    assert ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.lines] == run.pairs
    corrections = run.corrections()
    for column, line in enumerate(ax.lines):
        assert line.get_ydata()[20] == pytest.approx(corrections[15:26, column].mean(), rel=1e-5)


def test_figure_4_has_a_panel_per_network_and_one_legend(script, runs):
    fig = script("figure4").draw(runs[1])
    panels = [ax for ax in fig.axes if ax.lines]
    assert len(panels) == 5
    assert len({ax.get_ylim() for ax in panels}) == 1
    texts = [text.get_text() for text in fig.legends[0].get_texts()]
    assert texts == [
        *(f"into layer {layer}" for layer in range(1, 6)),
        "from the layer before",
        "inside the layer",
        "from farther back",
    ]


def test_without_runs_the_scripts_say_what_to_do(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["figure3"])
    with pytest.raises(SystemExit):
        script("figure3").main()
    assert "make reproduce first" in capsys.readouterr().err
