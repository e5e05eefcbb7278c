"""Choices of an agent of a diffusion, against neighbours counted cell by cell."""

import itertools

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.moves import move_allowed, move_distances, move_transitions
from mfgsolve.steps.scheme import make_scheme

AXES = (
    mfg.Axis.from_edges("y", [0.0, 0.1, 0.4, 1.0]),
    mfg.Axis.from_edges("x", [0.0, 0.2, 0.3, 0.6, 1.0], "periodic"),
)


@pytest.fixture(scope="module")
def grid():
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 2] = True
    return mfg.Grid(AXES, mask)


@pytest.fixture(scope="module")
def mesh(grid):
    return Mesh(make_scheme(grid, mfg.TimeGrid(1.0, 50), 0.0, "implicit", 1.0, 1), grid.dims, grid.shape, 50)


def test_moves_lead_to_neighbours_where_no_wall_is(grid, mesh):
    table, allowed = move_transitions(mesh), move_allowed(mesh, grid.mask).reshape(5, 3, 4)
    target = table.successor.reshape(5, 3, 4)
    np.testing.assert_array_equal(target[0], np.arange(12).reshape(3, 4))
    assert allowed[0].all()
    np.testing.assert_array_equal(table.chance, 1.0)
    np.testing.assert_array_equal(table.first, [np.arange(61)])
    for y, x in itertools.product(range(3), range(4)):
        for k, (dy, dx) in enumerate(((0, 1), (0, -1), (1, 0), (-1, 0)), start=1):
            inside = 0 <= y + dy < 3  # x is a ring
            there = ((y + dy) % 3, (x + dx) % 4)
            assert allowed[k, y, x] == (inside and not grid.mask[y, x] and not grid.mask[there])
            assert target[k, y, x] == 4 * there[0] + there[1]


def test_distances_are_those_of_centres(grid, mesh):
    found = move_distances(mesh).reshape(4, 3, 4)
    x = grid.axes[1].centres
    onward = (np.roll(x, -1) - x) % 1.0
    np.testing.assert_allclose(found[0], np.broadcast_to(onward, (3, 4)))
    np.testing.assert_allclose(found[1], np.broadcast_to(np.roll(onward, 1), (3, 4)))
    y = grid.axes[0].centres
    np.testing.assert_allclose(found[2][:-1], np.broadcast_to(np.diff(y)[:, None], (2, 4)))
    np.testing.assert_allclose(found[3][1:], np.broadcast_to(np.diff(y)[:, None], (2, 4)))
