"""Add a learner: four verbs, `Learner`; it sees states, rewards and its own actions, and the certificate judges it.

This one is myopic: it counts what each action earned at once, in each step and state, and takes the best.  In the
package it is a file of ``mfgsolve/learners/`` and a name in ``mfgsolve/learners/__init__.py``.
"""

import numpy as np

import mfgsolve as mfg
from mfgsolve.learners import Learner, SampledGame, train


class Myopic(Learner):
    def __init__(self, game):
        self.earned, self.tries = np.zeros((2, game.steps, game.step.actions, game.cells))

    def act(self, observation, field, rng):
        return rng.integers(self.earned.shape[1], size=observation.state.size)

    def observe(self, transition):
        entry = transition.step, transition.action, transition.state
        np.add.at(self.earned, entry, transition.reward)
        np.add.at(self.tries, entry, 1)

    def update(self, rng):
        """Counts are all that is learned."""

    def policy(self, game, field=None):  # probabilities (steps, actions, states)
        best = np.where(self.tries, self.earned / np.maximum(self.tries, 1), -np.inf).argmax(axis=1)
        return np.eye(game.step.actions)[best].swapaxes(1, 2)


problem = mfg.problems.beach_bar(shape=(10,), steps=4)
world = SampledGame(problem, agents=200, rng=0)  # the crowd is that of the agents themselves
learner = Myopic(world.game)
train(learner, world, episodes=20)
policy = learner.policy(world.game)
untrained = mfg.exploitability(problem, np.full_like(policy, 1 / world.game.step.actions))
assert np.array_equal(policy.sum(axis=1), np.ones((4, 10)))
assert 0 < mfg.exploitability(problem, policy).exploitability != untrained.exploitability
