"""Interactions between states and populations, by hand."""

from __future__ import annotations

import numpy as np

import mfgsolve as mfg

RNG = np.random.default_rng(7)
SYMMETRIC = RNG.normal(size=(3, 3)) @ np.diag([1.0, 2.0, 0.5])
SYMMETRIC = SYMMETRIC @ SYMMETRIC.T
SKEW = np.array([[0.0, 1.0, -2.0], [-1.0, 0.0, 0.5], [2.0, -0.5, 0.0]])
THREE = mfg.Populations(["a", "b", "c"], mfg.Grid.box((2,), bounds=[(0, 4)]))


def test_interactions_by_hand():
    nodes, rho = slice(0, 1), np.arange(6.0).reshape(1, 3, 2)
    between = mfg.Interaction(SKEW, between="populations")
    np.testing.assert_allclose(between.bind(THREE, np.zeros(1)).cost(nodes, rho)[0], SKEW @ rho[0], atol=1e-14)
    assert not between.is_potential
    assert between.is_monotone  # M + M' = 0
    everyone = np.arange(36.0).reshape(6, 6)
    cost = mfg.Interaction(everyone).bind(THREE, np.zeros(1)).cost(nodes, rho)  # cells have volume 2
    np.testing.assert_allclose(cost.ravel(), 2 * everyone @ rho.ravel())
    assert not mfg.Interaction(everyone).is_potential
    assert mfg.Interaction(SYMMETRIC).is_potential
    assert mfg.Interaction(SYMMETRIC).is_monotone
    assert not mfg.Interaction(-SYMMETRIC).is_monotone
    matrix = np.eye(2)
    kept = mfg.Interaction(matrix)
    matrix[:] = 7.0
    np.testing.assert_array_equal(kept.matrix, np.eye(2))


def test_potential_tangent_and_oneself_by_hand():
    """Cells of volume 2: F = <rho, M rho> / 2; one of three agents puts a third of a crowd where it is."""
    one, rho, change = slice(0, 1), np.arange(6.0).reshape(1, 3, 2), np.ones((1, 3, 2))
    bound = mfg.Interaction(SYMMETRIC, between="populations").bind(THREE, np.zeros(1))
    np.testing.assert_allclose(bound.potential(one, rho), [0.5 * 2 * (rho[0] * (SYMMETRIC @ rho[0])).sum()])
    np.testing.assert_allclose(bound.tangent(one, rho, change)[0], SYMMETRIC @ change[0])
    own = np.diag(SYMMETRIC)[:, None]
    expected = SYMMETRIC @ rho[0] - own * rho[0] + own * (2 / 3 * rho[0] + 1 / 3 / 2)
    np.testing.assert_allclose(bound.cost_among(one, rho, 3)[0], expected, rtol=1e-13)
