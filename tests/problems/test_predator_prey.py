"""Predators and prey turn in a circle."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve import problems
from mfgsolve.games import Game


def test_predators_and_prey_turn_in_a_circle() -> None:
    """No potential; R is antisymmetric, so that what one population gains from another the other loses."""
    problem = problems.predator_prey(size=3, steps=3)
    game = Game(problem)
    assert problem.is_monotone
    assert not problem.is_potential
    mass = np.random.default_rng(0).dirichlet(np.ones(9), (4, 3))
    chase = (game.price(mass.reshape(4, 27)).reshape(4, 3, 9) - np.log(mass))[:3]  # nothing at the last node
    mass = mass[:3]
    assert (chase * mass).sum() == pytest.approx(0, abs=1e-13)
    np.testing.assert_allclose(chase[:, 0], mass[:, 1] - mass[:, 2], atol=1e-13)
    solution = mfg.solve(problems.predator_prey(size=3, steps=3, temperature=0.1), method="newton", check="raise")
    assert solution.relative_exploitability <= 1e-10
