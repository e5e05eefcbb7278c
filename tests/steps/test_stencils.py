"""Gaussian stencils: symmetric, rows that sum to 1, walls that nothing crosses."""

import numpy as np
import pytest
from scipy import sparse

import mfgsolve as mfg
from mfgsolve.steps.stencils import entropic_arrays, folded, gaussian_logs, line_stencil, segments, stencils


def matrix(stencil, cells):
    rows = np.repeat(np.arange(cells), len(stencil.taps))
    data = np.tile(stencil.taps, cells)
    return sparse.csr_array((data, (rows, stencil.near.reshape(-1))), shape=(cells, cells)).toarray()


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("wall", [False, True])
def test_every_axis_is_symmetric_and_keeps_mass(boundary, wall):
    blocked = (lambda c: (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.3)) if wall else None
    grid = mfg.Grid.box((6, 9), boundary=boundary, blocked=blocked)
    for stencil in stencils(grid, 0.3**2, (7, 4)):
        dense = matrix(stencil, grid.size)
        np.testing.assert_allclose(dense, dense.T, atol=1e-16)
        np.testing.assert_allclose(dense.sum(axis=1), 1.0, atol=1e-15)
        free = ~grid.mask.reshape(-1)
        assert not dense[np.ix_(free, ~free)].any()


def test_taps_are_a_sampled_gaussian():
    taps = np.exp(gaussian_logs(0.5, 0.04, 3))
    np.testing.assert_allclose(taps[3:] / taps[3], np.exp(-((0.5 * np.arange(4)) ** 2) / 0.08))
    assert taps.sum() == pytest.approx(1.0, abs=1e-15)


def test_moves_beyond_what_floats_hold_keep_their_logarithm():
    logs = gaussian_logs(1.0, 1.0, 60)
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(
        logs, -(np.arange(-60.0, 61) ** 2) / 2 - 0.5 * np.log(2 * np.pi), atol=2e-8
    )  # e_s is 5e-9


def test_segments_of_a_line_and_of_a_ring():
    free = np.array([True, False, True, True, False, True])
    assert [list(part) for part, _ in segments(free, False)] == [[0], [2, 3], [5]]
    assert [list(part) for part, _ in segments(free, True)] == [[2, 3], [5, 0]]
    assert [(list(part), ring) for part, ring in segments(np.ones(3, dtype=bool), True)] == [([0, 1, 2], True)]


def test_places_are_mirrored_at_the_ends():
    np.testing.assert_array_equal(folded(np.arange(-4, 7), 3, False), [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0])
    np.testing.assert_array_equal(folded(np.arange(-2, 5), 3, True), [1, 2, 0, 1, 2, 0, 1])


def room(c):
    return (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.3)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("blocked", [None, room])
@pytest.mark.parametrize("shape", [(9,), (6, 9), (5, 6, 9)])
def test_kernels_get_the_same_cells(shape, blocked, boundary):
    """Tables of kinds of rows and of columns lead to where the stencils of all cells do."""
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked if len(shape) > 1 else None)
    reach, n, missing = (7, 3, 4)[-len(shape) :], shape[-1], 3 - len(shape)
    arrays = entropic_arrays(grid, 0.3**2, reach, np.ones(1))
    rows, cells = np.divmod(np.arange(grid.size), n)
    for k, stencil in enumerate(stencils(grid, 0.3**2, reach), start=missing):
        costs, size = arrays.costs[k], len(stencil.logs)
        inside = slice((len(costs) - size) // 2, (len(costs) + size) // 2)
        np.testing.assert_array_equal(costs[inside], -stencil.logs)
        np.testing.assert_array_equal(arrays.taps[k][inside], stencil.taps)
        assert np.isinf(np.delete(costs, np.arange(len(costs))[inside])).all()
        if k == 2:
            found = rows[:, None] * n + arrays.near_x[arrays.line[rows], cells]
        else:
            near = (arrays.near_z, arrays.near_y)[k][rows, arrays.tile[0][cells]]
            more = (near.shape[1] - size) // 2
            assert near.shape[1] % 8 == 1
            assert (near[:, :more] == rows[:, None]).all()
            assert (near[:, more + size :] == rows[:, None]).all()
            found = near[:, more : more + size] * n + cells[:, None]
        np.testing.assert_array_equal(found, stencil.near)


def test_open_boxes_need_tables_of_lines_alone():
    arrays = entropic_arrays(mfg.Grid.box((64, 64)), 0.02**2, (8, 8), np.ones(1))
    assert (arrays.near_x.shape, arrays.near_y.shape) == ((1, 64, 17), (64, 1, 17))
    assert sum(near.size for near in (arrays.near_z, arrays.near_y, arrays.near_x)) < 3000
    assert arrays.kept == 1 + 64 * 4  # room for scales of tiles twice as wide as the reach


def test_a_line_with_a_wall():
    free = np.array([True, True, False, True])
    np.testing.assert_array_equal(line_stencil(free, False, 1), [[0, 0, 1], [0, 1, 1], [2, 2, 2], [3, 3, 3]])
    np.testing.assert_array_equal(line_stencil(free, True, 1), [[3, 0, 1], [0, 1, 1], [2, 2, 2], [3, 3, 0]])
