"""The linear-quadratic game: its closed form against its equations and the paper; the herding coupling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mfgsolve import problems
from mfgsolve.couplings import check_coupling
from mfgsolve.grids import Grid
from mfgsolve.problems.linear_quadratic import LinearQuadratic, MeanAttraction


def test_linear_quadratic_against_its_differential_equations() -> None:
    problem = problems.build("linear-quadratic", {"kappa": 0.7, "terminal": 0.3}, shape=(16,), scheme="upwind")
    form, end = problems.closed_form(problem), problem.time.horizon
    eta = solve_ivp(lambda t, y: y**2 - 0.7, (end, 0), [0.3], rtol=1e-11, atol=1e-13, dense_output=True).sol
    variance = solve_ivp(lambda t, v: -2 * eta(t)[0] * v + 0.1, (0, end), [0.25], rtol=1e-11, atol=1e-13).y[0, -1]
    assert form.eta(0.0) == pytest.approx(eta(0.0)[0], abs=1e-9)
    assert form.variance(end) == pytest.approx(variance, abs=1e-9)


def test_linear_quadratic_gain_of_the_paper() -> None:
    # drift K and cross term q shift the gain: eta + K + q solves the equation without them
    drift, cross, kappa, terminal = 0.3, 0.1, 0.5, 1.0
    shifted = (drift + cross) ** 2 + kappa - cross**2
    form = LinearQuadratic(0.1, shifted, terminal + drift + cross, 2.0, 0.0, 1.0)
    assert form.eta(0.0) - drift - cross == pytest.approx(0.4236668300, abs=1e-10)


def test_mean_attraction_is_a_concave_potential() -> None:
    grid = Grid.box((5, 6), bounds=[(-1, 2), (0, 1)], blocked=lambda c: (c.x > 0.8) & (c.y > 1.5))
    report = check_coupling(MeanAttraction(0.7), grid)
    assert report.is_potential
    assert report.potential_error < 1e-7
    assert not report.is_monotone
    assert MeanAttraction.is_potential
    assert not MeanAttraction.is_monotone


def test_mean_attraction_potential_is_the_variance_and_its_tangent_the_derivative() -> None:
    grid, rng = Grid.box((40,), bounds=[(-2, 2)]), np.random.default_rng(1)
    bound = MeanAttraction(1.4).bind(grid, np.zeros(3))
    rho = rng.random((3, 40))
    rho /= rho.sum(axis=1, keepdims=True) * grid.cell_volume
    x, weight = grid.coordinates.x, rho * grid.cell_volume
    variance = weight @ x**2 - (weight @ x) ** 2
    np.testing.assert_allclose(bound.potential(slice(0, 3), rho), 0.7 * variance, rtol=1e-13)
    change, step = rng.standard_normal((3, 40)), 1e-6
    moved = bound.cost(slice(0, 3), rho + step * change) - bound.cost(slice(0, 3), rho - step * change)
    np.testing.assert_allclose(bound.tangent(slice(0, 3), rho, change), moved / (2 * step), atol=1e-7)
