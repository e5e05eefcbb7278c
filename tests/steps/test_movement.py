"""The step with a movement cost of its own: other roads to its values, certificates, agents, and bad policies."""

from __future__ import annotations

import numpy as np
import pytest
from moving_games import JOINT, MOVEMENTS, game, goal, problem

import mfgsolve as mfg
from mfgsolve.certificates import certify
from mfgsolve.games import make_game
from mfgsolve.steps import MovementStep
from mfgsolve.steps.control import Movement
from tests.dense import dense_noise

LINE = sorted({*JOINT} - {"congestion"})


def prices(own, seed=0):
    return np.random.default_rng(seed).normal(size=(own.steps + 1, *own.step.shape))


def test_at_power_two_it_is_the_quadratic_step_where_no_cap_binds():
    """Derivatives, too, but where W is even, as it is before an end that costs nothing."""
    plain = make_game(problem(None, (4, 5), 200, terminal=lambda t, c: 0.3 * c.x + 0.2 * c.y**2))
    own = plain.in_steps_of(MovementStep(plain.step.space, plain.step.time, plain.step.scheme, Movement(2.0)))
    price = 0.1 * prices(plain)
    answers = [each.respond(price.copy()) for each in (plain, own)]
    np.testing.assert_allclose(answers[1].value, answers[0].value, rtol=1e-12)
    crowds = [each.flow(answer.policy) for each, answer in zip((plain, own), answers, strict=True)]
    np.testing.assert_allclose(crowds[1], crowds[0], atol=1e-14)
    turned = [each.curvature(a.policy, m, price) for each, a, m in zip((plain, own), answers, crowds, strict=True)]
    np.testing.assert_allclose(turned[1], turned[0], atol=1e-12)
    paid = [each.cost(each.policy_of(a.policy), m) for each, a, m in zip((plain, own), answers, crowds, strict=True)]
    assert paid[1].cost == pytest.approx(paid[0].cost, rel=1e-12)
    assert paid[0].capped == paid[1].capped == 0.0


@pytest.mark.parametrize("movement", [mfg.LinearCost(0.5), mfg.SpeedLimit(0.5)])
def test_bang_bang_on_a_line_is_the_game_of_three_speeds(movement):
    """Stay, go right, go left: the same values to the last digits but where both sides are better, which is nowhere."""
    own = game(movement, (10,), 12, coupling=0.0, terminal=lambda t, c: 3 * (c.x - 0.55) ** 2)
    size, h, chance = 10, 0.1, 0.5 * own.dt / 0.1
    right, left = np.eye(size), np.eye(size)
    for k in range(size):
        right[k, k] -= chance
        right[k, min(k + 1, size - 1)] += chance
        left[k, k] -= chance
        left[k, max(k - 1, 0)] += chance
    spread = dense_noise(own)
    pay = own.step.scheme.control_cost[0] * 0.5 * own.dt
    paid = np.array([0.0, pay, pay])
    tables = mfg.Tabular([spread, right @ spread, left @ spread], cost=np.repeat(paid[:, None], size, 1))
    x = (np.arange(size) + 0.5) * h
    finite = make_game(
        mfg.Problem(
            mfg.States(size), mfg.TimeGrid(1.0, 12), tables, 0.0, np.full(size, 0.1), terminal=3 * (x - 0.55) ** 2
        )
    )
    values = finite.values(np.zeros((13, size)))
    np.testing.assert_allclose(own.values(np.zeros((13, 1, 1, size))), values, rtol=1e-13)


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_the_certificate_is_what_the_best_of_many_deviations_gains(name):
    """<m_0, V_0> of the best response is its cost, and the excess of any policy what its certificate says."""
    own = game(MOVEMENTS[name], (4, 4), 6)
    crowd = own.resting_crowd(own.empty_crowd())
    policy = own.respond(0.2 * prices(own, 1), crowd=crowd).policy.copy()
    crowd = own.flow(policy)
    found = certify(own, own.policy_of(policy), crowd)
    price = own.price(crowd)
    best = own.respond(price.copy(), crowd=crowd)
    answer = own.policy_of(best.policy.copy())
    flow = own.follow(answer)
    mine = own.step.weights(slice(0, 6), crowd[:-1].reshape(6, -1)) * own.dt  # those of the crowd, whoever pays
    paid = mine * own.step.movement.cost(answer.speed(own.step.mesh, slice(0, 6)).reshape(6, 4, 16))
    total = (paid * flow[:-1].reshape(6, -1)).sum() + own.crowd_totals(price, flow).cost + own.terminal_total(flow)
    assert total == pytest.approx(best.mean_value, rel=1e-12)
    excess, _ = own.step.excess(own.policy_of(policy), crowd, own.costs(price.copy()))
    assert excess.sum() == pytest.approx(found.exploitability, rel=1e-9)
    assert found.exploitability > 1e-3


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_agents_one_by_one_go_where_the_density_goes(name):
    own = game(MOVEMENTS[name], (4, 4), 5)
    crowd = own.resting_crowd(own.empty_crowd())
    policy = own.policy_of(own.respond(prices(own), crowd=crowd).policy.copy())
    chain, mass = own.step.chain(policy), own.follow(policy).reshape(6, -1)
    for t in range(5):
        np.testing.assert_allclose(chain.expect(t, mass[t]), mass[t + 1], atol=1e-14)
    paid = (chain.own_cost[:, :, 0] * mass[:-1]).sum()
    if own.step.pays_by_crowd:
        assert np.isnan(paid)
    else:
        assert paid == pytest.approx(own.cost(policy, mass.reshape(6, *own.step.shape)).cost, rel=1e-12)


