"""One Axis owns spacing; masks, coordinates and times are what they say; prolongation is linear interpolation."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.games.transfer import coarser_sizes, prolong


def test_spacing_is_length_over_cells_and_centres_are_half_a_cell_in():
    axis = mfg.Axis("x", 4, start=1.0, stop=3.0)
    assert axis.spacing == 0.5
    np.testing.assert_allclose(axis.centres, [1.25, 1.75, 2.25, 2.75])


def test_shape_is_array_order_and_coordinates_follow_it():
    grid = mfg.Grid.box((2, 3, 4), bounds=[(0, 1), (0, 3), (0, 8)])
    assert grid.dims == ("z", "y", "x")
    assert grid.coordinates.x.shape == (2, 3, 4)
    np.testing.assert_allclose(grid.coordinates["x"][0, 0], [1, 3, 5, 7])
    np.testing.assert_allclose(grid.coordinates.z[:, 0, 0], [0.25, 0.75])
    assert grid.cell_volume == pytest.approx(0.5 * 1 * 2)
    with pytest.raises(AttributeError, match="unknown coordinate"):
        _ = grid.coordinates.w


def test_a_uniform_density_has_mass_one_on_every_grid():
    for cells in (2, 5, 16):
        grid = mfg.Grid.box((cells, 2 * cells), bounds=[(0, 2), (-1, 1)])
        problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 4), mfg.ControlledDiffusion(0.1), 0.0, 0.25)
        assert problem.initial_mass().sum() == pytest.approx(1.0, abs=1e-14)


def test_time_nodes():
    time = mfg.TimeGrid(24.0, 48, "h")
    assert time.dt == 0.5
    assert time.nodes[0] == 0
    assert time.nodes[-1] == 24
    assert len(time.nodes) == 49


def test_refined_grids_keep_box_boundary_and_walls():
    grid = mfg.Grid.box((8, 8), boundary=("periodic", "reflecting"), blocked=lambda c: c.x > 0.8, unit="km")
    finer = grid.refined((16, 32))
    assert finer.shape == (16, 32)
    assert [a.boundary for a in finer.axes] == ["periodic", "reflecting"]
    assert finer.axes[0].unit == "km"
    assert finer.mask.mean() == pytest.approx(0.1875, abs=0.02)


def game(shape, steps, boundary="reflecting"):
    return Game(
        mfg.Problem(
            mfg.Grid.box(shape, boundary=boundary), mfg.TimeGrid(1.0, steps), mfg.ControlledDiffusion(0.1), 0.0, 1.0
        )
    )


def test_prolongation_is_exact_for_linear_functions_inside_and_keeps_constants():
    coarse, fine = game((8, 8), 8), game((16, 16), 16)

    def plane(g):
        c, levels = g.grid.coordinates, g.empty_crowd()
        for k, t in enumerate(g.time.nodes):
            levels[k, 0] = (1 + 2 * c.x - 0.5 * c.y + t) * g.volume
        return levels

    result = prolong(plane(coarse), coarse, fine)
    np.testing.assert_allclose(result[:, :, 1:-1, 1:-1], plane(fine)[:, :, 1:-1, 1:-1], rtol=1e-13)
    constant = coarse.empty_crowd()
    constant[:] = coarse.volume
    np.testing.assert_allclose(prolong(constant, coarse, fine), fine.volume, rtol=1e-14)


def test_prolongation_wraps_on_periodic_axes():
    coarse, fine = game((16,), 4, "periodic"), game((32,), 4, "periodic")
    levels = coarse.empty_crowd()
    levels[:, 0, 0] = np.cos(2 * np.pi * coarse.grid.coordinates.x)
    shifted = np.roll(levels, 1, axis=3)
    np.testing.assert_allclose(
        np.roll(prolong(levels, coarse, fine), 2, axis=3), prolong(shifted, coarse, fine), atol=1e-15
    )


def test_coarser_sizes_halve_until_eight_cells():
    assert coarser_sizes((64, 32), 128) == ((32, 16), 64)
    assert coarser_sizes((15, 64), 128) is None
    assert coarser_sizes((64, 64), 15) is None
