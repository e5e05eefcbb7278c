"""One Axis owns spacing; masks, coordinates and times are what they say."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg


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
        problem = mfg.Problem(grid, mfg.TimeGrid(1.0, 4), mfg.ControlledDiffusion(0.1, scheme="upwind"), 0.0, 0.25)
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
