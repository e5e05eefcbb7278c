"""Couplings cell by cell: formulas by hand; cost, slope and tangent are derivatives of what they should be."""

from __future__ import annotations

import numpy as np
import pytest
from coupling_kinds import BOX, COUPLINGS

import mfgsolve as mfg


@pytest.mark.parametrize("name", COUPLINGS)
def test_cost_potential_slope_and_tangent_belong_together(name):
    rng = np.random.default_rng(3)
    times = np.array([0.0, 0.5, 1.0])
    bound = COUPLINGS[name].bind(BOX, times)
    rho, change = rng.uniform(0.5, 2, (3, 6, 5)), rng.normal(size=(3, 6, 5))
    nodes, step = slice(0, 3), 1e-5
    cost = bound.cost(nodes, rho)
    rise = (bound.potential(nodes, rho + step * change) - bound.potential(nodes, rho - step * change)) / (2 * step)
    np.testing.assert_allclose(rise, (cost * change).sum((1, 2)) * BOX.cell_volume, rtol=1e-7)
    bend = (bound.cost(nodes, rho + step * change) - bound.cost(nodes, rho - step * change)) / (2 * step)
    np.testing.assert_allclose(bound.tangent(nodes, rho, change), bend, rtol=1e-6, atol=1e-8)
    slope = bound.slope(nodes, rho)
    assert (slope is not None) == COUPLINGS[name].is_local
    if slope is not None:
        np.testing.assert_allclose(slope * change, bend, rtol=1e-6, atol=1e-8)
    part = bound.cost(slice(1, 2), rho[1:2])
    np.testing.assert_allclose(part[0], cost[1])


def test_formulas_by_hand():
    grid = mfg.Grid.box((2,))
    rho = np.array([[1.0, 3.0]])
    one = slice(0, 1)
    bound = mfg.Congestion(2.0, 0.5).bind(grid, np.zeros(1))
    np.testing.assert_allclose(bound.cost(one, rho), [[-2 / 1.5, -2 / 2.5]])
    np.testing.assert_allclose(bound.potential(one, rho), [-4 * (np.log(1.5) + np.log(2.5)) * 0.5])
    np.testing.assert_allclose(mfg.LogCongestion(2.0).bind(grid, np.zeros(1)).cost(one, rho), 2 * np.log(rho))


@pytest.mark.parametrize(
    ("coupling", "second"),
    [
        (mfg.CrowdAversion(0.4), lambda rho: 0 * rho),
        (mfg.CrowdAversion(0.4, power=3.0), lambda rho: 0.4 * 6 * rho),
        (mfg.Congestion(2.0, 0.5), lambda rho: -2 * 2.0 * 0.25 / (1 + 0.5 * rho) ** 3),
        (mfg.LogCongestion(0.3, shift=0.5), lambda rho: -0.3 / (rho + 0.5) ** 2),
        (mfg.RunningCost(3.0), lambda rho: 0 * rho),
    ],
)
def test_second_derivatives_by_hand(coupling, second):
    rho = np.array([[0.25, 1.0, 3.0]])
    bound = coupling.bind(mfg.States(3), np.zeros(1))
    np.testing.assert_allclose(bound.second(slice(0, 1), rho), second(rho), rtol=1e-14)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_what_one_of_three_agents_expects_to_pay(power):
    """Against the sum over all numbers of the two others, who are in the cell with probability rho volume."""
    grid, agents = mfg.Grid.box((2,), bounds=[(0, 0.5)]), 3  # cells of volume 1/4
    rho = np.array([[3.0, 1.0]])
    found = mfg.CrowdAversion(0.7, power=power).bind(grid, np.zeros(1)).cost_among(slice(0, 1), rho, agents)
    if power == 3:
        assert found is None, "no closed form"
        return
    for cell, chance in enumerate((0.75, 0.25)):
        others = [(1 - chance) ** 2, 2 * chance * (1 - chance), chance**2]
        expected = sum(p * 0.7 * ((1 + k) / (agents * 0.25)) ** power for k, p in enumerate(others))
        assert found[0, cell] == pytest.approx(expected, rel=1e-14)
