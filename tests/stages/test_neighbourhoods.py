"""Neighbours on grids and graphs, and the mean actions around an agent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from occupations import few, seeds

import mfgsolve as mfg
from mfgsolve.stages.neighbourhoods import graph_neighbours, grid_neighbours, mean_actions

# -- neighbourhoods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["taxicab", "chessboard"])
@pytest.mark.parametrize("boundary", ["periodic", "reflecting"])
@pytest.mark.parametrize("radius", [0, 1, 2])
def test_neighbours_on_an_open_grid_by_distance(metric, boundary, radius):
    shape = (5, 6)
    near = grid_neighbours(mfg.Grid.box(shape, boundary=boundary), radius, metric)
    place = np.indices(shape).reshape(2, -1)
    gap = np.abs(place[:, :, None] - place[:, None, :])
    if boundary == "periodic":
        gap = np.minimum(gap, np.array(shape)[:, None, None] - gap)
    apart = gap.sum(axis=0) if metric == "taxicab" else gap.max(axis=0)
    np.testing.assert_array_equal(near.toarray(), (apart <= radius) & (apart > 0))


def test_neighbours_do_not_see_through_walls():
    grid = mfg.Grid.box((1 + 2, 5), blocked=np.array([[0, 0, 1, 0, 0]] * 2 + [[0, 0, 0, 0, 0]]).astype(bool))
    near = grid_neighbours(grid, 3).toarray().reshape(3, 5, 3, 5)
    assert not near[0, 1, 0, 3]
    assert near[2, 1, 2, 3]
    assert near[1, 1, 2, 3]
    assert not near[0, 2].any()
    assert not near[:, :, 0, 2].any()
    corner = mfg.Grid.box((2, 2), blocked=np.array([[False, True], [True, False]]))
    assert grid_neighbours(corner, 1, "chessboard").nnz == 0
    cube = grid_neighbours(mfg.Grid.box((3, 3, 3)), 1, "chessboard")
    assert cube.sum(axis=1)[13] == 26


def test_neighbours_of_two_cells_on_a_ring_count_once():
    np.testing.assert_array_equal(grid_neighbours(mfg.Grid.box(2, boundary="periodic")).toarray(), [[0, 1], [1, 0]])


def test_graph_neighbours():
    np.testing.assert_array_equal(graph_neighbours([(0, 1), (1, 2)], 3).toarray(), [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(graph_neighbours([(0, 1), (0, 1)], 2, directed=True).toarray(), [[0, 1], [0, 0]])
    assert graph_neighbours([], 3).nnz == 0


@few
@given(seed=seeds)
def test_means_of_agents_by_loops_recombine(seed):
    rng = np.random.default_rng(seed)
    n, types = 12, rng.integers(3, size=12)
    actions = np.eye(4)[rng.integers(4, size=n)]
    near = graph_neighbours(np.array([(i, j) for i in range(n) for j in range(i) if rng.random() < 0.3] or [(1, 0)]), n)
    typed, every = mean_actions(actions, near, types, 3), mean_actions(actions, near)
    dense = near.toarray().astype(bool)
    for i in range(n):
        for m in range(3):
            rows = actions[dense[i] & (types == m)]
            expected = rows.mean(axis=0) if len(rows) else np.full(4, np.nan)
            np.testing.assert_allclose(typed[i, m], expected, rtol=1e-12)
    count = dense @ np.eye(3)[types]
    total = count.sum(axis=1, keepdims=True)
    again = np.einsum("im,ima->ia", count, np.nan_to_num(typed)) / np.where(total > 0, total, np.nan)
    np.testing.assert_allclose(again, every, rtol=1e-12)
    np.testing.assert_array_equal(mean_actions(actions, near, np.zeros(n, dtype=int))[:, 0], every)
