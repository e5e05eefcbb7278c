"""Learners and their worlds are pickled under way and go on bit for bit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.learners import GMFQ, MLP, Mguni, QLearner, SampledGame, train
from mfgsolve.parts.exploration import Boltzmann, EpsilonGreedy
from mfgsolve.parts.replay import Replay
from mfgsolve.parts.schedules import Harmonic

BAR = mfg.problems.beach_bar(shape=(6,), steps=4)


def features(step, state):
    return np.stack([step / 4, np.cos(state), np.sin(state)], axis=1)


def tabular(game):
    return QLearner(game, EpsilonGreedy(0.3), Harmonic(0.7))


def network(game):
    made = MLP((3, 8, 3), np.random.default_rng(0))
    return QLearner(game, Boltzmann(2.0), 0.05, function=made, features=features, replay=Replay(500), batch=16)


@pytest.mark.parametrize("make", [tabular, network])
def test_learning_goes_on_bit_for_bit(make):
    world = SampledGame(BAR, agents=20, rng=5)
    learner = make(world.game)
    train(learner, world, 3)
    learner_again, world_again = pickle.loads(pickle.dumps((learner, world)))
    for one, where in ((learner, world), (learner_again, world_again)):
        train(one, where, 3)
    np.testing.assert_array_equal(learner.policy(), learner_again.policy())
    assert world.rng.bit_generator.state == world_again.rng.bit_generator.state


@pytest.mark.parametrize("learner", [Mguni(agents=20, episodes=10), GMFQ(agents=5, episodes=20)])
def test_named_learners_and_what_they_learned(learner):
    again = pickle.loads(pickle.dumps(learner))
    assert again == learner
    one, other = (mfg.learn(BAR, each, reference=False) for each in (learner, again))
    kept = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(kept.dataset["policy"], other.dataset["policy"])
    assert kept.learning.agents == one.learning.agents
