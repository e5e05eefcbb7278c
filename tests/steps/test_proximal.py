"""The proximal step of a cost of moving: certificates of its own answers, derivatives, and its fixed points."""

from __future__ import annotations

import numpy as np
import pytest
from moving_games import MOVEMENTS, game

from mfgsolve.certificates import certify
from mfgsolve.errors import InputError
from mfgsolve.steps.proximal import ProximalStep

KINDS = ["p-3", "linear", "limit", "box"]


def near(name, stiffness=0.5, seed=0):
    """The game in which agents leave random speeds at a cost, and its price."""
    own, rng = game(MOVEMENTS[name], (4, 5), 16), np.random.default_rng(seed)
    price = 0.3 * rng.normal(size=(17, *own.step.shape))
    former = np.stack([own.step.best_speeds(t, 0.05 * rng.normal(size=20)) for t in range(16)])
    return own.in_steps_of(ProximalStep(own.step, former, stiffness)), price


@pytest.mark.parametrize("name", KINDS)
def test_its_best_response_pays_the_value(name):
    own, price = near(name)
    answer = own.respond(price.copy())
    crowd = own.flow(answer.policy)
    paid = own.cost(own.policy_of(answer.policy), crowd).cost + own.crowd_totals(price, crowd).cost
    assert paid == pytest.approx(answer.mean_value, rel=1e-11)


@pytest.mark.parametrize("name", KINDS)
def test_its_flow_changes_as_two_nearby_answers_do(name):
    own, price = near(name)
    assert own.is_smooth
    direction = np.random.default_rng(4).normal(size=price.shape)
    answer = own.respond(price.copy())
    crowd = own.flow(answer.policy)
    sides = [own.flow(own.respond(price + sign * 1e-6 * direction).policy) for sign in (1.0, -1.0)]
    found = own.curvature(answer.policy, crowd, own.weights.reshape(-1, 1, 1, 1) * direction, identity=0.0)
    np.testing.assert_allclose(-found, (sides[0] - sides[1]) / 2e-6, atol=2e-5 * np.abs(found).max())


def test_whoever_has_no_reason_to_leave_his_speeds_does_not():
    """Former speeds that are best responses stay, at any cost of leaving them."""
    own = game(MOVEMENTS["p-3"], (4, 5), 16)
    price = 0.3 * np.random.default_rng(5).normal(size=(17, *own.step.shape))
    answer = own.respond(price.copy())
    former = own.step.speed(own.policy_of(answer.policy), slice(0, 16)).reshape(16, 4, -1)
    for stiffness in (1e-2, 1.0, 1e2):
        step = ProximalStep(own.step, former, stiffness)
        there = own.in_steps_of(step)
        np.testing.assert_allclose(step.all_speeds(there.respond(price.copy()).policy), former, atol=1e-12)


def test_certificates_count_what_leaving_costs():
    own, price = near("limit")
    answer = own.respond(own.price(own.flow(own.respond(price).policy)))
    crowd = own.flow(answer.policy)
    found = certify(own, own.policy_of(answer.policy), crowd)
    plain = certify(own.in_steps_of(game(MOVEMENTS["limit"], (4, 5), 16).step), own.policy_of(answer.policy), crowd)
    assert found.exploitability > 0
    assert found.movement_cost > plain.movement_cost == 0.0


def test_no_problem_states_it():
    own, _ = near("limit")
    with pytest.raises(InputError, match="part of a solver"):
        next(own.step.identity([]))
