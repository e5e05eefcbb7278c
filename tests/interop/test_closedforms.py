"""Logarithms and multiples of one's own mass: slopes against differences, potentials against integrals."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.interop.closedforms import CrowdLogarithm, Linear

SIZE = 6


def test_slopes_are_those_of_the_cost():
    for coupling in (CrowdLogarithm(np.full((2, SIZE), 0.7), 1e-3), Linear(np.full((2, SIZE), 0.7))):
        bound, at, h = coupling.bind(mfg.States(SIZE), np.arange(2.0)), np.full((2, SIZE), 0.2), 1e-5
        nodes = slice(0, 2)
        rise = (bound.cost(nodes, at + h) - bound.cost(nodes, at - h)) / (2 * h)
        np.testing.assert_allclose(bound.slope(nodes, at), rise, rtol=1e-7)
        rise = (bound.slope(nodes, at + h) - bound.slope(nodes, at - h)) / (2 * h)
        np.testing.assert_allclose(bound.second(nodes, at), rise, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("coupling", [CrowdLogarithm(np.full((2, SIZE), 0.7), 1e-3), Linear(np.full((2, SIZE), 0.7))])
def test_potentials_have_the_costs_as_derivatives(coupling):
    bound, nodes, at = coupling.bind(mfg.States(SIZE), np.arange(2.0)), slice(0, 2), np.full((2, SIZE), 0.2)
    h, step = 1e-6, np.zeros((2, SIZE))
    step[:, 3] = h
    rise = (bound.potential(nodes, at + step) - bound.potential(nodes, at - step)) / (2 * h)
    np.testing.assert_allclose(rise, bound.cost(nodes, at)[:, 3], rtol=1e-7)
    assert coupling.is_monotone
    assert not type(coupling)(-coupling.strength, *([1e-3] if isinstance(coupling, CrowdLogarithm) else [])).is_monotone


def test_costs_by_hand_in_cells_of_some_volume():
    """On cells of volume 1/4: mass is a quarter of the density; strengths are those of the node in time."""
    grid, rho = mfg.Grid.box((4,)), np.array([[0.0, 1.0, 2.0, 1.0]])
    strength = np.array([np.zeros(4), np.arange(4.0)])
    linear = Linear(strength).bind(grid, np.array([1.0]))
    np.testing.assert_allclose(linear.cost(slice(0, 1), rho), [[0, 0.25, 1.0, 0.75]])
    logarithm = CrowdLogarithm(strength, 0.5).bind(grid, np.array([1.0]))
    np.testing.assert_allclose(logarithm.cost(slice(0, 1), rho), strength[1:] * np.log(rho / 4 + 0.5))
