"""Curvature of a finite game in one call: against finite differences, and a pass of conjugate gradients by hand."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import kernel_case

from mfgsolve.kernels import finite, finite_tangent

TAU = np.full(3, 0.6)


def best(case, crowd, start):
    """Policy and mass of the best response to costs of being in a state (4, states)."""
    cost, _, allowed, _, table = case
    value, policy, mass = np.zeros((4, 4)), np.empty((3, 3, 4)), np.empty((4, 4))
    value[-1], mass[0] = crowd[-1], start
    finite.backward(cost, crowd, allowed, TAU, table, value, policy)
    finite.forward(policy, table, mass)
    return policy, mass


@pytest.mark.kernel
@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_curvature_is_the_derivative_of_the_mass(seed, still):
    rng, case, _ = kernel_case(seed, 0.6, still)
    crowd, (one, other), start = case[1], rng.normal(size=(2, 4, 4)), rng.dirichlet(np.ones(4))
    (policy, mass), result = best(case, crowd, start), np.empty((4, 4))
    finite_tangent.curvature(other, one, policy, mass, TAU, case[4], np.empty_like(policy), result, 0.7)
    up, down = (best(case, crowd + h * one, start)[1] for h in (1e-5, -1e-5))
    np.testing.assert_allclose(result, 0.7 * other - (up - down) / 2e-5, atol=1e-8)


@pytest.mark.kernel
def test_a_pass_of_conjugate_gradients():
    rng, case, _ = kernel_case(5, 0.6, False)
    policy, mass = best(case, case[1], rng.dirichlet(np.ones(4)))
    scale, solution, residual, direction = rng.uniform(0.5, 1.0, (4, 4)), *rng.normal(size=(3, 4, 4))
    moved, turned = solution + 0.3 * direction, residual + 0.2 * direction
    wanted, image, work = np.empty((4, 4)), np.empty((4, 4)), np.empty_like(policy)
    finite_tangent.curvature(turned, scale * turned, policy, mass, TAU, case[4], work, wanted, 1.0)
    found = finite_tangent.conjugate_step(
        policy, mass, TAU, case[4], work, scale, solution, residual, direction, image, 0.3, 0.2
    )
    np.testing.assert_allclose(solution, moved, rtol=1e-14)
    np.testing.assert_allclose(direction, turned, rtol=1e-14)
    np.testing.assert_allclose(image, wanted, rtol=1e-14)
    assert found == pytest.approx((scale * turned * wanted).sum(), rel=1e-13)
