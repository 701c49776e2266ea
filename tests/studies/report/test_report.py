"""The pages of runs and studies say what was recorded, and hold all they show."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from smallworld_eqprop import (
    InputError,
    Run,
    Store,
    Study,
    grid,
    structure_metrics,
    sweep,
    train,
)
from smallworld_eqprop.cli import main
from smallworld_eqprop.studies.report import report_html, write, write_report


@pytest.fixture(params=["run_html", "study_html"])
def page(request):
    return request.getfixturevalue(request.param)


def rows(page):
    """Rows of all tables as lists of texts."""
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in page.split("<tr>")[1:])
    return [[html.unescape(cell) for cell in row] for row in cells]


def test_nothing_is_loaded_from_anywhere(page):
    links = re.findall(r"""(?:href|src|action)\s*=\s*["']([^"']*)""", page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(http" not in page
    addresses = {a for a in re.findall(r"https?://[^\s\"'<]*", page) if "www.w3.org" not in a}
    assert not addresses
    assert "default-src 'none'" in page


def test_no_two_things_have_the_same_id(page):
    ids = Counter(re.findall(r'\sid="([^"]*)"', page))
    assert ids.most_common(1)[0][1] == 1
    pointed_at = set(re.findall(r'(?:href="#|url\(#)([^")]*)', page))
    assert pointed_at <= set(ids)


def test_names_are_shown_as_they_are_and_never_as_markup(page):
    assert "<b>mine" not in page
    assert "<script>alert" not in page
    assert len(re.findall(r"<script[ >]", page)) == len(re.findall("</script>", page))


def test_a_run_tells_its_outcome(run, run_html):
    last = run.history.iloc[-1]
    tiles = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)<", run_html))
    assert tiles["test error"] == f"{100 * last.test_error:.2f} %"
    assert tiles["log-spread"] == f"{last.log_spread:.2f}"
    assert tiles["edges"] == f"{run.graph.n_edges:,}"
    found = rows(run_html)
    means = run.corrections(2).mean(axis=0, dtype=float)
    for pair, kind, mean in zip(run.pairs, run.kinds, means, strict=True):
        assert [pair, kind, f"{mean:.3g}"] in found
    for row in run.history.itertuples():
        (shown,) = (r for r in found if r[0] == str(row.epoch) and len(r) == 8)
        assert float(shown[1]) == pytest.approx(100 * row.training_error, abs=0.006)
        assert float(shown[4]) == pytest.approx(row.mean_sweeps, rel=1e-3)


def test_a_run_tells_its_network_and_where_it_came_from(run, run_html):
    found = dict(row for row in rows(run_html) if len(row) == 2)
    metrics = structure_metrics(run.graph, seed=0)
    for name in ("density", "characteristic_path_length", "transitivity", "skip_share"):
        shown = float(found[name.replace("_", " ")].replace(",", ""))
        assert shown == pytest.approx(metrics[name], rel=1e-3)
    assert html.escape(str(run.graph)) in run_html
    assert found["learning rate"] == "0.02"
    assert found["key of the configuration"] == run.config.key
    assert found["SHA-256 of digits"] == run.record["dataset"]["sha256"]["digits"]
    # Learning curves, corrections, relaxation, topology, adjacency.
    assert run_html.count("<svg") == 5
    assert run_html.count("data:image/png;base64,") == 1


def test_costs_are_not_shown_as_percent(config, tmp_path):
    config = config.changed(dataset="diabetes", layer_sizes=[10, 6, 1], p=0.0)
    page = report_html(train(config, tmp_path / "run", epochs=1))
    tiles = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)<", page))
    assert "%" not in tiles["test cost"]
    assert "mean cost" in page


def test_a_study_holds_every_run_for_the_scatter(store_path, study_html):
    text = re.search(r'id="explorer-data">(.*?)</script>', study_html).group(1)
    table = json.loads(text)
    place = {column["key"]: i for i, column in enumerate(table["columns"])}
    with Store(store_path) as store:
        runs, corrections = store.runs(), store.corrections()
    assert len(table["rows"]) == len(runs) == 6
    for name in ("p", "metric_transitivity", "final_test_error", "epoch1_log_spread"):
        shown = [row[place[name]] for row in table["rows"]]
        factor = 100 if name == "final_test_error" else 1
        assert shown == pytest.approx((factor * runs[name]).tolist(), rel=1e-6)
    assert table["columns"][place["final_test_error"]]["label"] == "test error, last epoch (%)"
    assert table["setting"] == [0, 0, 1, 1, 2, 2]
    last = corrections[(corrections.epoch == 2) & (corrections.pair == "1-2")]
    expected = last.set_index("key").rms[runs["key"]].tolist()
    shown = [row[place["rms_1-2"]] for row in table["rows"]]
    assert shown == pytest.approx(expected, rel=1e-6)
    assert table["start"] == {"x": "p", "y": "final_test_error", "colour": "p"}
    # No network of p = 0 has an edge that skips.
    assert [row[place["rms_0-2"]] is None for row in table["rows"]] == [True] * 2 + [False] * 4


