"""Cost, slope and potential of a shared reward, against their formulas."""

import numpy as np
import pytest

from mfgsolve.kernels.congestion import PIECE, congestion

pytestmark = pytest.mark.kernel
CELLS = PIECE + 7  # the end of a level that is no whole piece


def levels(count):
    random = np.random.default_rng(5)
    loss = -random.uniform(0.1, 2.0, (count, CELLS))
    return random.uniform(0.0, 3.0, (3, CELLS)), loss, np.full((3, CELLS), np.nan), np.full((3, CELLS), np.nan)


@pytest.mark.parametrize("count", [1, 3])
def test_all_in_one_pass(count):
    mass, loss, cost, slope = levels(count)
    volume, rate, weights, factors = 0.25, 0.7, np.array([0.5, 0.0, 2.0]), np.array([1.0, 3.0, -2.0])
    total = congestion(mass, loss, cost, slope, factors, weights, volume, rate)
    x = rate * mass / volume
    np.testing.assert_allclose(cost, loss / (1 + x), rtol=1e-15)
    np.testing.assert_allclose(slope, factors[:, None] * -rate * loss / (1 + x) ** 2, rtol=1e-15)
    assert total == pytest.approx((weights[:, None] * loss * np.log1p(x)).sum(), rel=1e-14)


def test_what_is_not_wanted_is_left_out_and_changes_nothing_else():
    mass, loss, cost, slope = levels(3)
    none, nothing, factors, weights = np.empty((0, CELLS)), np.empty(0), np.ones(3), np.ones(3)
    total = congestion(mass, loss, cost, slope, factors, weights, 0.5, 0.3)
    alone, apart = np.empty_like(cost), np.empty_like(slope)
    assert congestion(mass, loss, alone, none, nothing, nothing, 0.5, 0.3) == 0.0
    assert congestion(mass, loss, none, apart, factors, nothing, 0.5, 0.3) == 0.0
    assert congestion(mass, loss, none, none, nothing, weights, 0.5, 0.3) == total
    np.testing.assert_array_equal(alone, cost)
    np.testing.assert_array_equal(apart, slope)


def test_what_is_not_finite_is_told():
    mass, loss, cost, slope = levels(1)
    mass[1, 3] = np.nan
    total = congestion(mass, loss, cost, slope, np.ones(3), np.ones(3), 0.5, 0.3)
    assert np.isnan([total, cost[1, 3], slope[1, 3]]).all()
    assert np.isnan(cost).sum() == 1
