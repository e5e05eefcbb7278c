"""Kernels of finite games against dense NumPy, finite differences, and numbers that overflow."""

from __future__ import annotations

import numpy as np
import pytest
from finite_games import dense_backward, dense_cost, dense_flow, kernel_case, random_policy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from mfgsolve.kernels import finite

properties = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.kernel
@properties
@given(st.integers(0, 2**31), st.sampled_from([0.0, 1e-3, 0.7]), st.booleans())
def test_kernels_equal_dense_arrays(seed, tau, still):
    rng, (cost, crowd, allowed, tau, table), (chance, full) = kernel_case(seed, tau, still)
    steps, states = 3, 4
    last = rng.normal(size=states)
    value, policy = np.empty((steps + 1, states)), np.empty((steps, 3, states))
    value[-1] = last
    finite.backward(cost, crowd, allowed, np.full(steps, tau), table, value, policy)
    wanted = dense_backward(chance, full, crowd, allowed, tau, last)
    np.testing.assert_allclose(value, wanted[0], atol=1e-12)
    np.testing.assert_allclose(policy, wanted[1], atol=1e-9)
    assert (policy[:, ~allowed] == 0).all()

    start, mine = rng.dirichlet(np.ones(states)), random_policy(rng, allowed, steps)
    mass = np.full((steps + 1, states), np.nan)
    mass[0] = start
    finite.forward(mine, table, mass)
    np.testing.assert_allclose(mass, dense_flow(chance, mine, start), atol=1e-14)
    np.testing.assert_allclose(mass.sum(axis=1), 1.0, atol=1e-14)

    q = np.empty_like(mine)
    finite.evaluate(cost, crowd, allowed, np.full(steps, tau), table, mine, value, q)
    forward_cost = dense_cost(mine, mass, full, crowd, tau, last)
    assert (start * value[0]).sum() == pytest.approx(forward_cost, abs=1e-12)
    np.testing.assert_allclose(q[1], full[1] + chance[1] @ value[2], atol=1e-13)
    least = cost.min(axis=(1, 2), where=allowed, initial=np.inf)
    own, above, size = finite.own_cost(cost, least[:, None], mine, mass, np.full(steps, tau))
    shares = [(cost[min(t, len(cost) - 1)] - least[min(t, len(cost) - 1)]) * mine[t] * mass[t] for t in range(steps)]
    entropy = -np.sum(mine * np.log(np.where(mine > 0, mine, 1.0)) * mass[:-1, None])
    assert above == pytest.approx(np.sum(shares) + tau * entropy, abs=1e-13)
    assert own == pytest.approx(dense_cost(mine, mass, full, 0 * crowd, tau, 0 * last), abs=1e-13)
    assert size >= abs(own)

    scores = rng.normal(scale=300.0, size=mine.shape)
    finite.softmax(scores, allowed, q)
    np.testing.assert_allclose(q, softmax(np.where(allowed, scores, -np.inf), axis=1), atol=1e-14)


@pytest.mark.kernel
@properties
@given(st.integers(0, 2**31), st.booleans())
def test_tangent_kernels_equal_finite_differences(seed, still):
    """d policy and d mass of the best response, against small changes of the costs of states and of choices."""
    rng, (cost, crowd, allowed, tau, table), _ = kernel_case(seed, 0.6, still)
    turn, bend, start = rng.normal(size=cost.shape), rng.normal(size=crowd.shape), rng.dirichlet(np.ones(4))

    def answer(length):
        value, policy, mass = np.zeros((4, 4)), np.empty((3, 3, 4)), np.empty((4, 4))
        level = crowd + length * bend
        value[-1], mass[0] = level[-1], start
        finite.backward(cost + length * turn, level, allowed, np.full(3, tau), table, value, policy)
        finite.forward(policy, table, mass)
        return value, policy, mass

    _, policy, mass = answer(0.0)
    value, change, moved = np.empty((4, 4)), np.empty_like(policy), np.zeros((4, 4))
    value[-1] = bend[-1]
    finite.tangent_backward(turn, bend, policy, table, value, change)
    finite.tangent_forward(policy, mass, np.full(3, tau), table, change, moved)
    (above, high, up), (below, low, down) = answer(1e-5), answer(-1e-5)
    np.testing.assert_allclose(value, (above - below) / 2e-5, atol=1e-8)
    np.testing.assert_allclose(moved, (up - down) / 2e-5, atol=1e-8)
    occupation = (high * up[:-1, None] - low * down[:-1, None]) / 2e-5
    np.testing.assert_allclose(change, occupation, atol=1e-8)  # it has become dw


@pytest.mark.kernel
def test_kernel_choices_where_exponentials_overflow():
    """Costs of 1e300 and temperatures of 1e-300 choose the cheapest; what is not allowed is not even looked at."""
    q = np.array([[1e300, 3.0, np.nan], [-1e300, 3.0, 2.0], [np.inf, 2.0, 5.0]])
    allowed = np.array([[True, True, False], [True, True, True], [True, False, True]])
    for tau in (0.0, 1e-300, 1e-3):
        value, policy, own = np.empty(3), np.empty((3, 3)), q.copy()
        with np.errstate(over="ignore"):  # Python tells of it, machine code does not
            if tau > 0:
                finite.soft_choice(own, allowed, False, tau, 0, 3, value, policy)
            else:
                finite.sharp_choice(own, allowed, False, 0, 3, value, policy)
        np.testing.assert_allclose(value, [-1e300, 3.0 - tau * np.log(2), 2.0])
        tied = [1.0, 0.0] if tau == 0 else [0.5, 0.5]
        np.testing.assert_array_equal(policy, [[0.0, tied[0], 0.0], [1.0, tied[1], 1.0], [0.0, 0.0, 0.0]])
