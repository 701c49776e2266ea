from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from smallworld_eqprop.studies import style, tidy


def written(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("epochs", [1, 5])
def test_figure_3_writes_pdf_and_png(run_script, runs, tmp_path, capsys, epochs):
    assert run_script("figure3", "--runs", *(run.folder for run in runs[epochs])) == 0
    names = ["figure3.pdf", "figure3.png", "figure3_5x100.pdf", "figure3_5x100.png"]
    printed = capsys.readouterr().out
    assert [line.rsplit("/", 1)[1] for line in printed.splitlines()[:4]] == names
    assert "training_error_published" in printed
    assert written(tmp_path) == names
    assert (tmp_path / "figure3.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "figure3.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_tables_give_the_same_files(run_script, runs, tmp_path, monkeypatch):
    # Not coarse: fonts, too, as they are for readers.
    monkeypatch.setattr(Figure, "savefig", Figure.savefig.__wrapped__)
    folders = [run.folder for run in runs[1][:2]]
    contents = []
    for _ in range(2):
        assert run_script("figure4", "--runs", *folders) == 0
        contents.append([(tmp_path / f"figure4.{e}").read_bytes() for e in ("pdf", "png")])
    assert contents[0] == contents[1]


def test_figure_4_reports_the_spread(run_script, runs, capsys):
    assert run_script("figure4", "--runs", runs[5][0].folder) == 0
    printed = capsys.readouterr().out
    history = runs[5][0].history
    for row in (0, -1):
        assert f" {history.log_spread.iloc[row]:.2f} " in printed


def test_tables_are_drawn_without_runs(run_script, runs, tmp_path):
    tidy.learning_curves(runs[5]).to_csv(tmp_path / "learning_curves.csv", index=False)
    tidy.corrections(runs[5]).to_csv(tmp_path / "corrections.csv", index=False)
    assert run_script("figure3", "--results", tmp_path) == 0
    assert run_script("figure4", "--results", tmp_path) == 0
    assert {"figure3.png", "figure4.png"} <= set(written(tmp_path))


def test_the_run_with_the_authors_draws_is_among_the_curves(script, runs, tmp_path, monkeypatch):
    networks = script("networks")
    table = tidy.learning_curves(runs[5][:1])
    table.to_csv(tmp_path / "learning_curves.csv", index=False)
    replayed = table.assign(network=networks.REWIRED_2021)
    other = table.assign(network="layered_global_rate")
    pd.concat((replayed, other)).to_csv(tmp_path / "published_seed.csv", index=False)
    monkeypatch.setattr("sys.argv", ["figure3.py", "--results", str(tmp_path)])
    found = networks.curves(networks.options(None))
    assert list(found.network.unique()) == [table.network[0], networks.AUTHORS_DRAWS]
    assert len(found) == 2 * len(table)


def test_figure_3_shows_the_history_in_percent(script, runs):
    networks = script("networks")
    table = tidy.learning_curves(runs[5][:3])
    training, test = script("figure3").draw(table, networks.published_curves()).axes
    assert (training.get_xlabel(), training.get_ylabel()) == ("epoch", "training error (%)")
    name = "test error (%), median over 9 epochs"
    assert (test.get_xlabel(), test.get_ylabel()) == ("epoch", name)
    for ax, column in ((training, "training_error"), (test, "test_error")):
        assert len(ax.lines) == 6  # three networks, three published curves
        lines = {line.get_color(): line.get_ydata() for line in ax.lines}
        for run in runs[5][:3]:
            values = lines[networks.look(run.config.name).colour]
            errors = 100 * run.history[column]
            # Of five epochs, those at most four away are all.
            expected = np.median(errors) if column == "test_error" else errors
            assert np.allclose(values, expected)
    pale = style.lighter(networks.look("layered-3x500").colour)
    published = next(line for line in training.lines if line.get_color() == pale)
    assert published.get_ydata()[0] == pytest.approx(36.4067)
    assert len(published.get_ydata()) == 5


def test_figure_3_shows_mean_and_range_of_the_seeds_that_got_so_far(script, runs):
    networks, figure3 = script("networks"), script("figure3")
    first = tidy.learning_curves(runs[5][:1])
    second = first.assign(seed=1, training_error=first.training_error / 2)[:4]
    table = pd.concat([second, first])
    ax = figure3.draw(table, networks.published_curves()).axes[0]
    line = next(line for line in ax.lines if line.get_zorder() == 3)
    assert np.allclose(line.get_ydata() / first.training_error, [75, 75, 75, 75, 100])
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(50 * first.training_error[:4].min())
    assert heights.max() == pytest.approx(100 * first.training_error[:4].max())


def test_the_median_of_figure_3_ignores_an_epoch_that_jumps(script):
    networks, figure3 = script("networks"), script("figure3")
    table = seeds_to(40, network="layered-3x500").assign(test_error=0.05)
    table.loc[table.epoch.isin([7, 20, 21]), "test_error"] = 0.4
    ax = figure3.draw(table, networks.published_curves()).axes[1]
    line = next(line for line in ax.lines if line.get_zorder() == 3)
    assert np.allclose(line.get_ydata(), 5)
    assert len(line.get_ydata()) == 40


def test_figure_3_leaves_out_networks_that_ended_early(script):
    figure3 = script("figure3")
    long, early = (seeds_to(*n, network=name) for n, name in (([60], "net"), ([3, 2], "other")))
    assert list(figure3.without_short(pd.concat([long, early])).network.unique()) == ["net"]
    assert figure3.without_short(early) is early


def seeds_to(*epochs, network):
    parts = [
        pd.DataFrame({"seed": seed, "epoch": range(1, last + 1), "network": network})
        for seed, last in enumerate(epochs)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(training_error=0.5 / table.epoch, test_error=0.6 / table.epoch)


@pytest.mark.parametrize(
    ("epochs", "told"),
    [
        ([100], "1 seed to epoch 100"),
        ([2, 2, 2], "3 seeds to epoch 2"),
        ([1, 100, 2, 1], "1 seed to epoch 100, 1 to 2, 2 to 1"),
        ([1, 9, 9], "2 seeds to epoch 9, 1 to 1"),
    ],
)
def test_figure_3_says_how_many_seeds_run_how_far(script, epochs, told):
    networks, figure3 = script("networks"), script("figure3")
    table = seeds_to(*epochs, network="layered-3x500")
    assert figure3.reach(table) == told
    fig = figure3.draw(table, networks.published_curves())
    texts = [text.get_text() for text in fig.legends[0].get_texts()]
    assert texts[0] == f"layered, one rate ({told})"


@pytest.mark.parametrize("last", [2, 60])
def test_the_legend_of_figure_3_fits_into_it(script, last):
    networks, figure3 = script("networks"), script("figure3")
    names = [name for name in networks.NETWORKS if "5x100" not in name]
    table = pd.concat([seeds_to(last, 2, 1, 1, network=name) for name in names])
    fig = figure3.draw(table, networks.published_curves())
    fig.canvas.draw()
    legend = fig.legends[0]
    box, whole = legend.get_window_extent(), fig.bbox
    assert whole.x0 <= box.x0
    assert box.x1 <= whole.x1
    texts = [text.get_window_extent() for text in legend.get_texts()]
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[:i])
    assert all(box.y1 <= ax.get_tightbbox().y0 for ax in fig.axes)


def test_figure_3_says_where_the_published_network_is_another(script):
    networks, figure3 = script("networks"), script("figure3")
    for name, other in (("rewired-3x500", True), ("layered-3x500", False)):
        fig = figure3.draw(seeds_to(9, network=name), networks.published_curves())
        texts = [text.get_text() for text in fig.legends[0].get_texts()]
        assert any("published (2021), rewired with p = 10 %" in text for text in texts) == other


def test_figure_3_prints_errors_beside_the_published_ones(script, runs):
    figure3, networks = script("figure3"), script("networks")
    published = networks.published_curves()
    first = tidy.learning_curves(runs[5][:1])
    second = first.assign(seed=1, training_error=first.training_error / 2)[:2]
    found = figure3.beside_published(pd.concat([first, second]), published)
    assert list(found.epoch) == [1, 2, 5]
    assert list(found.seeds) == [2, 2, 1]
    name = networks.look(first.network[0]).published
    theirs = published[(published.network == name) & (published.epoch == 2)].iloc[0]
    assert found.test_error_published[1] == f"{100 * theirs.test_error:.2f}"
    error = 100 * first.training_error[1]
    assert found.training_error[1] == f"{0.75 * error:.2f} ({0.5 * error:.2f} to {error:.2f})"
    assert found.training_error[2] == f"{100 * first.training_error[4]:.2f}"


def test_figure_3_prints_the_papers_networks_first(script):
    figure3, networks = script("figure3"), script("networks")
    names = ["other", "rewired-3x500", "layered-3x500"]
    table = pd.concat([seeds_to(2, network=name) for name in names])
    found = figure3.beside_published(table, networks.published_curves())
    assert list(found.network.unique()) == ["layered-3x500", "rewired-3x500", "other"]
    assert (found.training_error_published == "").to_list() == [False] * 4 + [True] * 2


def test_figure_3_draws_one_published_curve_once(script, runs):
    table = tidy.learning_curves([runs[5][2]])
    both = pd.concat([table, table.assign(network="rewired-3x500-no-intralayer")])
    fig = script("figure3").draw(both, script("networks").published_curves())
    assert len(fig.axes[0].lines) == 3


def test_figure_3_of_one_epoch_ends_in_its_mean(script, runs):
    run = runs[1][0]
    table = tidy.learning_curves([run])
    fig = script("figure3").draw(table, script("networks").published_curves(), [run])
    (ax,) = fig.axes
    within = max(ax.lines, key=lambda line: len(line.get_xdata()))
    assert len(within.get_xdata()) == 12  # the last batch holds 10 of 20 examples
    assert within.get_xdata()[-1] < 1
    assert 0 <= within.get_ydata().min() <= within.get_ydata().max() <= 100


def test_figure_4_shows_the_table(script, runs):
    run = runs[5][2]
    table = tidy.corrections([run], every=1)
    fig = script("figure4").draw(table, tidy.learning_curves([run]), ["rewired-3x500"])
    (ax,) = fig.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("batch", "RMS weight correction")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    pairs = [line for line in ax.lines if line.get_label() in run.pairs]
    assert [line.get_label() for line in pairs] == run.pairs
    for column, line in enumerate(pairs):
        values = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
        assert values[6] == pytest.approx(run.corrections(1)[:11, column].mean(), rel=1e-5)
        assert values[12 + 6] == pytest.approx(run.corrections(2)[:, column].mean(), rel=1e-5)
        assert len(values) == 12 + 4


def test_figure_4_shows_the_geometric_mean_of_seeds_and_the_range_of_adjacent_pairs(script, runs):
    run = runs[5][2]
    first = tidy.corrections([run], every=1)
    table = pd.concat([first, first.assign(seed=1, rms=first.rms * 4)])
    fig = script("figure4").draw(table, tidy.learning_curves([run]), ["rewired-3x500"])
    (ax,) = fig.axes
    for line in (line for line in ax.lines if line.get_label() in run.pairs):
        of_pair = first[first.pair == line.get_label()].set_index("batch").rms
        assert np.allclose(line.get_ydata(), 2 * of_pair.loc[line.get_xdata()])
    assert ax.get_title().startswith("rewired, p = 7.56 % (1 seed)\n")
    assert "band: lowest to highest seed" in [t.get_text() for t in fig.legends[0].get_texts()]
    assert len(ax.collections) == sum(kind == "interlayer" for kind in run.kinds)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert heights.max() / heights.min() > 4 * 0.999


def test_figure_4_has_the_papers_five_panels_and_one_legend(script, runs):
    table, history = tidy.corrections(runs[1]), tidy.learning_curves(runs[1])
    networks = script("networks").networks_of(table)
    fig = script("figure4").draw(table, history, networks)
    assert len(fig.axes) == 5
    rows = [ax.get_subplotspec().rowspan.start for ax in fig.axes]
    assert rows == [0, 0, 0, 1, 1]
    assert len({ax.get_ylim() for ax in fig.axes}) == 1
    for ax, network in zip(fig.axes, networks, strict=True):
        spread = history.log_spread[history.network == network].item()
        assert ax.get_title().endswith(f"log-spread {spread:.2f} (epoch 1)")
    texts = [text.get_text() for text in fig.legends[0].get_texts()]
    assert texts == [
        *(f"into layer {layer}" for layer in range(1, 6)),
        "from the layer before",
        "inside the layer",
        "from farther back",
        "end of the first epoch",
    ]


def test_the_last_epoch_of_figure_4_is_no_single_seeds(script):
    figure4 = script("figure4")
    for epochs, last, seeds in (([9, 5, 5], 5, 3), ([9, 7, 5], 7, 2), ([9], 9, 1), ([1], 1, 1)):
        history = seeds_to(*epochs, network="net")
        history["log_spread"] = history["log_spread_interlayer"] = history.seed + 1
        found = figure4.spreads(history, ["net"])
        assert list(found.epoch) == sorted({1, last})
        assert found.seeds.iloc[-1] == seeds
        mean = "1.00" if seeds == 1 else f"{(seeds + 1) / 2:.2f} (1.00 to {seeds}.00)"
        assert found["all pairs"].iloc[-1] == found["adjacent pairs"].iloc[-1] == mean


def test_figure_4_takes_other_networks_three_a_row(script):
    assert script("figure4").arranged(["a", "b", "c", "d"]) == [["a", "b", "c"], ["d"]]
    assert script("figure4").arranged(["rewired-5x100"]) == [["rewired-5x100"]]


@pytest.mark.parametrize("name", ["figure3", "figure4", "figure5"])
def test_without_tables_the_scripts_say_what_to_do(run_script, tmp_path, capsys, name):
    assert run_script(name, "--results", tmp_path) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path}")
    assert "not there; " in error
    assert error.count("\n") == 1


def test_a_table_without_a_column_is_one_line(run_script, runs, tmp_path, capsys):
    table = tidy.learning_curves(runs[1]).rename(columns={"test_error": "test_eror"})
    table.to_csv(tmp_path / "learning_curves.csv", index=False)
    assert run_script("figure3", "--results", tmp_path) == 2
    error = capsys.readouterr().err
    assert "has no column test_error; did you mean test_eror?" in error
    assert error.count("\n") == 1


def test_a_folder_without_a_run_is_one_line(run_script, tmp_path, capsys):
    assert run_script("figure3", "--runs", tmp_path / "nowhere") == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'nowhere'}: no run here (run.json is missing)\n"
    )
