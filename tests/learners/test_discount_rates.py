"""Learners of discounted games: rewards are present values, and what is learned is the discounted equilibrium."""

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import EpsilonGreedy, Harmonic, QLearner, SampledGame, SampledMirrorDescent, train
from mfgsolve.learners.environments.adapters import frozen_crowd, to_gymnasium
from mfgsolve.learners.policy_iteration import GMFQ, BoltzmannIteration
from mfgsolve.learners.sampler import Sampler
from tests.games.test_discount import discounted, table_game

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
LATE = 0.5


def fork(temperature=0.0, rate=LATE):
    """Now or in two steps: to be paid soon 1, or late 1.6 beside a crowd; certain moves, so that all can be learned."""
    to = [np.eye(4)[[1, 3, 3, 3]], np.eye(4)[[2, 2, 3, 3]]]
    return mfg.Problem(
        grid=mfg.States(["start", "soon", "later", "end"]), time=mfg.TimeGrid(3.0, 3, discount=rate),
        initial=np.array([1.0, 0, 0, 0]), dynamics=mfg.Tabular(to, cost=[0.0, 0.1], temperature=temperature),
        coupling=mfg.CrowdAversion(lambda t, c: 0.5 * (c.state == 1))
        + mfg.RunningCost(lambda t, c: 1.0 * (c.state == 1) * (t < 1.5) + 1.6 * (c.state == 2) * (t < 1.5)),
        terminal=np.array([0.0, 2.0, 2.0, 0.0]),
    )  # fmt: skip


def bar(rate=LATE, temperature=0.0):
    return discounted(mfg.problems.beach_bar(shape=(6,), steps=5, temperature=temperature), rate)


def table_of(problem):
    game = make_game(problem)
    return game, mfg.solve(problem, tol=1e-9).dataset["policy"].values.reshape(
        game.steps, game.step.actions, game.cells
    )


@pytest.mark.parametrize("temperature", [0.0, 0.4])
def test_rewards_add_up_to_what_the_certificate_says(temperature):
    """Of the sampler, level by level; entropy, which no reward shows, is counted apart at its discounted price."""
    problem = table_game(temperature=temperature)
    game, table = table_of(problem)
    crowd, price = frozen_crowd(game, table.reshape(game.steps, game.step.actions, *game.grid.shape))
    sampler, total = Sampler(game), 0.0
    for t in range(game.steps):
        chosen = table[t] * crowd[t, : game.cells]
        total += (chosen * (sampler.action_cost(t, price[t]) + sampler.state_cost(t, price[t]))).sum()
        entropy = np.log(np.where(table[t] > 0, table[t], 1.0))
        total += temperature * 0.5 * np.exp(-0.7 * 0.5 * t) * (chosen * entropy).sum()
    total += (crowd[-1, : game.cells] * sampler.state_cost(game.steps, price[-1])).sum()
    assert total == pytest.approx(mfg.exploitability(problem, table).cost, rel=1e-12)


def test_the_rewards_of_an_episode_are_present_values():
    """Each e^(-rate t) of what it is without a rate; the cost at the end, in the last one, e^(-rate T)."""
    pytest.importorskip("gymnasium")

    def rewards(problem, choices):
        env = to_gymnasium(problem, field=make_game(problem).step.uniform(), rng=0)
        env.reset(seed=1)
        return np.array([env.step(a)[1] for a in choices])

    late = np.exp(-LATE * np.arange(3.0))
    for choices in ((0, 0, 0), (1, 1, 0), (0, 1, 1)):
        one, plain = (rewards(replace(fork(rate=rate), terminal=0.0), choices) for rate in (LATE, 0.0))
        np.testing.assert_allclose(one, late * plain, atol=1e-15)
        with_end = rewards(replace(fork(), terminal=2.0), choices)
        np.testing.assert_allclose(with_end, one - [0, 0, 2.0 * np.exp(-LATE * 3)], atol=1e-15)