def test_speeds_beyond_the_cap_or_the_limit_are_refused():
    limited, capped = game(mfg.SpeedLimit(0.3), (4, 4)).step, game(mfg.PowerCost(3.0), (4, 4)).step
    speeds = np.zeros((16, 4, 4, 4))
    speeds[3, 0, 1, 1] = speeds[3, 2, 1, 1] = 0.25
    with pytest.raises(mfg.InputError, match=r"speeds up to 1.17851 times the largest one allowed, the speed limit"):
        limited.policy_from(speeds)
    assert capped.policy_from(speeds).speeds.shape == (16, 4, 1, 4, 4)
    speeds[3, 0, 1, 1] = 3.0
    with pytest.raises(mfg.InputError, match="the scheme's cap: take more time steps"):
        capped.policy_from(speeds)
    speeds[3, 0, 1, 3] = 0.1
    with pytest.raises(mfg.InputError, match="through a wall"):
        capped.policy_from(speeds)


def test_jumping_speeds_have_no_derivative():
    own = game(mfg.LinearCost(0.3))
    assert not own.is_smooth
    assert own.step.cost_of_moving is None
    with pytest.raises(mfg.InputError, match="best speeds of agents who pay"):
        own.step.tangent(0, np.zeros(own.step.shape), np.ones(own.step.shape), np.ones(own.step.shape))


def test_dearer_steps_cost_more():
    step = game(mfg.PowerCost(3.0)).step
    assert step.dearer(2.0).cost_of_moving == 2 * step.cost_of_moving
    assert isinstance(step.dearer(2.0), MovementStep)


def test_costs_are_discounted():
    own = game(mfg.PowerCost(3.0), steps=4, time=mfg.TimeGrid(1.0, 4, discount=0.7))
    np.testing.assert_allclose(own.step.weights(slice(0, 4), None)[:, 0], 0.4 * np.exp(-0.7 * np.arange(4) / 4))


@pytest.mark.parametrize("name", LINE)
def test_who_moves_pays_and_stays_where_it_is_best(name):
    own = game(MOVEMENTS[name], coupling=mfg.RunningCost(goal), time=mfg.TimeGrid(1.0, 64))
    crowd = own.flow(own.respond(own.price(own.empty_crowd() * 0)).policy)
    x = (np.arange(12) + 0.5) / 12
    means = crowd.reshape(65, 12) @ x
    assert means[-1] > means[0] + 0.1
