"""Fields of time and place: bumps, boxes, sums, and how they are sampled."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.fields import Bump, own_field, sample, sample_nodes


def test_a_bump_wraps_on_a_periodic_axis():
    clock = mfg.Grid.box((24,), bounds=[(0, 24)], boundary="periodic")
    values = mfg.Bump(1.0, 1.5, (0.0,))(0.0, clock.coordinates)
    np.testing.assert_allclose(values, values[::-1])
    assert values[-1] > 0.9


C = mfg.Grid.box((2, 3), bounds=[(0, 2), (0, 3)]).coordinates  # x = 0.5, 1.5, 2.5; y = 0.5, 1.5


def test_bumps_quadratics_and_boxes_by_hand():
    bump = mfg.Bump(3.0, 0.5, (1.5, 0.5))(0.0, C)
    assert bump[0, 1] == 3.0
    assert bump[1, 0] == pytest.approx(3 * np.exp(-(1 + 1) / (2 * 0.25)))
    np.testing.assert_allclose(mfg.Quadratic(4.0, (0.5, 0.5))(0.0, C), 2.0 * ((C.x - 0.5) ** 2 + (C.y - 0.5) ** 2))
    box = mfg.Box((1.5, 0.0), (3.0, 1.0), inside=7.0, outside=-1.0)
    np.testing.assert_array_equal(box(0.0, C), [[-1.0, 7.0, 7.0], [-1.0, -1.0, -1.0]])


def test_a_path_is_joined_by_straight_lines_and_waits_at_its_ends():
    bump = mfg.Bump(1.0, 0.1, path=((1.0, 0.0, 0.0), (2.0, 1.0, 0.5), (4.0, 1.0, 2.5)))
    for t, place in ((0.0, (0, 0)), (1.5, (0.5, 0.25)), (3.0, (1, 1.5)), (9.0, (1, 2.5))):
        np.testing.assert_allclose(bump.position(t), place)
    for path, sentence in (
        (((0.0, 1.0),), "bump path has times"),
        (((1.0, 0.0), (1.0, 1.0)), "increasing, are needed"),
        ((0.0, 1.0), r"path of a bump has shape \(2,\)"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            mfg.Bump(1.0, 0.1, path=path)


def test_points_that_do_not_fit_the_grid():
    with pytest.raises(mfg.InputError, match=r"point \[0.5\] has 1 coordinates; the grid has \('x', 'y'\)"):
        mfg.Quadratic(1.0, (0.5,))(0.0, C)
    with pytest.raises(mfg.InputError, match="does not fit the coordinates"):
        mfg.Box((0.0,), (1.0,))(0.0, C)


def test_labelled_times_are_found_by_their_coordinate():
    line, times = mfg.Grid.box((2,), bounds=[(0, 2)]), np.array([0.0, 0.5, 1.0])
    levels = np.arange(8.0).reshape(4, 2)
    told = xr.DataArray(levels, {"time": [1.0, 0.5, 0.25, 0.0], "x": [1.5, 0.5]}, ("time", "x"))
    found = sample_nodes(own_field(told, "cost"), times, line, "cost")
    np.testing.assert_array_equal(found, levels[[3, 1, 0]][:, ::-1])
    rests = sample_nodes(own_field(told.isel(time=0), "cost"), times, line, "cost")
    np.testing.assert_array_equal(rests, levels[:1, ::-1])
    with pytest.raises(mfg.InputError, match=r"cost has no values at t = 0.5; its times are 1 to 0 \(2\)"):
        sample_nodes(own_field(told.isel(time=[0, 3]), "cost"), times, line, "cost")


def test_corners_of_a_box_are_numbers():
    with pytest.raises(mfg.InputError, match="lower corner of a box is"):
        mfg.Box((0.0, float("nan")), (1.0, 1.0))
    assert mfg.Box((0.0,), (float("inf"),)).upper == (float("inf"),)


def test_many_times_at_once_have_the_same_bits_and_the_same_faults():
    times = np.linspace(0.0, 1.0, 11)
    path = Bump(2.0, 0.15, path=((0.0, 0.1, 0.2), (0.6, 0.7, 0.9), (1.0, 0.3, 0.1)))
    demand = mfg.problems.supply_demand(shape=(8, 8)).coupling.reward  # type: ignore[union-attr]
    walls = mfg.Grid.box((7, 9), blocked=lambda c: (c.x > 0.4) & (c.y > 0.8))
    for grid in (walls, mfg.Grid.box((7, 9), boundary=("reflecting", "periodic"))):
        for field in (path, demand):
            one_by_one = np.stack([sample(field, t, grid, "field") for t in times])
            np.testing.assert_array_equal(sample_nodes(field, times, grid, "field"), one_by_one)
    with pytest.raises(mfg.InputError, match="has 2 coordinates; the grid has"):
        sample_nodes(path, times, mfg.Grid.box((7,)), "field")
    with pytest.raises(mfg.InputError, match="every value must be finite"):
        sample_nodes(Bump(np.inf, 0.1, path=((0.0, 0.1, 0.2), (1.0, 0.3, 0.1))), times, walls, "field")
