"""Environments without their libraries: one agent against a frozen crowd, and agents who are the crowd."""

from types import SimpleNamespace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.learners.environments.episodes import Crowd, OneAgent

SPACES = SimpleNamespace(MultiDiscrete=lambda sizes: ("many", *sizes), Discrete=lambda size: ("one", size))


class Base:
    def reset(self, *, seed=None, options=None):
        self.seeded = seed


class Single(OneAgent, Base):
    """With a base class, as libraries give it one."""


@pytest.fixture(scope="module")
def game():
    """Two places crowded at cost m per time, two steps of 1; to go costs 0.5, and the second place 2 at the end."""
    dynamics = mfg.Tabular(
        (np.eye(2), np.eye(2)[::-1]), cost=[[0.0, 0.0], [0.5, 0.5]], allowed=[[True, True], [True, False]]
    )
    return make_game(
        mfg.Problem(
            mfg.States(2),
            mfg.TimeGrid(2.0, 2),
            dynamics,
            mfg.CrowdAversion(),
            np.array([1.0, 0.0]),
            terminal=np.array([0.0, 2.0]),
        )
    )


@pytest.fixture
def single(game):
    crowd = np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
    return Single(game, crowd, game.price(crowd), 0, SPACES, 0)


def test_an_agent_pays_for_its_choice_the_crowd_and_the_end(single):
    with pytest.raises(mfg.InputError, match="call reset"):
        single.step(0)
    seen, info = single.reset(seed=3)
    assert single.seeded == 3
    np.testing.assert_array_equal(seen, [0, 0])
    np.testing.assert_array_equal(info["action_mask"], [1, 1])
    seen, reward, done, cut, info = single.step(1)
    np.testing.assert_array_equal(seen, [1, 1])
    assert (reward, done, cut) == (-1.5, False, False)  # to go, and a crowd of 1
    np.testing.assert_array_equal(info["action_mask"], [1, 0])
    with pytest.raises(mfg.InputError, match="action 1 is not allowed in state 1 at step 1"):
        single.step(1)
    _, reward, done, _, _ = single.step(0)
    assert (reward, done) == (-2.75, True)  # a crowd of 3/4, and the end
    assert single.observation_space == ("many", 3, 2)
    assert single.action_space == ("one", 2)


@pytest.mark.parametrize("action", [2, -1, 0.0, [0, 1], "go"])
def test_what_is_no_action(single, action):
    single.reset()
    with pytest.raises(mfg.InputError, match="a whole number from 0 to 1 is needed"):
        single.step(action)


def test_an_allowed_action_is_drawn_in_place_of_a_forbidden_one_alone(game):
    crowd = np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
    single = Single(game, crowd, game.price(crowd), 0, SPACES, 0, draws=True)
    for action in (0, 1) * 10:  # both are allowed, and none is drawn
        single.reset()
        assert single.step(action)[-1]["action"] == action
    for action in (-1, 2, 0.5, "a", [0, 1]):
        with pytest.raises(mfg.InputError, match="a whole number from 0 to 1 is needed"):
            single.step(action)
    *_, info = single.step(np.array([1]))
    assert info["action"] == 0


def test_agents_pay_for_the_crowd_that_they_are(game):
    """Four agents, one of which goes: the crowd is 1, then 3/4 and 1/4."""
    world = Crowd(game, np.array([4]), SPACES, 0)
    assert world.possible_agents == [f"agent_{i}" for i in range(4)]
    assert world.step({}) == ({}, {}, {}, {}, {})
    world.reset(seed=1)
    np.testing.assert_array_equal(world.mass, [1.0, 0.0])
    with pytest.raises(mfg.InputError, match="actions of 4 agents are missing, 'agent_0' first"):
        world.step({})
    chosen = dict.fromkeys(world.agents, 0) | {"agent_2": 1}
    seen, reward, ended, _, infos = world.step(chosen)
    assert reward == {"agent_0": -1.0, "agent_1": -1.0, "agent_2": -1.5, "agent_3": -1.0}
    np.testing.assert_array_equal(world.mass, [0.75, 0.25])
    np.testing.assert_array_equal(seen["agent_2"], [1, 1])
    assert not any(ended.values())
    np.testing.assert_array_equal(infos["agent_2"]["action_mask"], [1, 0])
    _, reward, ended, _, _ = world.step(dict.fromkeys(world.agents, 0))
    assert reward == {"agent_0": -0.75, "agent_1": -0.75, "agent_2": -2.25, "agent_3": -0.75}
    assert all(ended.values())
    assert world.agents == []
    assert world.observation_space("agent_0") is world.observation_space("agent_3")
