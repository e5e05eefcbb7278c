"""Couplings: cost is the derivative of the potential, slope and tangent are those of the cost, flags tell the truth."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.couplings import check_coupling
from mfgsolve.couplings.social import marginal

COUPLINGS = {
    "congestion": mfg.Congestion(lambda t, c: 1 + c.x + t, 0.7),
    "linear": mfg.CrowdAversion(0.4),
    "power": mfg.CrowdAversion(lambda t, c: 1 + c.x, power=2.5),
    "log": mfg.LogCongestion(0.3),
    "running": mfg.RunningCost(lambda t, c: c.x * t),
    "nonlocal": mfg.Nonlocal(0.8, width=0.25),
    "kernel": mfg.Nonlocal(0.8, kernel=lambda dx, dy: np.exp(-(dx**2 + dy**2) / 0.02)),
    "sum": mfg.CrowdAversion(0.4) + mfg.Congestion(2.0, 0.1) + mfg.Nonlocal(0.2, width=0.3),
    "custom": mfg.CustomCoupling(
        lambda t, c, rho: rho**3, potential=lambda t, c, rho: rho**4 / 4, derivative=lambda t, c, rho: 3 * rho**2,
        monotone=True,
    ),
}  # fmt: skip
BOX = mfg.Grid.box((6, 5), bounds=[(0, 1), (0, 2)], boundary=("periodic", "reflecting"))


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


@pytest.mark.parametrize("name", COUPLINGS)
def test_flags_agree_with_the_numerical_test(name):
    coupling = COUPLINGS[name]
    report = check_coupling(coupling, BOX, t=0.3)
    assert report.is_potential == coupling.is_potential
    assert report.is_monotone or not coupling.is_monotone
    assert report.potential_error < 1e-6


def test_the_numerical_test_refutes_crowd_seeking_and_asymmetric_couplings():
    grid = mfg.Grid.box((12,))
    seeking = mfg.CustomCoupling(lambda t, c, rho: -rho, potential=lambda t, c, rho: -(rho**2) / 2, monotone=True)
    assert not check_coupling(seeking, grid).is_monotone
    drag = mfg.CustomCoupling(lambda t, c, rho: np.cumsum(rho))
    report = check_coupling(drag, grid)
    assert not report.is_potential
    assert np.isnan(report.potential_error)


def test_formulas_by_hand():
    grid = mfg.Grid.box((2,))
    rho = np.array([[1.0, 3.0]])
    one = slice(0, 1)
    bound = mfg.Congestion(2.0, 0.5).bind(grid, np.zeros(1))
    np.testing.assert_allclose(bound.cost(one, rho), [[-2 / 1.5, -2 / 2.5]])
    np.testing.assert_allclose(bound.potential(one, rho), [-4 * (np.log(1.5) + np.log(2.5)) * 0.5])
    np.testing.assert_allclose(mfg.LogCongestion(2.0).bind(grid, np.zeros(1)).cost(one, rho), 2 * np.log(rho))


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_separable_smoothing_agrees_with_the_fourier_transform(boundary):
    """Two roads to one convolution: a matrix per axis, and FFT of the same Gaussian."""
    grid = mfg.Grid.box((12, 10), boundary=boundary)
    width = 0.08

    def gaussian(dx, dy):
        total = 0.0
        for i in (-1, 0, 1) if boundary == "periodic" else (0,):
            for j in (-1, 0, 1) if boundary == "periodic" else (0,):
                total = total + np.exp(-((dx + i) ** 2 + (dy + j) ** 2) / (2 * width**2))
        return total / (2 * np.pi * width**2)

    rho = np.random.default_rng(0).uniform(size=(2, 12, 10))
    both = [c.bind(grid, np.zeros(2)).cost(slice(0, 2), rho) for c in (mfg.Nonlocal(width=width),
                                                                         mfg.Nonlocal(kernel=gaussian))]  # fmt: skip
    np.testing.assert_allclose(both[0], both[1], rtol=1e-10, atol=1e-12)


def test_a_kernel_that_is_not_even_is_refused():
    with pytest.raises(mfg.InputError, match="not even"):
        mfg.Nonlocal(kernel=lambda dx: np.exp(-((dx - 0.1) ** 2))).bind(mfg.Grid.box((8,)), np.zeros(1))


def test_what_a_nonlocal_coupling_claims_is_checked():
    grid = mfg.Grid.box((32,))
    with pytest.raises(mfg.InputError, match="half the spacing"):
        mfg.Nonlocal(width=1e-3).bind(grid, np.zeros(1))
    hat = mfg.Nonlocal(kernel=lambda dx: 1.0 * (np.abs(dx) < 0.2), monotone=True)
    with pytest.raises(mfg.InputError, match="leave monotone=False"):
        hat.bind(grid, np.zeros(1))
    wide = mfg.Nonlocal(width=10.0).bind(mfg.Grid.box((32,), boundary="periodic"), np.zeros(1))
    np.testing.assert_allclose(wide.cost(slice(0, 1), np.ones((1, 32))), 1.0, rtol=1e-12)


def test_a_bump_wraps_on_a_periodic_axis():
    clock = mfg.Grid.box((24,), bounds=[(0, 24)], boundary="periodic")
    values = mfg.Bump(1.0, 1.5, (0.0,))(0.0, clock.coordinates)
    np.testing.assert_allclose(values, values[::-1])
    assert values[-1] > 0.9


class Reciprocal:
    """phi = 1 / A, convex; A phi' = -1 / A is concave."""

    def value(self, t: float, a: float) -> float:
        return 1 / a

    def derivative(self, t: float, a: float) -> float:
        return -1 / a**2

    def second(self, t: float, a: float) -> float:
        return 2 / a**3

    def third(self, t: float, a: float) -> float:
        return -6 / a**4


class Declared(Reciprocal):
    total_is_convex = True


@pytest.mark.parametrize(("potential", "known"), [
    (mfg.QuadraticPotential(2.0, 0.3), True), (Reciprocal(), False), (Declared(), True),
])  # fmt: skip
def test_a_marginal_price_is_monotone_only_where_that_is_known(potential, known):
    assert marginal(mfg.Price(potential, amounts=[1.0])).is_monotone is known


@pytest.mark.parametrize(("potential", "rises"), [(mfg.QuadraticPotential(2.0, 0.3), True), (Reciprocal(), False)])
def test_whether_a_marginal_price_rises(potential, rises):
    bound = marginal(mfg.Price(potential, amounts=[1.0])).bind(mfg.States(1), np.array([0.0]))
    price = [bound.cost(slice(0, 1), np.array([[a]]))[0, 0] for a in (0.5, 1.0, 2.0)]
    assert bool(np.all(np.diff(price) > 0)) is rises
    total = [bound.potential(slice(0, 1), np.array([[1 + h]]))[0] for h in (-1e-5, 1e-5)]
    assert price[1] == pytest.approx((total[1] - total[0]) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("name", ["congestion", "linear", "power", "log"])
def test_marginal_costs_said_to_be_monotone_are(name):
    coupling = marginal(COUPLINGS[name])
    assert coupling.is_monotone
    assert check_coupling(coupling, BOX).is_monotone
    assert not marginal(COUPLINGS["custom"]).is_monotone  # nobody knows