@pytest.mark.parametrize("temperature", [0.0, 0.6])
def test_q_learning_finds_the_discounted_values(temperature):
    """Certain moves and steps of 1/n against a crowd that stays: the values of dynamic programming."""
    problem = fork(temperature)
    game = make_game(problem)
    crowd = game.flow(game.step.uniform())
    learner = QLearner(game, EpsilonGreedy(1.0), Harmonic(1.0))
    train(learner, SampledGame(game, 200, crowd, rng=0), 60)
    price = game.price(crowd)
    policy = game.respond(price).policy
    met = crowd[:-1, : game.cells] > 0
    np.testing.assert_allclose(
        learner.policy().transpose(1, 0, 2)[:, met], policy.transpose(1, 0, 2)[:, met], atol=0.01
    )
    q = game.evaluate(policy, price)[1] + (game.weights[:, None] * price)[:-1, None, : game.cells]
    np.testing.assert_allclose(-learner.function.entries[met], q.transpose(0, 2, 1)[met], atol=0.01)


@pytest.mark.parametrize("temperature", [0.0, 0.6])
def test_values_that_gmf_q_learns_are_exact_without_chance(temperature):
    problem = fork(temperature)
    noisy, exact = GMFQ(1.0, exploration=1.0, agents=3000, episodes=1), BoltzmannIteration(1.0)
    one, two = noisy.init(make_game(problem), 0.0), exact.init(make_game(problem), 0.0)
    noisy._value(one)
    exact._value(two)
    met = np.broadcast_to(two.crowd[:-1, None, : two.game.cells] > 0, one.q.shape)
    np.testing.assert_allclose(one.q[met], two.q[met], atol=1e-12)


def test_boltzmann_iteration_at_the_temperature_of_the_game_finds_its_equilibrium():
    problem = fork(0.3)
    found = mfg.solve(problem, method=BoltzmannIteration(0.3, 0.3), tol=0.0, max_iterations=200, check="ignore")
    assert abs(found.relative_exploitability) < 1e-10
    other = mfg.solve(problem, tol=1e-12)
    np.testing.assert_allclose(found.dataset["density"], other.dataset["density"], atol=1e-9)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_many_agents_learn_a_discounted_game(temperature):
    problem = bar(0.3, temperature)
    learned = mfg.learn(problem, agents=300, episodes=300, rng=0)
    assert learned.relative_exploitability < 0.1 < float(learned.dataset["relative_exploitability"][0])
    assert learned.dataset.attrs["density_distance"] < 0.05
    assert learned.dataset.attrs["discount"] == 0.3


def test_sampled_mirror_descent_takes_costs_as_of_their_time():
    """It follows exact mirror descent, whose late steps do not slow down with the discount."""
    problem = fork(0.3)
    exact = mfg.solve(problem, method="mirror-descent", max_iterations=25, tol=0.0, check="ignore")
    plays = SampledMirrorDescent(agents=40, episodes=30)
    found = mfg.solve(problem, method=plays, max_iterations=25, tol=0.0, check="ignore")
    np.testing.assert_allclose(found.dataset["density"], exact.dataset["density"], atol=0.02)
    assert found.relative_exploitability < 0.02


def test_agents_learn_to_pay_late():
    """1 now or 1.6 two steps later: now without a rate, later at a rate of 1/2."""
    cost = np.zeros((3, 2, 3))
    cost[0, 0, 0], cost[2, :, 2] = 1.0, 1.6
    for rate, now in ((0.0, 1.0), (0.5, 0.0)):
        problem = mfg.Problem(
            grid=mfg.States(3), time=mfg.TimeGrid(3.0, 3, discount=rate), initial=np.array([1.0, 0, 0]), coupling=0.0,
            dynamics=mfg.Tabular([np.eye(3)[[1, 1, 2]], np.eye(3)[[2, 1, 2]]], cost=cost),
        )  # fmt: skip
        learned = mfg.learn(problem, agents=100, episodes=100, rng=0, reference=False)
        assert float(learned.dataset["policy"][0, 0, 0]) == pytest.approx(now, abs=0.1)
