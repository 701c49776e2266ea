from __future__ import annotations

import sys

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba

from smallworld_eqprop import LayeredGraph, add_intralayer, layered, rewire
from smallworld_eqprop.graphs.draw import drawing
from smallworld_eqprop.graphs.generate import difference
from smallworld_eqprop.studies import style


def drawn(ax, g: LayeredGraph) -> list[tuple[PathCollection, set[tuple[int, int]]]]:
    """Find the edges that are drawn, by the places where their lines start and end."""
    places = [tuple(place) for place in drawing.positions(g).tolist()]
    groups = []
    for collection in ax.collections:
        ends = [(path.vertices[0], path.vertices[-1]) for path in collection.get_paths()]
        if not isinstance(collection, PathCollection) or len(collection.get_offsets()) > 1:
            continue  # the nodes
        groups.append(
            (
                collection,
                {(places.index(tuple(a)), places.index(tuple(b))) for a, b in map(np.array, ends)},
            )
        )
    return groups


def pairs(edges) -> set[tuple[int, int]]:
    return set(map(tuple, edges.tolist()))


def test_figure_1_draws_every_edge_and_the_rates(script):
    figure1 = script("figure1")
    g = layered(figure1.EXAMPLE)
    ax = figure1.draw(g, figure1.RATES).axes[0]
    ((_, edges),) = drawn(ax, g)
    assert edges == pairs(g.edges)
    texts = [text.get_text() for text in ax.texts]
    assert [text for text in texts if text.startswith("0.")] == ["0.128", "0.032", "0.008", "0.002"]


@pytest.mark.parametrize(("p", "seed"), [(0.08, 0), (0.08, 3), (0.3, 1), (0, 0)])
def test_figure_2_tells_what_moved(script, p, seed):
    figure2 = script("figure2")
    before = add_intralayer(layered(figure2.EXAMPLE))
    after = rewire(before, p, law="moves", seed=seed)
    fig = figure2.draw(before, after)
    groups = drawn(fig.axes[0], after)
    removed, added = map(pairs, difference(before, after))
    kept = pairs(after.edges) - added
    inside = {(u, v) for u, v in kept if after.layers[u] == after.layers[v]}
    looks = [
        (kept - inside, drawing.GREY, False),
        (inside, drawing.GREEN, False),
        (removed, style.RED, True),
        (added, "black", True),
    ]
    for (collection, edges), (expected, colour, dotted) in zip(groups, looks, strict=True):
        assert edges == expected
        assert np.allclose(collection.get_edgecolor(), to_rgba(colour))
        # A dash pattern: no dashes is (0, None).
        assert (collection.get_linestyle()[0][1] is not None) == dotted
    counts = [int(text.get_text().split("(")[1][:-1]) for text in fig.legends[0].get_texts()]
    assert counts == [len(expected) for expected, _, _ in looks]


def test_skips_stay_clear_of_the_nodes_between(script):
    figure2 = script("figure2")
    g = rewire(add_intralayer(layered(figure2.EXAMPLE)), 0.3, law="moves", seed=0)
    places = drawing.positions(g)
    t = np.linspace(0, 1, 201)[:, None]
    for u, v in g.edges[g.skip]:
        start, middle, stop = drawing._path(g, places, u, v).vertices
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * stop
        between = places[(g.layers > g.layers[u]) & (g.layers < g.layers[v])]
        # In node distances; a marker's radius is a tenth of one.
        assert np.linalg.norm(curve[:, None] - between, axis=2).min() > 0.1


@pytest.mark.parametrize("name", ["figure1", "figure2"])
def test_the_script_writes_pdf_and_png(script, tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [name, "--out", str(tmp_path)])
    script(name).main()
    written = [tmp_path / f"{name}.{ending}" for ending in ("pdf", "png")]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    for path, start in zip(written, (b"%PDF", b"\x89PNG"), strict=True):
        assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--p", "2"], "error: p: 2.0; give a number from 0 to 1\n"),
        (["--p", "nan"], "error: p: nan; give a number from 0 to 1\n"),
        (["--seed", "-1"], "error: seed: -1; give a whole number from 0 up"),
    ],
)
def test_bad_input_is_one_line(run_script, tmp_path, capsys, arguments, message):
    assert run_script("figure2", *arguments) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(message)
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
