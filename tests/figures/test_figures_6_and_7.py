from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.path import Path

from smallworld_eqprop.studies import style

SCHEMATICS = ["figure6", "figure7"]


@pytest.fixture
def drawn(script):
    """Draw a schematic; gives the figure and the boxes of all its texts, in pixels."""

    def draw(name):
        fig = script(name).draw()
        fig.draw_without_rendering()
        (ax,) = fig.axes
        texts = [*ax.texts, *ax.get_legend().get_texts()]
        assert all(text.get_text() for text in texts)
        return fig, {text.get_text(): text.get_window_extent() for text in texts}, texts

    return draw


@pytest.mark.parametrize("name", SCHEMATICS)
def test_no_text_overlaps_another_or_leaves_the_page(drawn, name):
    fig, _, texts = drawn(name)
    boxes = [text.get_window_extent() for text in texts]
    for (a, one), (b, other) in itertools.combinations(zip(texts, boxes, strict=True), 2):
        assert not one.overlaps(other), (a.get_text(), b.get_text())
    for text, box in zip(texts, boxes, strict=True):
        assert fig.bbox.containsx(box.x0) and fig.bbox.containsx(box.x1), text.get_text()
        assert fig.bbox.containsy(box.y0) and fig.bbox.containsy(box.y1), text.get_text()


@pytest.mark.parametrize("name", SCHEMATICS)
def test_no_wire_runs_through_a_text(drawn, name):
    fig, boxes, _ = drawn(name)
    (ax,) = fig.axes
    assert len(ax.lines) > 15
    for line in ax.lines:
        path = Path(ax.transData.transform(line.get_xydata()))
        for text, box in boxes.items():
            assert not path.intersects_bbox(box, filled=False), text


@pytest.mark.parametrize("name", SCHEMATICS)
def test_every_text_fits_in_its_block(drawn, name):
    fig, _, _ = drawn(name)
    (ax,) = fig.axes
    shapes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch | Circle)]
    blocks = [patch.get_window_extent() for patch in shapes]
    inside = 0
    for text in ax.texts:
        box = text.get_window_extent()
        around = [
            block
            for block in blocks
            if block.contains(*box.get_points().mean(axis=0)) and block.height > box.height
        ]
        if around:
            block = min(around, key=lambda block: block.width * block.height)
            assert block.x0 < box.x0 and box.x1 < block.x1, text.get_text()
            assert block.y0 < box.y0 and box.y1 < block.y1, text.get_text()
            inside += 1
    assert inside >= 10


@pytest.mark.parametrize("name", SCHEMATICS)
def test_blocks_do_not_overlap(drawn, name):
    fig, _, _ = drawn(name)
    (ax,) = fig.axes
    # The frame and the copies behind a block are thinner.
    blocks = [
        patch.get_window_extent()
        for patch in ax.patches
        if isinstance(patch, FancyBboxPatch) and patch.get_linewidth() > 1
    ]
    assert len(blocks) >= 10
    for one, other in itertools.combinations(blocks, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("figure6", ["free phase", "nudged phase, output", "to correct"]),
        ("figure7", ["forwards phase", "backwards phase, all", "backwards phase, out", "to corr"]),
    ],
)
def test_the_colours_mean_what_the_paper_says(script, drawn, name, meanings):
    fig, _, _ = drawn(name)
    legend = fig.axes[0].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert all(map(str.startswith, texts, meanings))
    colours = {
        "free": "black",
        "forwards": "black",
        "nudged": style.ORANGE,
        "backwards phase, a": style.RED,
        "backwards phase, o": style.ORANGE,
        "to correct": style.GREEN,
    }
    dashes = set()
    for text, line in zip(texts, legend.get_lines(), strict=True):
        (colour,) = [colours[start] for start in colours if text.startswith(start)]
        assert line.get_color() == colour
        # Told apart without colour too.
        dashes.add(str(line._dash_pattern))
        assert any(wire.get_color() == colour for wire in fig.axes[0].lines)
    assert len(dashes) == len(texts)


@pytest.mark.parametrize(
    ("name", "quantity", "counts"),
    [
        ("figure6", "wires both ways, between neurons", [505_000, 838_370, 477_028]),
        ("figure7", "wires one way, forwards", [897_000, 1_271_250, 897_000]),
    ],
)
def test_counts_of_the_papers_networks_stand_in_one_line(drawn, name, quantity, counts):
    _, boxes, _ = drawn(name)
    row = [text for text, box in boxes.items() if abs(box.y0 - boxes[quantity].y0) < 6]
    assert [text for text in row if text != quantity] == list(
        dict.fromkeys(f"{count:,}" for count in counts)
    )


def test_an_arrow_head_ends_where_the_wire_should(script):
    schematic = script("schematic")
    page = schematic.Page(0, 50)
    page.wire((10, 10), (40, 10), (40, 30), both=True)
    tips = {tuple(patch.get_xy()[0]) for patch in page.axes.patches}
    assert tips == {(10, 10), (40, 30)}
    (line,) = page.axes.lines
    assert np.allclose(line.get_xydata()[[0, -1]], [(12.2, 10), (40, 27.8)])


@pytest.mark.parametrize("name", SCHEMATICS)
def test_the_script_writes_pdf_and_png(script, tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [name, "--out", str(tmp_path)])
    script(name).main()
    written = [tmp_path / f"{name}.{ending}" for ending in ("pdf", "png")]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    assert all(path.stat().st_size > 5000 for path in written)
