"""Action values from sampled episodes: by hand, and of owners who hear several walks."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners.sampled_values import Heard, Prices, episode, expected_returns, learn_values
from mfgsolve.learners.sampler import Sampler

BAR = mfg.problems.beach_bar(shape=(5,), steps=3)


def world(problem=BAR):
    game = make_game(problem)
    sampler = Sampler(game)
    return game, sampler, Prices.of(sampler, game.price(game.flow(game.step.uniform())))


def by_hand(game, prices, q, visits, cells, actions, power):
    """One walk after the other would differ: several visits are so many updates in a row with their mean."""
    tau = game.step.entropy_cost[0]
    ahead = prices.state[-1]
    for t in reversed(range(game.steps)):
        targets: dict[tuple[int, int], list[float]] = {}
        for x, a, y in zip(cells[t], actions[t], cells[t + 1], strict=True):
            targets.setdefault((a, x), []).append(prices.action[t][a, x] + ahead[y])
        for (a, x), met in targets.items():
            step = (1 + visits[t, a, x]) ** -power
            for _ in met:
                q[t, a, x] += step * (np.mean(met) - q[t, a, x])
            visits[t, a, x] += len(met)
        ahead = prices.state[t] + (q[t].min(axis=0) if tau == 0 else -tau * np.log(np.exp(-q[t] / tau).sum(axis=0)))


@pytest.mark.parametrize("problem", [BAR, mfg.problems.beach_bar(shape=(5,), steps=3, temperature=0.4)])
def test_owners_learn_from_what_they_hear(problem):
    game, sampler, prices = world(problem)
    rng = np.random.default_rng(0)
    first, who = np.array([0, 1, 4, 6]), np.array([0, 0, 1, 2, 1, 2])
    heard = Heard.by_agents(first, who, 1)
    q, visits = np.zeros((3, *game.step.uniform().shape)), np.zeros((3, *game.step.uniform().shape), dtype=np.int64)
    wanted, times = q.copy(), visits.copy()
    for _ in range(5):
        played = episode(sampler, game.step.uniform()[None], None, 3, rng)
        learn_values(sampler, prices, q, visits, played, heard, 0.75)
        for k in range(3):
            mine = who[first[k] : first[k + 1]]
            by_hand(game, prices, wanted[k], times[k], played[0][:, mine], played[1][:, mine], 0.75)
    np.testing.assert_allclose(q, wanted, atol=1e-13)
    np.testing.assert_array_equal(visits, times)


def test_pairs_of_owners_and_walks():
    one = Heard.by_one(3)
    assert one.owner.tolist() == [0, 0, 0]
    assert one.walk.tolist() == [0, 1, 2]
    two = Heard.by_agents(np.array([0, 1, 3]), np.array([0, 0, 1]), 2)  # of two populations of two agents
    assert two.owner.tolist() == [0, 1, 1, 0, 1, 1]
    assert two.walk.tolist() == [0, 0, 1, 2, 2, 3]


def test_agents_follow_policies_of_their_own():
    game, sampler, _ = world()
    policies = np.zeros((3, *game.step.uniform().shape))
    for k in range(3):
        policies[k, :, k] = 1  # agent k always takes action k
    actions = episode(sampler, policies, None, 3, np.random.default_rng(0))[1]
    np.testing.assert_array_equal(actions, np.broadcast_to([0, 1, 2], actions.shape))


def test_what_agents_expect_is_the_value_where_they_have_started():
    q, visits = np.zeros((2, 1, 2, 3)), np.zeros((2, 1, 2, 3), dtype=np.int64)
    q[:, 0] = [[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]]
    visits[0, 0, 0, 0] = 1
    visits[1, 0, :, :2] = [[1, 1], [0, 2]]  # started once in state 0, three times in state 1
    even = np.full((2, 1, 2, 3), 0.5)
    np.testing.assert_allclose(expected_returns(q, visits, even, 0.0), [-2.0, -(2.0 + 3 * 3.0) / 4])
    np.testing.assert_allclose(expected_returns(q, visits, even, 2.0)[0], -2.0 + 2 * np.log(2))
