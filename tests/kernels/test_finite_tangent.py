"""Curvature of a finite game and a pass of conjugate gradients on it, against the two sweeps and NumPy."""

import numpy as np
import pytest

from mfgsolve.kernels import finite, finite_tangent

pytestmark = pytest.mark.kernel

STEPS, ACTIONS, STATES = 4, 2, 3
TAU = np.linspace(0.2, 0.5, STEPS)  # of each step


@pytest.fixture(scope="module")
def game():
    rng = np.random.default_rng(0)
    chance = rng.dirichlet(np.ones(STATES), ACTIONS * STATES)
    table = np.arange(0, ACTIONS * STATES * STATES + 1, STATES)[None], np.tile(np.arange(3), 6), chance.reshape(-1)
    policy = rng.dirichlet(np.ones(ACTIONS), (STEPS, STATES)).transpose(0, 2, 1).copy()
    mass = np.empty((STEPS + 1, STATES))
    mass[0] = rng.dirichlet(np.ones(STATES))
    finite.forward(policy, *table, mass)
    return policy, mass, table


def moved_by(game, cost):
    """Change of the mass when being somewhere costs ``cost`` more."""
    policy, mass, table = game
    value, change, moved = np.empty_like(mass), np.empty_like(policy), np.zeros_like(mass)
    value[-1] = cost[-1]
    finite.tangent_backward(np.zeros((1, ACTIONS, STATES)), cost, policy, *table, value, change)
    finite.tangent_forward(policy, mass, TAU, *table, change, moved)
    return moved


def test_the_curvature_is_the_change_of_the_flow(game):
    policy, mass, table = game
    direction, weighted = np.random.default_rng(1).standard_normal((2, STEPS + 1, STATES))
    result, change = np.empty_like(mass), np.empty_like(policy)
    finite_tangent.curvature(direction, weighted, policy, mass, TAU, *table, change, result, 0.7)
    np.testing.assert_allclose(result, 0.7 * direction - moved_by(game, weighted), atol=1e-13)


def test_a_pass_of_conjugate_gradients(game):
    policy, mass, table = game
    scale, solution, residual, direction = np.abs(np.random.default_rng(2).standard_normal((4, STEPS + 1, STATES)))
    x, p = solution + 0.4 * direction, residual + 0.25 * direction
    image, change = np.empty_like(mass), np.empty_like(policy)
    left = finite_tangent.conjugate_step(
        policy, mass, TAU, *table, change, scale, solution, residual, direction, image, 0.4, 0.25
    )
    np.testing.assert_allclose(solution, x, rtol=1e-14)
    np.testing.assert_allclose(direction, p, rtol=1e-14)
    np.testing.assert_allclose(image, p - moved_by(game, scale * p), atol=1e-13)
    assert left == pytest.approx((scale * p * image).sum(), rel=1e-13)
