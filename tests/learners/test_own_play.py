"""Learners of one's own by the door of learn: a function, an agent of Gymnasium's kind, a Learner or its class."""

from __future__ import annotations

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners import QLearner, policy_from
from mfgsolve.learners import own_play as module
from mfgsolve.learners.own_play import DRAWS, GymnasiumAgent, OwnPlay, is_learner
from mfgsolve.learners.protocol import Learner
from mfgsolve.parts.exploration import EpsilonGreedy

BAR = mfg.problems.beach_bar(shape=(6,), steps=4)


class Table:
    """Q-learning as tutorials of Gymnasium write it."""

    def __init__(self, explore=0.3, seed=0):
        self.q, self.tries = np.zeros((2, 5, 6, 3))
        self.explore, self.rng, self.told = explore, np.random.default_rng(seed), []

    def get_action(self, observation):
        if self.rng.random() < self.explore:
            return int(self.rng.integers(3))
        return int(self.q[tuple(observation)].argmax())

    def update(self, observation, action, reward, terminated, next_observation):
        self.told.append((tuple(observation), action, reward, terminated, tuple(next_observation)))
        entry = (*observation, action)
        self.tries[entry] += 1
        after = 0.0 if terminated else self.q[tuple(next_observation)].max()
        self.q[entry] += (reward + after - self.q[entry]) / self.tries[entry] ** 0.7


def learned(learner, **options):
    return mfg.learn(BAR, learner, reference=False, **options)


def test_a_function_is_a_policy_that_is_judged_as_it_is():
    solution = learned(lambda observation: 1)
    exact = mfg.exploitability(BAR, policy_from(lambda step, cell: 1, BAR))
    assert solution.exploitability == pytest.approx(exact.exploitability, abs=1e-14)
    assert (solution.status.value, solution.iterations) == ("finished", 1)


def test_an_agent_learns_and_is_told_what_happened():
    agent = Table()
    solution = learned(agent, agents=8, episodes=240, block=40, rng=3)
    gaps = solution.dataset["relative_exploitability"].values
    assert solution.iterations == 6
    assert gaps[-1] < 0.25 * gaps[0]
    assert solution.learning.episodes.tolist() == [0, 40, 80, 120, 160, 200, 240]
    assert len(agent.told) == 8 * 240 * 4
    assert all(after[0] == before[0] + 1 for before, *_, after in agent.told[:100])
    assert [end for *_, end, _ in agent.told[: 8 * 4]] == [False] * 24 + [True] * 8
    again = learned(Table(), agents=8, episodes=240, block=40, rng=3)
    np.testing.assert_array_equal(again.dataset["density"], solution.dataset["density"])


def test_coins_that_an_agent_tosses_are_counted():
    coins = np.random.default_rng(0)
    agent = GymnasiumAgent(lambda observation: int(coins.integers(3)), make_game(BAR))
    table = agent.policy(make_game(BAR))
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert abs(table.mean(axis=(0, 2)) - 1 / 3).max() < 0.1
    assert np.isin(np.rint(table * DRAWS), np.arange(DRAWS + 1)).all()


def test_predict_is_asked_to_be_deterministic():
    class Model:
        def predict(self, observation, deterministic=False):
            assert deterministic
            return np.array(2), None

    assert learned(Model()).exploitability == pytest.approx(
        mfg.exploitability(BAR, policy_from(lambda step, cell: 2, BAR)).exploitability, abs=1e-14
    )

    class Plain:
        def predict(self, observation):
            return np.array([2])

    assert learned(Plain()).exploitability == learned(Model()).exploitability


def test_how_predict_is_called_is_looked_up_once(monkeypatch):
    asked, signature = [], module.inspect.signature
    monkeypatch.setattr(module.inspect, "signature", lambda function: asked.append(function) or signature(function))

    class Model:
        def predict(self, observation, deterministic=False):
            return 2 if deterministic else 0

    agent = GymnasiumAgent(Model(), make_game(BAR))
    assert {agent.choose(step, cell) for step in range(4) for cell in range(6)} == {2}
    assert len(asked) == 1
    assert not hasattr(agent, "_seen")


def test_predict_that_cannot_be_deterministic_is_asked_as_often_as_others():
    class Coins:
        rng = np.random.default_rng(1)

        def predict(self, observation):
            return int(self.rng.integers(3))

    table = GymnasiumAgent(Coins(), make_game(BAR)).policy(make_game(BAR))
    assert abs(table.mean(axis=(0, 2)) - 1 / 3).max() < 0.1
    assert (table.max(axis=1) < 1).mean() > 0.9  # more than one draw in a place
    native = type("Native", (), {"predict": {(0, 0): 1}.get})  # of C: no signature to look at
    with pytest.raises(TypeError):
        GymnasiumAgent(native(), make_game(BAR)).choose(0, 0)


def test_a_learner_of_the_protocol_and_its_class():
    ready = learned(QLearner(make_game(BAR), EpsilonGreedy(0.5)), agents=50, episodes=200)

    class Own(QLearner):
        def __init__(self, game):
            super().__init__(game, EpsilonGreedy(0.5))

    made = learned(Own, agents=50, episodes=200)
    for solution in (ready, made):
        assert solution.relative_exploitability < 0.3
        assert solution.dataset.attrs["agents"] == 50


def test_agents_may_be_told_by_the_name_of_a_problem():
    solution = mfg.learn("beach-bar", lambda observation: 1, reference=False, shape=(6,), steps=4, noise=0.2)
    assert solution.problem.parameters["noise"] == 0.2


class Deaf:
    def act(self, observation):
        return 1

    def update(self, reward):
        """Takes too little."""


@pytest.mark.parametrize(
    ("learner", "options", "sentence"),
    [
        (lambda observation: 3, {}, "answer of the agent function is 3 at step 0 in cell .; .* 0 to 2, is needed"),
        (lambda observation: 0.5, {}, "is 0.5"),
        (lambda: 1, {}, "is called as f"),
        (Deaf(), {}, "update of the agent Deaf is called as update"),
        (lambda observation: 1, {"block": 0}, "block of the learner is 0"),
        (lambda observation: 1, {"episodes": 0}, "episodes is 0"),
        (lambda observation: 1, {"episode": 10}, "did you mean 'episodes'"),
        (lambda observation: 1, {"checkpoint": "half.nc"}, "cannot be kept in a checkpoint.* pickle the learner"),
        (object(), {}, "learner is a object; a name, .* or an agent that chooses by predict"),
    ],
)
def test_what_does_not_fit_is_told(learner, options, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        learned(learner, **options)


def test_one_population_alone_and_no_forbidden_actions():
    with pytest.raises(mfg.InputError, match="sees one population, and 'predator-prey' has 3"):
        mfg.learn("predator-prey", lambda observation: 0, reference=False)
    with pytest.raises(mfg.InputError, match="not allowed"):
        mfg.learn("braess", lambda observation: 1, reference=False)


def test_what_is_a_learner():
    assert is_learner(Table())
    assert is_learner(len)
    assert is_learner(QLearner)
    assert not is_learner(dict)
    assert not is_learner(3)
    assert issubclass(GymnasiumAgent, Learner)
    assert OwnPlay.learns
