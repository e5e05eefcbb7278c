"""Agents in a wind: one by one they are carried like the flow, and their regret is known."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg

WINDS = {
    "steady": lambda t, c: 0.5 - c.x,
    "another in each step": lambda t, c: (0.5 - c.x) * (1 + t),
}


def windy(wind, noise: str = "implicit", boundary: str = "reflecting") -> mfg.Problem:
    return mfg.Problem(
        grid=mfg.Grid.box((12,), boundary=boundary), time=mfg.TimeGrid(0.5, 10),
        dynamics=mfg.ControlledDiffusion(0.01, 0.5, noise, drift=wind, scheme="upwind"),
        coupling=mfg.CrowdAversion(0.5),
        initial=lambda t, c: 1.0 + c.x, terminal=lambda t, c: (c.x - 0.8) ** 2, normalise=True,
    )  # fmt: skip


@pytest.mark.parametrize("noise", ["implicit", "explicit"])
@pytest.mark.parametrize("wind", WINDS)
def test_a_crowd_of_many_is_the_flow(wind, noise):
    problem = windy(WINDS[wind], noise)
    plan = mfg.solve(problem, tol=1e-4, check="ignore")
    data = mfg.simulate(plan, 10**12, rng=0, problem=problem)
    np.testing.assert_allclose(data.density[0], data.mean_field_density, rtol=0, atol=1e-4)
    assert float(data.cost[0]) == pytest.approx(float(data.mean_field_cost), rel=1e-5)
    assert float(data.mean_field_cost) == pytest.approx(plan.certificate.cost, rel=1e-12)


@pytest.mark.slow
def test_regret_and_deviation_agree_in_a_wind():
    problem = windy(WINDS["another in each step"])
    plan = mfg.solve(problem, tol=1e-8, check="ignore")
    gap = mfg.nash_gap(plan, [5, 10**8], problem=problem)
    assert float(gap.regret[0]) > 1e3 * float(gap.regret[1])
    trial = mfg.simulate_deviation(plan, 5, 2000, rng=1, problem=problem)
    assert trial.gain_interval[0] <= gap.regret[0] <= trial.gain_interval[1]
    assert trial.cost_interval[0] <= gap.cost[0] <= trial.cost_interval[1]


def test_a_lattice_in_a_wind_is_learned_and_sampled():
    """For tables the wind is in the transitions themselves."""
    problem = mfg.Problem(
        grid=mfg.Grid.box((6,)), time=mfg.TimeGrid(1.0, 5), coupling=mfg.CrowdAversion(0.3), initial=1.0,
        dynamics=mfg.LatticeMoves((-1, 0, 1), costs=0.05, viscosity=0.01, drift=lambda t, c: 0.3 + 0 * c.x),
        terminal=lambda t, c: c.x, normalise=True,
    )  # fmt: skip
    plan = mfg.solve(problem, tol=1e-4, check="ignore")
    data = mfg.simulate(plan, 10**12, rng=0, problem=problem)
    np.testing.assert_allclose(data.density[0], data.mean_field_density, rtol=0, atol=1e-4)
    learned = mfg.learn(problem, agents=200, episodes=200, rng=0, reference=False)
    assert learned.relative_exploitability < 0.3
