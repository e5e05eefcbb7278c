"""The step of a diffusion: one step by hand, threads, averages, and where whole sweeps are one kernel."""

import numpy as np
import pytest
from small_steps import diffusion

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.steps.costs import Costs
from mfgsolve.steps.speed_policies import FluxPolicy, SpeedPolicy, ValuePolicy

H, DT, C = 0.25, 0.05, 0.5


@pytest.fixture(scope="module")
def step():
    """Four cells between walls, without noise."""
    problem = mfg.Problem(
        mfg.Grid.box((4,)),
        mfg.TimeGrid(2 * DT, 2),
        mfg.ControlledDiffusion(0.0, C, scheme="upwind"),
        mfg.CrowdAversion(),
        1.0,
    )
    return make_game(problem).step


AFTER = np.array([1.0, 0.9, 0.9, 9.0]).reshape(1, 1, 4)
SPEED = 0.1 / (H * C)  # from the first cell to the second
CAP = H / (2 * DT)  # from the last to the third


def test_one_step_of_the_best_response(step):
    policy = np.empty(step.policy_shape)
    nothing = Costs(np.zeros((3, *step.shape)), np.ones(3), np.zeros(step.shape))
    value = step.best(0, AFTER, nothing, policy).reshape(-1)
    gained = DT * C * SPEED**2 / 2 - DT * SPEED * 0.1 / H, DT * C * CAP**2 / 2 - DT * CAP * 8.1 / H
    np.testing.assert_allclose(value, [1.0 + gained[0], 0.9, 0.9, 9.0 + gained[1]], rtol=1e-14)
    np.testing.assert_array_equal(policy, AFTER)


def test_one_step_of_the_crowd_and_of_its_change(step):
    mass, q = np.array([0.4, 0.3, 0.2, 0.1]).reshape(1, 1, 4), (DT * SPEED / H, DT * CAP / H)
    moved = step.push(0, AFTER, mass).reshape(-1)
    np.testing.assert_allclose(moved, [0.4 - 0.4 * q[0], 0.3 + 0.4 * q[0], 0.2 + 0.1 * q[1], 0.1 - 0.1 * q[1]])
    value = step.expect(0, AFTER, np.arange(4.0).reshape(1, 1, 4)).reshape(-1)
    np.testing.assert_allclose(value, [q[0], 1.0, 2.0, 3.0 - q[1]], atol=1e-15)
    change = step.tangent(0, AFTER, mass, np.array([1.0, 0, 0, 1.0]).reshape(1, 1, 4)).reshape(-1)
    more = DT / (H * H * C) * 0.4  # of the first face; the last speed is at its cap and stays there
    np.testing.assert_allclose(change, [-more, more, 0, 0], atol=1e-15)


def test_cost_of_speeds_is_half_c_s_squared(step):
    speeds, mass = np.zeros((2, 2, 1, 1, 4)), np.full((3, 1, 1, 4), 0.25)
    speeds[0, 0, ..., 0], speeds[1, 1, ..., 3] = 1.2, CAP
    cost = step.cost(SpeedPolicy(speeds), mass)
    assert cost.cost == pytest.approx(0.25 * DT * C * (1.2**2 + CAP**2) / 2)
    assert cost.capped == pytest.approx(0.25 / 2)  # a quarter of the mass in one of two steps
    assert cost.above == cost.size == cost.cost


def test_which_forms_policies_have(step):
    policy = np.zeros((2, *step.policy_shape))
    assert isinstance(step.policy_of(policy), ValuePolicy)
    mean = step.new_average(np.empty((3, *step.shape)))
    assert isinstance(mean, FluxPolicy)
    mean.crowd[:], mean.fluxes[0][:] = 1.0, 2.0
    again = step.new_average(mean.crowd, mean.arrays())
    np.testing.assert_array_equal(again.fluxes[0], 2.0)
    price = np.empty((3, *step.shape))
    assert step.new_policy(price) is price
    assert step.new_policy().shape == policy.shape


def test_short_levels_are_not_shared_among_threads(step):
    other = step.with_changes()
    other.share(None)
    assert (other.threads, other.scheme.parts) == (1, 1)
    assert other.is_fused
    assert not other.has_noise
    noisy = make_game(diffusion((5,))).step
    assert noisy.has_noise
    assert noisy.is_fused
    assert noisy.is_continuum


def test_values_of_all_times_start_with_that_of_the_sweep(step):
    costs = Costs(np.arange(12.0).reshape(3, 1, 1, 4), np.array([DT, DT, 0.0]), AFTER)
    values = np.empty((3, *step.shape))
    first = step.backward(costs, step.new_policy(), values=values)
    np.testing.assert_array_equal(values[0], first)
    np.testing.assert_array_equal(values[-1], AFTER)
    np.testing.assert_array_equal(step.backward(costs, step.new_policy()), first)
