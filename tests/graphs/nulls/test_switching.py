"""The walk of switches does, one after the other, what its draws say."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.graphs.nulls import switching


def by_hand(edges, starts, flips, attempts, seed, drawn) -> tuple[list[tuple[int, int]], int]:
    """Make the switches of the same draws with sets, each when its turn comes."""
    rng = np.random.default_rng(seed)
    ends = [tuple(edge) for edge in edges.tolist()]
    there = set(map(frozenset, ends))
    accepted = 0
    for start, stop in ((0, attempts // 2), (attempts // 2, attempts)):
        for begin in range(start, stop, drawn):
            draws = switching._draw(starts, flips, min(drawn, stop - begin), rng)
            for first, second, turned in zip(*draws, strict=True):
                (a, b), (c, d) = ends[first], ends[second][:: -1 if turned else 1]
                new = [frozenset((a, d)), frozenset((c, b))]
                if {a, b} & {c, d} or new[0] in there or new[1] in there:
                    continue
                there -= {frozenset((a, b)), frozenset((c, d))}
                there |= set(new)
                ends[first], ends[second] = (a, d), (c, b)
                accepted += 1
    return ends, accepted


@given(st.integers(4, 40), st.integers(0, 60), st.integers(0, 200), st.integers(0, 99))
@pytest.mark.parametrize("n_groups", [1, 3])
@pytest.mark.parametrize("drawn", [7, 1 << 16])
def test_every_attempt_sees_what_those_before_it_did(
    n_groups, drawn, n_nodes, n_edges, attempts, seed
) -> None:
    # Few edges: most of the attempts that are looked up together touch the same ones.
    graph = nx.gnm_random_graph(n_nodes, n_edges, seed=seed)
    edges = np.array(graph.edges, dtype=np.int32).reshape(-1, 2)
    groups = np.sort(np.random.default_rng(seed).integers(0, n_groups, len(edges)))
    groups = np.unique(groups, return_inverse=True)[1]
    flips = np.arange(groups.max(initial=-1) + 1) % 2 == 0
    starts = np.searchsorted(groups, np.arange(len(flips) + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(switching, "DRAWN", drawn)
        walked = switching.switch(
            edges, attempts, np.random.default_rng(seed), groups=groups, flips=flips
        )
    if not len(edges):
        assert walked.accepted == 0
        return
    expected, accepted = by_hand(edges, starts, flips, attempts, seed, drawn)
    assert [tuple(edge) for edge in walked.edges.tolist()] == expected
    assert walked.accepted == accepted


def test_draws_are_uniform_within_groups() -> None:
    starts, flips = np.array([0, 3, 10]), np.array([True, False])
    first, second, turned = switching._draw(starts, flips, 60_000, np.random.default_rng(0))
    assert np.bincount(first) / 60_000 == pytest.approx(0.1, abs=0.006)
    assert ((first < 3) == (second < 3)).all()
    low = first < 3
    assert np.bincount(second[low]) / low.sum() == pytest.approx(1 / 3, abs=0.02)
    assert np.bincount(second[~low])[3:] / (~low).sum() == pytest.approx(1 / 7, abs=0.01)
    assert turned[low].mean() == pytest.approx(0.5, abs=0.02)
    assert not turned[~low].any()
