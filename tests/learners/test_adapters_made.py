"""Named games as environments of Gymnasium: made by their ids, checked by its own checker, pickled under way."""

from __future__ import annotations

import pickle
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.learners import to_gymnasium
from mfgsolve.methods import ENVIRONMENTS, register_environments

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def known():
    register_environments()
    register_environments()  # twice is once


def test_all_named_games_with_a_list_of_actions_are_there():
    made = {name: mfg.problems.build(name) for name in mfg.problems.names("game")}
    finite = [name for name, problem in made.items() if problem.is_finite]
    finite = [name for name in finite if not made[name].time.is_stationary and made[name].scenarios is None]
    assert list(ENVIRONMENTS) == finite  # episodes end


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_checker_of_gymnasium_has_nothing_to_say(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(f"mfgsolve/{name}-v0").unwrapped, skip_render_check=True)


def test_gymnasium_finds_them_by_the_entry_point_of_the_package():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    stated = tomllib.loads(text)["project"]["entry-points"]["gymnasium.envs"]
    assert stated == {"mfgsolve": "mfgsolve.methods:register_environments"}
    assert f"{register_environments.__module__}:{register_environments.__name__}" == stated["mfgsolve"]


def test_parameters_of_the_game_and_of_the_environment_are_taken():
    env = gymnasium.make("mfgsolve/beach-bar-v0", shape=(6,), steps=5, noise=0.0)
    plain = to_gymnasium(mfg.problems.beach_bar(shape=(6,), steps=5, noise=0.0))
    for each in (env, plain):
        each.reset(seed=3)
    for _ in range(5):
        one, other = env.step(2), plain.step(2)
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:3] == other[1:3]
    with pytest.raises(mfg.InputError, match="did you mean 'noise'"):
        gymnasium.make("mfgsolve/beach-bar-v0", noize=0.0)
    pursuit = gymnasium.make("mfgsolve/predator-prey-v0", population=mfg.problems.predator_prey().grid.names[2])
    assert pursuit.unwrapped.population == 2


def test_a_forbidden_action_is_refused_or_another_one_drawn():
    braess = mfg.problems.braess()
    refusing = to_gymnasium(braess)
    drawing = to_gymnasium(braess, forbidden="draw", rng=0)
    for env in (refusing, drawing):
        env.reset(seed=0)
        env.step(1)  # from A to the way to C, where there is no turn
    with pytest.raises(mfg.InputError, match="action 1 is not allowed"):
        refusing.step(1)
    *_, info = drawing.step(1)
    assert info["action"] == 0
    with pytest.raises(mfg.InputError, match="a whole number from 0 to 1"):
        drawing.step(7)
    with pytest.raises(mfg.InputError, match="unknown value of forbidden 'skip'"):
        to_gymnasium(braess, forbidden="skip")


def test_an_environment_is_pickled_under_way():
    env = gymnasium.make("mfgsolve/beach-bar-v0", shape=(6,), steps=5).unwrapped
    env.reset(seed=1)
    env.step(0)
    again = pickle.loads(pickle.dumps(env))
    for _ in range(4):
        one, other = env.step(1), again.step(1)
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:3] == other[1:3]
