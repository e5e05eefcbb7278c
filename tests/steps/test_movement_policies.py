"""Best speeds as a policy, and the mean of many: the same flow as the mixture, at no more cost."""

import numpy as np
import pytest
from moving_games import MOVEMENTS, game

from mfgsolve.steps.movement_policies import BestSpeeds, NetFlux


def answers(own):
    rng = np.random.default_rng(4)
    crowd = own.resting_crowd(own.empty_crowd())
    for scale in (1.0, 0.3):
        price = scale * rng.normal(size=crowd.shape)
        policy = own.respond(price, crowd=crowd).policy.copy()
        yield policy, own.flow(policy).copy()


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_a_mean_has_the_flow_of_the_mixture_and_costs_no_more(name):
    own = game(MOVEMENTS[name], (4, 5), 6)
    (first, one), (second, two) = answers(own)
    mean = own.new_average()
    assert isinstance(mean, NetFlux)
    mean.mix(own, first, one, 1.0)
    mean.mix(own, second, two, 0.25)
    np.testing.assert_allclose(mean.crowd, 0.75 * one + 0.25 * two, atol=1e-15)
    np.testing.assert_allclose(own.follow(mean), mean.crowd, atol=1e-14)
    if not own.step.pays_by_crowd:
        costs = [own.cost(own.policy_of(policy), crowd).cost for policy, crowd in ((first, one), (second, two))]
        assert own.cost(mean, mean.crowd).cost <= 0.75 * costs[0] + 0.25 * costs[1] + 1e-14
    assert own.step.policy_from(mean.speed(own.step.mesh, slice(None)).reshape(6, 4, 4, 5)) is not None


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_best_speeds_say_what_the_step_does(name):
    own = game(MOVEMENTS[name], (4, 5), 6)
    policy, crowd = next(iter(answers(own)))
    found = own.policy_of(policy)
    assert isinstance(found, BestSpeeds)
    speed = found.speed(own.step.mesh, slice(2, 5))
    for k, t in enumerate((2, 3, 4)):
        np.testing.assert_array_equal(speed[k].reshape(4, -1), own.step.best_speeds(t, policy[t]))
    np.testing.assert_allclose(own.follow(found), crowd, atol=1e-14)
