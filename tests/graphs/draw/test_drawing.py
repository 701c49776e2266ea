from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from smallworld_eqprop import InputError, add_intralayer, layered, rewire
from smallworld_eqprop.graphs.draw import drawing


@pytest.fixture(autouse=True)
def defaults():
    """The settings of matplotlib, whatever other tests have made of them."""
    with mpl.rc_context():
        mpl.rcdefaults()
        yield
    plt.close("all")


@pytest.fixture
def small():
    return rewire(add_intralayer(layered((5, 4, 4, 3))), 0.2, seed=1)


def lines(ax):
    """The collections of edges; the nodes are one collection with many places."""
    return [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets()) < 2]


def test_every_edge_is_drawn_in_the_colour_of_its_kind(small):
    ax = small.draw()
    places = [tuple(place) for place in drawing.positions(small).tolist()]
    for collection, mask, colour in zip(
        lines(ax),
        (small.interlayer, small.intralayer, small.skip),
        (drawing.GREY, drawing.GREEN, "black"),
        strict=True,
    ):
        ends = [
            (places.index(tuple(path.vertices[0])), places.index(tuple(path.vertices[-1])))
            for path in collection.get_paths()
        ]
        assert sorted(ends) == sorted(map(tuple, small.edges[mask].tolist()))
        assert np.allclose(collection.get_edgecolor(), to_rgba(colour))
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        f"interlayer ({small.interlayer.sum()})",
        f"intralayer ({small.intralayer.sum()})",
        f"skip ({small.skip.sum()})",
    ]
    assert [text.get_text() for text in ax.texts] == [
        "input\n5", "hidden 1\n4", "hidden 2\n4", "output\n3",
    ]  # fmt: skip


def test_of_a_large_graph_every_kind_is_drawn_by_its_share():
    g = rewire(layered((100, 80, 60, 10)), 0.1, seed=0)
    ax = g.draw(max_edges=400)
    drawn = [len(collection.get_paths()) for collection in lines(ax)]
    assert drawn == [round(400 * mask.sum() / g.n_edges) for mask in (g.interlayer, g.skip)]
    legend = ax.get_legend().get_texts()[1].get_text()
    assert legend == f"skip ({drawn[1]} of {g.skip.sum():,})"


def test_a_crowded_layer_keeps_its_place_and_a_small_one_a_height():
    y = drawing.positions(layered((900, 400, 9)))[:, 1]
    heights = [np.ptp(y[part]) for part in (slice(900), slice(900, 1300), slice(1300, None))]
    assert heights[1] / heights[0] == pytest.approx(2 / 3, rel=0.01)
    assert heights[2] / heights[0] == pytest.approx(0.1, rel=0.15)


def test_spy_shows_the_adjacency_matrix(small):
    ax = small.spy()
    (image,) = ax.images
    assert np.array_equal(image.get_array(), small.adjacency().toarray())
    assert [line.get_ydata()[0] for line in ax.lines[::2]] == [4.5, 8.5, 12.5]


def test_a_cell_of_spy_is_the_share_of_edges_that_exist(small):
    shares = small.spy(cells=3).images[0].get_array()
    dense = small.adjacency().toarray()
    step = -(-small.n_nodes // 3)
    for i in range(3):
        for j in range(3):
            block = dense[i * step : (i + 1) * step, j * step : (j + 1) * step]
            possible = block.size - (len(block) if i == j else 0)
            assert shares[i, j] == pytest.approx(block.sum() / possible)


def test_axes_are_taken_and_given_back(small):
    _, (left, right) = plt.subplots(1, 2)
    assert small.draw(ax=left) is left
    assert small.spy(ax=right) is right
    assert plt.get_fignums() == [1]


@pytest.mark.parametrize(("call", "name"), [("draw", "max_edges"), ("spy", "cells")])
def test_numbers_below_one_are_refused(small, call, name):
    with pytest.raises(InputError, match=f"{name}: 0, must be at least 1"):
        getattr(small, call)(**{name: 0})
