"""What one agent of a crowd does and pays: its mean is the flow of the game and the cost of its plan."""

import math

import numpy as np
import pytest
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
