"""What one agent of a crowd does and pays: its mean is the flow of the game and the cost of its plan."""

import math

import numpy as np
import pytest
import xarray as xr
from walkers import PROBLEMS, mass_of

import mfgsolve as mfg
from mfgsolve.agents.play import play_of
from mfgsolve.agents.walk import Walk


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_mean_of_a_walk_is_the_flow_and_what_it_pays_the_cost(name):
    solution = mfg.solve(PROBLEMS[name](), method="fictitious-play", max_iterations=1, check="ignore")
    here = play_of(solution)
    walk, mass = Walk(here), mass_of(here)
    for t in range(walk.steps):
        assert np.abs(walk.chain.expect(t, mass[t]) - mass[t + 1]).max() < 1e-15
    assert math.isclose(walk.mean_costs(mass).total.sum(), solution.certificate.cost, rel_tol=1e-13, abs_tol=1e-13)


def test_a_hard_bound_is_paid_as_a_price_that_stays():
    """Everybody in the capped cell pays weight times the multiplier there, whatever else is paid."""
    problem = mfg.Problem(
        grid=mfg.States(2), time=mfg.TimeGrid(1.0, 2), dynamics=mfg.Tabular([np.eye(2), np.eye(2)[::-1]]),
        coupling=mfg.CrowdAversion(1.0) + mfg.Capacity(0.75), initial=np.array([0.75, 0.25]),
    )  # fmt: skip
    policy = np.full((2, 2, 2), 0.5)
    stated = xr.Dataset(
        {"policy": (("step", "action", "state"), policy),
         "capacity_multiplier": (("time", "state"), [[0.0, 0.0], [8.0, 0.0], [0.0, 0.0]])},
        {"time": [0.0, 0.5, 1.0], "step": [0.0, 0.5], "action": ["0", "1"], "state": ["0", "1"]},
    )  # fmt: skip
    here = play_of(problem, stated)
    costs = Walk(here).mean_costs(mass_of(here))
    mass = np.array([[0.75, 0.25], [0.5, 0.5]])
    np.testing.assert_allclose(costs.total, 0.5 * (mass**2).sum(axis=0) + [0.5 * 8 * 0.5, 0.0])
    np.testing.assert_allclose(costs.state, [[0.375, 0.125], [0.25 + 4, 0.25], [0.0, 0.0]])
    assert costs.action is None
