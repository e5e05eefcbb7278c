"""A first point in the middle, and steps that stay inside."""

import numpy as np
import pytest

from mfgsolve.games import Game
from mfgsolve.problems import beach_bar
from mfgsolve.solvers.centred import barrier, centred_point, longest
from mfgsolve.solvers.equations import Equations


@pytest.fixture(scope="module")
def equations():
    return Equations(Game(beach_bar(shape=(8,), steps=5)))


def test_barriers_sum_to_one_at_every_time(equations):
    weights = barrier(equations)
    assert weights.shape == (equations.choices,)
    assert weights.min() > 0
    for t in range(equations.game.steps):
        assert weights[equations.at(t)].sum() == pytest.approx(1.0)


def test_the_first_point_solves_the_equation_of_the_values(equations):
    """z = l + dt f + P V - V > 0 with w the barrier, and the best choice of a state dearer by the spread of costs."""
    weights = barrier(equations)
    w, z, value = centred_point(equations, weights)
    np.testing.assert_array_equal(w, weights)
    _, cost = equations.crowd_and_cost(weights)
    np.testing.assert_allclose(z, cost + equations.ahead @ value, atol=1e-12)
    least = np.full(equations.rows, np.inf)
    np.minimum.at(least, equations.here, z)
    np.testing.assert_allclose(least, max(np.ptp(cost), np.ptp(equations.own)), rtol=1e-12)


def test_the_longest_step_meets_the_boundary():
    w, z = np.array([1.0, 2.0]), np.array([3.0, 0.5])
    none = np.zeros(2)
    assert longest(w, z, (np.array([-4.0, -2.0]), none, none)) == 0.25
    assert longest(w, z, (none, np.array([5.0, -1.0]), none)) == 0.5
    assert longest(w, z, (np.array([-0.5, 9.0]), none, none)) == 1.0
