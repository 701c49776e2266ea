from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from smallworld_eqprop import InputError, Run, RunConfig, train
from smallworld_eqprop.studies import plots


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def by_label(ax):
    return {line.get_label(): line for line in ax.lines}


def test_errors_are_the_history_in_percent(reference):
    ax = reference.plot_errors()
    shown, history = by_label(ax), reference.history
    assert ax.get_ylabel() == "error (%)"
    for label, column, style in (
        ("training (online)", "training_error", "-"),
        ("test", "test_error", "--"),
    ):
        assert np.allclose(shown[label].get_ydata(), 100 * history[column])
        assert shown[label].get_linestyle() == style
    # Two epochs are few: the training error within them is shown too.
    within = max(ax.lines, key=lambda line: len(line.get_xdata()))
    assert len(within.get_xdata()) == 20


def test_the_running_error_averages_to_the_errors_of_the_epochs(reference):
    epochs, error = plots.running_error(reference)
    assert (epochs[0], epochs[-1]) == (0.05, 1.95)
    # Windows are ten batches long here: the one around the fifth batch is the first epoch.
    assert error[5] == pytest.approx(100 * reference.history.training_error[0])


def test_costs_are_not_percent(tiny, tmp_path):
    config = tiny.changed(dataset="diabetes", layer_sizes=[10, 8, 6, 1], n_train=40)
    run = train(config, tmp_path / "run", epochs=5)
    ax = run.plot_errors()
    assert ax.get_ylabel() == "mean cost"
    assert np.allclose(by_label(ax)["test"].get_ydata(), run.history.test_cost)
    assert len(ax.lines) == 2


def test_corrections_are_drawn_by_pair(reference):
    ax = reference.plot_corrections()
    shown = by_label(ax)
    assert [label for label in shown if label in reference.pairs] == reference.pairs
    for column, pair in enumerate(reference.pairs):
        values = dict(zip(shown[pair].get_xdata(), shown[pair].get_ydata(), strict=True))
        assert values[5] == pytest.approx(reference.corrections(1)[:, column].mean(), rel=0.3)
        assert values[15] == pytest.approx(reference.corrections(2)[:, column].mean(), rel=1e-5)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[:3] == ["into layer 1", "into layer 2", "into layer 3"]
    assert texts[3:] == [*plots.MEANINGS.values(), "end of the first epoch"]


def test_only_kinds_that_exist_are_named(tiny, tmp_path):
    config = tiny.changed(layer_sizes=[64, 12, 10], intralayer=False, p=0.0)
    ax = train(config, tmp_path / "run", epochs=1).plot_corrections()
    texts = {text.get_text() for text in ax.get_legend().get_texts()}
    assert plots.MEANINGS["interlayer"] in texts
    assert not {plots.MEANINGS["skip"], plots.MEANINGS["intralayer"]} & texts


def test_axes_are_taken_and_given_back(reference):
    _, (left, right) = plt.subplots(1, 2)
    assert reference.plot_errors(ax=left) is left
    assert reference.plot_corrections(ax=right) is right


def test_a_run_says_what_it_is(reference):
    error = 100 * reference.history.test_error.iloc[-1]
    told = f"Run({reference.folder}: tiny, seed 3; epoch 2: test error {error:.2f} %)"
    assert repr(reference) == told
    (reference.folder / "history.csv").unlink()
    assert repr(Run(reference.folder)).endswith("no epoch finished)")
    with pytest.raises(InputError, match="no epoch is finished yet"):
        reference.plot_errors()
    (reference.folder / "history.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"history.csv: cannot be read"):
        reference.plot_errors()


def test_curves_of_both_scales_share_an_axis(tmp_path):
    """One falls far enough for a logarithmic axis, the other does not."""
    import pandas as pd

    from smallworld_eqprop.studies.plots import plot_errors

    class Told:
        config = RunConfig()

        def __init__(self, last):
            errors = np.linspace(0.8, last, 12)
            self.history = pd.DataFrame(
                {"epoch": range(1, 13), "training_error": errors, "test_error": errors}
            )

    for order in ((0.5, 0.01), (0.01, 0.5)):
        _, axes = plt.subplots(1, 2, sharey=True)
        for last, ax in zip(order, axes, strict=True):
            plot_errors(Told(last), ax)
        low, high = axes[0].get_ylim()
        assert 0.1 < low < 1
        assert 80 <= high < 200
        plt.close("all")
