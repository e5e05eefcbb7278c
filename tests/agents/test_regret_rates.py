"""How regret falls with the number of agents: linear-quadratic games in closed form, roads, soft answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from enumerated import brute, flagship, roads
from scipy.integrate import trapezoid

import mfgsolve as mfg


@pytest.fixture(scope="module")
def plan():
    return flagship()


# -- linear-quadratic: closed forms ----------------------------------------------------------------------------


def test_linear_quadratic_regret_and_cost_of_the_continuous_game():
    """A deviator faces kappa (1 - 1/N)^2: its gain solves a Riccati equation of its own."""
    problem = mfg.problems.linear_quadratic(shape=(192,), steps=384, scheme="upwind")
    exact, plan = mfg.problems.closed_form(problem), mfg.solve(problem, tol=1e-12)
    numbers = [1, 2, 10, 1000, 10**5]
    found = mfg.nash_gap(plan, numbers)
    assert (found.regret_error == 0).all()
    t = problem.time.nodes
    mass, x = plan.dataset.density * problem.grid.cell_volume, plan.dataset.x
    variance = ((mass * x**2).sum("x") - (mass * x).sum("x") ** 2).values
    near = 0.5 * (exact.kappa * problem.time.dt * variance[:-1].sum() + exact.terminal * variance[-1])
    for n, regret, difference in zip(numbers, found.regret.values, found.cost_difference.values, strict=True):
        if n == 1:
            gap = np.array([exact.eta(s) for s in t])
        else:
            alone = replace(exact, kappa=exact.kappa * (1 - 1 / n) ** 2, terminal=exact.terminal * (1 - 1 / n) ** 2)
            gap = np.array([exact.eta(s) - alone.eta(s) for s in t])
        assert regret == pytest.approx(0.5 * trapezoid(gap**2 * variance, t), rel=0.05)
        assert difference == pytest.approx(-near / n, rel=1e-9)


def test_linear_quadratic_equilibrium_of_n_players():
    exact = mfg.problems.closed_form(mfg.problems.linear_quadratic(scheme="upwind"))
    for n in (1, 2, 7, 1000):
        finite = exact.among(n)
        for t in (0.0, 0.7, 1.9):
            slope = (finite.eta(t + 1e-5) - finite.eta(t - 1e-5)) / 2e-5
            assert slope == pytest.approx((1 - 1 / n**2) * finite.eta(t) ** 2 - exact.kappa, rel=1e-7, abs=1e-8)
            assert finite.gain(t) == pytest.approx((1 - 1 / n) * finite.eta(t))
        assert finite.eta(exact.horizon) == pytest.approx(exact.terminal)
        t = np.linspace(0, exact.horizon, 4001)
        heat = exact.viscosity * (1 - 1 / n) * trapezoid([finite.eta(s) for s in t], t)
        assert finite.cost == pytest.approx(0.5 * (1 - 1 / n) * exact.spread**2 * finite.eta(0) + heat, rel=1e-7)
    assert exact.among(10**9).cost == pytest.approx(exact.value(0, {"x": np.array(exact.spread)}), rel=1e-8)
    with pytest.raises(mfg.InputError, match="agents"):
        exact.among(0)


def test_the_mean_field_plan_costs_as_much_as_the_equilibrium_of_many_players():
    problem = mfg.problems.linear_quadratic(shape=(192,), steps=384, scheme="upwind")
    exact, plan = mfg.problems.closed_form(problem), mfg.solve(problem, tol=1e-12)
    numbers = np.array([10, 100, 1000])
    found = mfg.nash_gap(plan, numbers.tolist())
    exact_difference = np.array([exact.among(int(n)).cost - exact.among(10**12).cost for n in numbers])
    gap = numbers * (found.cost_difference.values - exact_difference)
    assert (np.abs(gap) < 0.3).all()  # of order 1 / N
    np.testing.assert_allclose(gap[1:], gap[2], rtol=0.05)


def split(share):
    policy = np.zeros((2, 2, 3))
    policy[:] = 0.5
    policy[0, :, 0] = share, 1 - share
    return policy


def test_bang_bang_answers_regret_one_over_n():
    """Costs rho and 2 rho: 2/3 go left; the empty right side of a road counts 1 - m more, so 1 / (3 N) is gained."""
    numbers = [1, 2, 10, 1000, 10**6, 10**9]
    found = mfg.nash_gap(roads(mfg.RunningCost(0.0), 2.0), numbers, policy=split(2 / 3))
    np.testing.assert_allclose(found.regret, 1 / (3 * np.array(numbers)), rtol=1e-6)


def test_kinked_costs_regret_one_over_the_root_of_n():
    kink = mfg.CustomCoupling(
        lambda t, c, rho: 4 * (t > 0) * (c.state == 1) * np.maximum(rho - 0.5, 0.0),
        derivative=lambda t, c, rho: 4.0 * (t > 0) * (c.state == 1) * (rho > 0.5),
    )
    numbers = [10, 1000, 10**5, 10**6]
    found = mfg.nash_gap(roads(kink, 1.0), numbers, policy=split(0.5))
    for n, regret in zip(numbers, found.regret.values, strict=True):
        excess = brute(lambda k, n=n: np.maximum((k + 1) / n - 0.5, 0.0), n - 1, 0.5)
        assert regret == pytest.approx(0.5 * 4 * excess, rel=1e-9)
    assert found.regret.values[2] / found.regret.values[3] == pytest.approx(np.sqrt(10), rel=0.01)


def test_soft_answers_to_smooth_costs_regret_one_over_n_squared():
    plan = mfg.solve(roads(mfg.RunningCost(0.0), 2.0, temperature=0.3), tol=1e-14, check="ignore")
    regret = mfg.nash_gap(plan, [100, 1000, 10_000]).regret.values
    np.testing.assert_allclose(regret[:-1] / regret[1:], 100, rtol=0.03)
