"""A finite game as its agents meet it: rewards are its costs, and wrong calls are told."""

import math

import numpy as np
import pytest
from finite_games import cost_of

import mfgsolve as mfg
from mfgsolve.learners import (
    MLP,
    EpsilonGreedy,
    Learner,
    QLearner,
    SampledGame,
    train,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_rewards_of_the_environment_are_the_costs_of_the_game(beach):
    """The mean reward of agents that follow a policy is minus its exact value, frozen and live."""
    problem, game, crowd, _ = beach

    class Uniform(Learner):
        def act(self, observation, field, rng):
            return rng.integers(game.step.actions, size=observation.state.size)

        def observe(self, transition):
            pass

        def update(self, rng):
            pass

        def policy(self, game, field=None):
            return game.step.uniform()

    uniform = Uniform()
    frozen = [train(uniform, SampledGame(problem, 4000, crowd, seed), 1) for seed in range(5)]
    assert abs(np.mean(frozen) + cost_of(game.step.uniform(), game, crowd)) < 0.1
    exact = mfg.nash_gap(problem, [50], policy=game.step.uniform().reshape(game.steps, game.step.actions, 8))
    live = [train(uniform, SampledGame(problem, 50, None, seed), 1) for seed in range(200)]
    assert abs(np.mean(live) + float(exact.cost[0])) < 4 * np.std(live) / math.sqrt(200)


def test_bad_use_of_the_environment(beach):
    problem, game, crowd, _ = beach
    world = SampledGame(problem, 3, rng=0)
    with pytest.raises(mfg.InputError, match="call reset"):
        world.step(np.zeros(3, dtype=int))
    world.reset()
    with pytest.raises(mfg.InputError, match="whole numbers"):
        world.step(np.zeros(2, dtype=int))
    with pytest.raises(mfg.InputError, match="agent 1 takes action 7"):
        world.step(np.array([0, 7, 0]))
    with pytest.raises(mfg.InputError, match="crowd has shape"):
        SampledGame(problem, 3, crowd[:2])
    with pytest.raises(mfg.InputError, match="agents is 0"):
        SampledGame(problem, 0)
    with pytest.raises(mfg.InputError, match="unknown value target 'mix'"):
        QLearner(game, EpsilonGreedy(0.1), target="mix")
    with pytest.raises(mfg.InputError, match="needs features"):
        QLearner(game, EpsilonGreedy(0.1), function=MLP((2, 3), np.random.default_rng(0)))
