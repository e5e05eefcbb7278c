"""Crowds on finer grids: linear interpolation, exact inside, around periodic axes, for any sizes."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg
from mfgsolve.games import Game
from mfgsolve.games.transfer import coarser_sizes, prolong, prolong_logarithm


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


# -- logarithms ------------------------------------------------------------------------------------------------------


def entropic(shape, steps=3, boundary="reflecting", blocked=None):
    grid = mfg.Grid.box(shape, boundary=boundary, blocked=blocked)
    dynamics = mfg.ControlledDiffusion(0.1, scheme="entropic", reach=2)
    initial = (lambda t, c: ~blocked(c) * 1.0) if blocked else 1.0
    return Game(mfg.Problem(grid, mfg.TimeGrid(1.0, steps), dynamics, 0.0, initial, normalise=True))


def filled(game, logarithm):
    """A crowd whose log density is a function of the coordinates, scaled to the masses 1, 2, 3, ... of its levels."""
    crowd, density = game.empty_crowd(), np.exp(logarithm(game.grid.coordinates)) * ~game.grid.mask
    for k in range(len(crowd)):
        crowd[k] = ((k + 1) * density / density.sum()).reshape(game.level_shape)
    return crowd


def test_logarithms_of_cubics_are_exact_inside_and_masses_are_kept():
    def cubic(c):
        return 1 + 3 * c.x**3 - 2 * c.x * c.y**2 - 80 * c.y  # over 80 / log(10) decades

    coarse, fine = entropic((12, 15)), entropic((16, 20))
    result, wanted = prolong_logarithm(filled(coarse, cubic), coarse, fine), filled(fine, cubic)
    np.testing.assert_allclose(result.sum(axis=(1, 2)), [1, 2, 3, 4], rtol=1e-13)
    inside = (slice(None), slice(3, -3), slice(3, -3))
    ratio = result[inside] / wanted[inside]
    np.testing.assert_allclose(ratio, ratio[0, 0, 0], rtol=1e-11)
    assert (result > 0).all()


def test_walls_mirror_and_rings_wrap():
    even, ring = (lambda c: np.cos(np.pi * c.x)), (lambda c: np.sin(2 * np.pi * c.x))
    for boundary, wave in (("reflecting", even), ("periodic", ring)):
        coarse, fine = entropic((24,), boundary=boundary), entropic((32,), boundary=boundary)
        result, wanted = prolong_logarithm(filled(coarse, wave), coarse, fine), filled(fine, wave)
        np.testing.assert_allclose(result, wanted, rtol=2e-4)


def test_emptiness_and_blocked_cells_are_carried_as_such():
    def wall(c):
        return (c.x > 0.4) & (c.x < 0.6) & (c.y > 0.3)

    coarse, fine = entropic((10, 10), blocked=wall), entropic((20, 20), blocked=wall)
    crowd = filled(coarse, lambda c: 3 * c.x)
    result = prolong_logarithm(crowd, coarse, fine)
    assert not result[:, fine.grid.mask].any()
    assert (result[:, ~fine.grid.mask] > 0).all()
    wanted = filled(fine, lambda c: 3 * c.x)
    free = ~fine.grid.mask & (np.abs(fine.grid.coordinates.x - 0.5) > 0.3)
    np.testing.assert_allclose(result[:, free], wanted[:, free], rtol=0.1)
    crowd[:, :, 7:] = 0.0
    assert np.isfinite(prolong_logarithm(crowd, coarse, fine)).all()