def test_a_study_tells_means_over_the_seeds(store_path, study_html):
    with Store(store_path) as store:
        runs = store.runs()
    for p, part in runs.groupby("p"):
        (shown,) = (row for row in rows(study_html) if row[1:3] == [f"{p:g}", "2"])
        mean, _, spread = shown[4].partition(" ± ")
        assert float(mean) == pytest.approx(100 * part.final_test_error.mean(), abs=0.5)
        # Both seeds may have as many errors.
        assert float(spread or 0) == pytest.approx(100 * part.final_test_error.std(), rel=0.05)


def test_a_study_names_the_setting_of_the_least_error(store_path, study_html):
    with Store(store_path) as store:
        means = store.runs().groupby("p").final_test_error.mean()
    tile = re.search(r"<dt>least test error</dt><dd>(.*?) %<small>(.*?)</small>", study_html)
    assert float(tile[1].split(" ± ")[0]) == pytest.approx(100 * means.min(), abs=0.5)
    assert tile[2] == f"p {means.idxmin():g}; 2 runs"


def test_few_settings_have_no_answer(study_html):
    answers = re.findall(r'<p class="answer">(.*?)</p>', study_html)
    assert answers == [
        "Which measure ranks the test error: 3 settings are too few for a rank correlation; 5 are "
        "needed."
    ]


def test_settings_in_which_nothing_was_moved_are_flagged(config, tmp_path):
    same = grid(config, p=[0.0], family=["rewire", "rewire_keeping_degrees"])
    study = Study("same", (*same, config), epochs=1)
    with ThreadPoolExecutor(1) as executor:
        sweep(study, tmp_path / "same.sqlite", executor)
    with Store(tmp_path / "same.sqlite") as store:
        page = report_html(store)
    assert page.count("1 of the runs came out the same as a run of another setting") == 2
    found = rows(page)
    (run,) = (row for row in found if row[0] == study.keys[1])
    assert run[-1] == f"{study.keys[0]} (no edge was moved)"
    settings = [row[-1] for row in found if len(row) == len(run) + 1 and row[0].isdigit()]
    assert settings == ["", "row 1 (no edge was moved)", ""]


def test_the_command_writes_beside_the_source_or_where_it_is_told(
    run, store_path, tmp_path, capsys
):
    assert main(["report", str(store_path)]) == 0
    assert capsys.readouterr().out == f"{store_path.with_name('mine.html')}\n"
    assert main(["report", str(run.folder), "--out", str(tmp_path / "new" / "page.html")]) == 0
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!doctype html>")
    # The page is no part of what the run recorded.
    assert Run(run.folder).history.equals(run.history)


def test_what_cannot_be_shown_is_one_line(config, run, tmp_path, capsys):
    empty = tmp_path / "empty.sqlite"
    with Store(empty) as store:
        store.add(Study("empty", (config,)))
    (tmp_path / "text.txt").write_text("hello")
    begun = tmp_path / "begun"
    begun.mkdir()
    record = json.loads((run.folder / "run.json").read_text())
    del record["epochs"], record["sha256"]
    (begun / "run.json").write_text(json.dumps(record))
    robbed = tmp_path / "robbed"
    robbed.mkdir()
    shutil.copy(run.folder / "run.json", robbed)
    for source, words in (
        (tmp_path / "nowhere", "no run folder and no store of a study here"),
        (tmp_path, "no run here"),
        (tmp_path / "text.txt", "text.txt"),
        (empty, "no run is finished yet"),
        (begun, "no epoch is finished yet"),
        (robbed, "history.csv: is missing"),
    ):
        assert main(["report", str(source)]) == 2
        message = capsys.readouterr().err.splitlines()[-1]
        assert message.startswith("error: ")
        assert words in message
    with pytest.raises(InputError, match="is a folder; name the file of the page"):
        write_report(run.folder, tmp_path)


@pytest.mark.parametrize("name", ["mine.sqlite", "checkpoint.npz", "history.csv", "notes.html"])
def test_nothing_but_a_page_is_written_over(run, store_path, tmp_path, name, capsys):
    (tmp_path / "notes.html").write_text("<!doctype html><title>mine</title>")
    path = {"mine.sqlite": store_path, "notes.html": tmp_path / name}.get(name, run.folder / name)
    before = path.read_bytes()
    assert main(["report", str(run.folder), "--out", str(path)]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message == (
        f"error: {path}: exists already and is not a page of report; name another place, or "
        "remove it yourself"
    )
    assert path.read_bytes() == before


def test_a_page_and_an_empty_file_are_written_over(run, run_html, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "report_html", lambda _: run_html)  # made once
    page = tmp_path / "page.html"
    page.touch()
    for _ in range(2):
        assert write_report(run.folder, page).stat().st_size > 1000
    page.unlink()
    page.symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match="exists already"):
        write_report(run.folder, page)


def test_a_run_that_corrects_nothing_has_a_page(config, tmp_path):
    still = train(config.changed(learning_rate=0.0), tmp_path / "still", epochs=2)
    assert not still.corrections(2).any()
    assert "log-spread undefined in the last epoch" in report_html(still)
