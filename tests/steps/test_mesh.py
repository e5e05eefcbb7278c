"""The mesh of a diffusion: names of moves, axes of arrays, closed faces."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.scheme import make_scheme


def mesh(shape, boundary="reflecting", blocked=None):
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    return Mesh(make_scheme(grid, mfg.TimeGrid(1.0, 7), 0.1, "implicit", 1.0, 1), grid.dims, grid.shape, 7)


def test_missing_axes_have_one_cell_and_moves_go_x_first():
    line, box = mesh((5,)), mesh((2, 3, 4))
    assert (line.shape, line.ndim, line.moves, line.axes) == ((1, 1, 5), 1, 2, [3])
    assert line.move_names == ["x+", "x-"]
    assert (box.shape, box.moves, box.axes) == ((2, 3, 4), 6, [3, 2, 1])
    assert box.move_names == ["x+", "x-", "y+", "y-", "z+", "z-"]


@pytest.mark.parametrize("ring", [False, True])
def test_faces_are_closed_at_walls_and_beside_blocked_cells(ring):
    """On 3 x 4 cells with (y, x) = (1, 2) blocked: its four faces, and the ones after the last cells without a ring."""
    blocked = np.zeros((3, 4), dtype=bool)
    blocked[1, 2] = True
    here = mesh((3, 4), "periodic" if ring else "reflecting", blocked)
    x, y = (here.close(axis, np.ones((2, 1, 3, 4))) for axis in here.axes)
    open_x, open_y = np.ones((3, 4)), np.ones((3, 4))
    open_x[1, [1, 2]], open_y[[0, 1], 2] = 0, 0
    if not ring:
        open_x[:, -1], open_y[-1] = 0, 0
    for found, wanted in ((x, open_x), (y, open_y)):
        np.testing.assert_array_equal(found, np.broadcast_to(wanted, (2, 1, 3, 4)))
