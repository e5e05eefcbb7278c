"""Convolutions along each axis against the stencils that they are, in any scales, and their transposes."""

import numpy as np
import pytest
from scaled_games import GAMES, entropic_game

import mfgsolve as mfg
from mfgsolve.kernels import gaussian
from mfgsolve.steps.stencils import entropic_arrays, stencils

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("name", ["line", "ring", "torus", "walls", "ring with walls", "box"])
@pytest.mark.parametrize("transpose", [False, True])
def test_a_pass_is_its_stencil_in_scales(name, transpose):
    g = entropic_game(**GAMES[name])
    step, arrays, random = g.step, g.step.arrays, np.random.default_rng(4)
    free, eps = arrays.free, step.entropy[0]
    for number, stencil in enumerate(step.stencils):
        axis = 3 - len(step.stencils) + number
        for p in range(len(arrays.tiles)):
            level, out = random.random(free.shape) * free, np.empty(free.shape)
            before, after = random.random((2, len(free), free.shape[1])) * eps
            gaussian.apply(out, level, axis, after, before, transpose, eps, p, arrays)
            low, high = (scale[:, arrays.tile[p]].reshape(-1) for scale in (before, after))
            gap = high[stencil.near] - low[:, None] if transpose else high[:, None] - low[stencil.near]
            wanted = (stencil.taps * np.exp(gap / eps) * level.reshape(-1)[stencil.near]).sum(axis=1)
            np.testing.assert_allclose(out, wanted.reshape(free.shape) * free, rtol=1e-13)


def test_axes_alternate():
    g = entropic_game((4, 5, 6))
    axes = [[gaussian.axis_of(t, k, g.step.arrays) for k in range(3)] for t in (0, 1)]
    assert axes == [[2, 1, 0], [0, 1, 2]]


def test_far_moves_of_single_cells_cost_what_they_are():
    """Taps below the least of floats still have their logarithm: nobody goes 60 standard deviations for 690 eps."""
    g = entropic_game((80,), steep=4000.0, reach=70, discount=0.0)
    policy = g.respond(g.price(g.resting_crowd(g.empty_crowd()))).policy
    assert policy[-1, 0] == len(g.step.arrays.tiles) - 1
    h, eps, level = 1 / 80, g.step.entropy[0], g.step.next_value(2, policy[2])
    k = np.arange(-70, 71)
    logs = -((k * h) ** 2) / (4 * 0.02 * g.dt)
    logs -= np.log(np.exp(logs).sum())
    near = np.minimum((40 + k) % 160, 159 - (40 + k) % 160)
    wanted = -eps * np.logaddexp.reduce(logs - level[near] / eps)
    got = g.step.fields(2, level)[0][40]
    assert got == pytest.approx(wanted, rel=1e-13)
    value = g.values(g.price(g.resting_crowd(g.empty_crowd())))[2, 40]
    paid = value - g.weights[2] * g.price(g.resting_crowd(g.empty_crowd()))[2, 40]
    assert paid == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("reach", [1, 8, 9, 19])
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_every_tap_counts(boundary, reach):
    """Noise as wide as its reach: none of the taps is small."""
    grid = mfg.Grid.box((13, 21), boundary=boundary)
    variance, random = (reach / 30) ** 2, np.random.default_rng(3)
    arrays = entropic_arrays(grid, variance, (reach, reach), np.ones(1))
    level, out, scales = random.random(grid.shape), np.empty(grid.shape), np.zeros(grid.shape)
    for axis, stencil in enumerate(stencils(grid, variance, (reach, reach)), start=1):
        for transpose in (False, True):
            gaussian.apply(out, level, axis, scales, scales, transpose, 1.0, 0, arrays)
            wanted = (stencil.taps * level.reshape(-1)[stencil.near]).sum(axis=1)
            np.testing.assert_allclose(out.reshape(-1), wanted, rtol=1e-14)


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar add")  # bits wrap round: compiled code says nothing
@pytest.mark.parametrize("axis", [1, 2])
def test_nothing_is_in_blocked_cells_whatever_their_scales(axis):
    arrays = entropic_game(**GAMES["walls"]).step.arrays
    free, last = arrays.free, len(arrays.tiles) - 1
    for gap in np.arange(709.0, 720.0, 0.25):  # from where a double ends
        low, high, out = np.where(free, 0.0, -gap), np.zeros(free.shape), np.full(free.shape, np.nan)
        gaussian.apply(out, 1.0 * free, axis, high, low, False, 1.0, last, arrays)
        np.testing.assert_allclose(out, 1.0 * free, rtol=1e-14)
        assert (out[~free] == 0).all()
