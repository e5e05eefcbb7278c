"""Couplings that a user writes: how the functions are called, and what stands in for those that are missing."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg

WALL = mfg.Grid.box((3,), bounds=[(0, 6)], blocked=np.array([False, True, False]))
TIMES = np.array([0.0, 0.5, 2.0])
RHO = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 4.0]])
LATE = slice(1, 3)


def test_functions_see_one_level_at_its_time_which_they_cannot_change():
    seen = []

    def cost(t, c, rho):
        seen.append((t, rho.tolist(), c.x.tolist()))
        with pytest.raises(ValueError, match="read-only"):
            rho[0] = 1.0
        return rho + 10 * t

    found = mfg.CustomCoupling(cost).bind(WALL, TIMES).cost(LATE, RHO)
    assert seen == [(0.5, [1.0, 0.0, 2.0], [1.0, 3.0, 5.0]), (2.0, [3.0, 0.0, 4.0], [1.0, 3.0, 5.0])]
    np.testing.assert_array_equal(found, [[6.0, 0.0, 7.0], [23.0, 0.0, 24.0]])  # nobody pays in a wall


def test_a_potential_is_summed_over_volumes_and_nan_where_there_is_none():
    squares = mfg.CustomCoupling(lambda t, c, rho: rho, potential=lambda t, c, rho: rho**2 / 2).bind(WALL, TIMES)
    np.testing.assert_allclose(squares.potential(LATE, RHO), [(1 + 4) / 2 * 2, (9 + 16) / 2 * 2])
    assert np.isnan(mfg.CustomCoupling(lambda t, c, rho: rho).bind(WALL, TIMES).potential(LATE, RHO)).all()


def test_what_is_claimed_follows_from_what_is_stated():
    plain = mfg.CustomCoupling(lambda t, c, rho: rho)
    assert [plain.is_potential, plain.is_monotone, plain.is_local, plain.is_differentiable] == [False] * 4
    local = mfg.CustomCoupling(plain.cost, potential=plain.cost, derivative=plain.cost, monotone=True)
    assert [local.is_potential, local.is_monotone, local.is_local, local.is_differentiable] == [True] * 4
    turned = mfg.CustomCoupling(plain.cost, tangent=lambda t, c, rho, change: change[::-1])
    assert (turned.is_local, turned.is_differentiable) == (False, True)


def test_tangents_derivatives_and_adjoints():
    change = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, 0.5]])
    square = mfg.CustomCoupling(lambda t, c, rho: rho**2, derivative=lambda t, c, rho: 2 * rho).bind(WALL, TIMES)
    np.testing.assert_array_equal(square.tangent(LATE, RHO, change), 2 * RHO * change)
    assert square.second(LATE, RHO) is None
    assert square.adjoint(LATE, RHO, change) is None
    turned = mfg.CustomCoupling(
        lambda t, c, rho: rho[::-1], tangent=lambda t, c, rho, change: change[::-1],
        adjoint=lambda t, c, rho, weight: t * weight[::-1],
    ).bind(WALL, TIMES)  # fmt: skip
    assert turned.slope(LATE, RHO) is None
    np.testing.assert_array_equal(turned.tangent(LATE, RHO, change), change[:, ::-1])
    np.testing.assert_array_equal(turned.adjoint(LATE, RHO, change), change[:, ::-1] * TIMES[LATE, None])
    with pytest.raises(mfg.InputError, match="has no derivative"):
        mfg.CustomCoupling(lambda t, c, rho: rho).bind(WALL, TIMES).tangent(LATE, RHO, change)
