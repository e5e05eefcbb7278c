"""Crowds on finer grids: linear interpolation, exact inside, around periodic axes, for any sizes."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.games.transfer import coarser_sizes, prolong


def game(shape, steps, boundary="reflecting"):
    return Game(
        mfg.Problem(
            mfg.Grid.box(shape, boundary=boundary),
            mfg.TimeGrid(1.0, steps),
            mfg.ControlledDiffusion(0.1, scheme="upwind"),
            0.0,
            1.0,
        )
    )


def test_prolongation_is_exact_for_linear_functions_inside_and_keeps_constants():
    coarse, fine = game((8, 8), 8), game((16, 16), 16)

    def plane(g):
        c, levels = g.grid.coordinates, g.empty_crowd()
        for k, t in enumerate(g.time.nodes):
            levels[k, 0] = (1 + 2 * c.x - 0.5 * c.y + t) * g.grid.cell_volume
        return levels

    result = prolong(plane(coarse), coarse, fine)
    np.testing.assert_allclose(result[:, :, 1:-1, 1:-1], plane(fine)[:, :, 1:-1, 1:-1], rtol=1e-13)
    constant = coarse.empty_crowd()
    constant[:] = coarse.grid.cell_volume
    np.testing.assert_allclose(prolong(constant, coarse, fine), fine.grid.cell_volume, rtol=1e-14)


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
