"""Problems, solutions and environments go through pickle and copy and come back the same."""

from __future__ import annotations

import copy
import pickle
from dataclasses import astuple

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.games import make_game
from mfgsolve.identity import fingerprint
from mfgsolve.learners import SampledGame, to_gymnasium, to_pettingzoo
from mfgsolve.resolution import settle

SMALL = {"montreal": {"shape": (8, 8), "steps": 24}, "supply-demand": {"shape": (16, 16), "steps": 64}}


def there_and_back(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize("again", [there_and_back, copy.deepcopy])
@pytest.mark.parametrize("name", mfg.problems.names("game"))
def test_every_named_problem(name, again):
    problem = settle(mfg.problems.build(name, SMALL.get(name, {})))
    other = again(problem)
    assert fingerprint(other) == fingerprint(problem)
    assert (other.name, other.parameters) == (problem.name, problem.parameters)
    if problem.track is not None:
        np.testing.assert_array_equal(other.track(0.5), problem.track(0.5))


def test_late_charges_are_pickled_too():
    problem = mfg.problems.crowd_modelling(late=True)
    assert fingerprint(there_and_back(problem)) == fingerprint(problem)


@pytest.mark.parametrize("again", [there_and_back, copy.deepcopy])
@pytest.mark.parametrize(
    "make", [mfg.problems.beach_bar, lambda: mfg.problems.supply_demand(shape=(8, 8), steps=32, scheme="upwind")]
)
def test_a_solution(again, make):
    solution = mfg.solve(make(), check="ignore")
    other = again(solution)  # before anybody has asked for its dataset
    np.testing.assert_array_equal(astuple(other.certificate), astuple(solution.certificate))
    assert (other.status, other.iterations, other.sweeps) == (solution.status, solution.iterations, solution.sweeps)
    assert other.dataset.identical(solution.dataset)
    assert mfg.exploitability(other.problem, other).exploitability == pytest.approx(solution.exploitability, abs=1e-15)
    assert again(other).dataset.identical(solution.dataset)


def test_a_loaded_solution(tmp_path):
    mfg.solve(mfg.problems.left_right(), check="ignore").save(tmp_path / "plan.nc")
    loaded = mfg.load(tmp_path / "plan.nc")
    assert there_and_back(loaded).dataset.identical(loaded.dataset)


@pytest.mark.parametrize("again", [there_and_back, copy.deepcopy])
def test_games(again):
    hot = make_game(mfg.problems.beach_bar(temperature=0.1))
    paying = hot.with_costs(hot.step.own_cost + 1.0, 0.7)
    for game in (hot, paying, make_game(mfg.problems.supply_demand(shape=(8, 8), steps=16), threads=2)):
        other = again(game)
        price = game.price(game.resting_crowd(game.empty_crowd()))
        np.testing.assert_array_equal(other.respond(price.copy()).value, game.respond(price.copy()).value)


@pytest.mark.parametrize("again", [there_and_back, copy.deepcopy])
@pytest.mark.parametrize("crowd", [None, "live"])
def test_a_sampled_game_goes_on_with_the_same_numbers(again, crowd):
    problem = mfg.problems.crowd_modelling()
    game = make_game(problem)
    world = SampledGame(problem, agents=20, crowd=None if crowd else game.flow(game.step.uniform()), rng=3)
    world.reset()
    world.step(np.ones(20, dtype=int))
    other = again(world)
    one, two = (place.step(np.zeros(20, dtype=int)) for place in (world, other))
    np.testing.assert_array_equal(one.reward, two.reward)
    np.testing.assert_array_equal(one.next_state, two.next_state)


@pytest.mark.parametrize("again", [there_and_back, copy.deepcopy])
def test_environments_of_other_libraries_go_on_with_the_same_numbers(again):
    gymnasium = pytest.importorskip("gymnasium")
    pettingzoo = pytest.importorskip("pettingzoo")
    problem = mfg.problems.crowd_modelling()
    env = to_gymnasium(problem, rng=0)
    assert isinstance(env, gymnasium.Env)
    env.reset(seed=1)
    env.step(1)
    other = again(env)
    assert type(other) is type(env)
    for _ in range(4):
        one, two = env.step(2), other.step(2)
        np.testing.assert_array_equal(one[0], two[0])
        assert one[1:4] == two[1:4]
    many = to_pettingzoo(problem, 5, rng=0)
    assert isinstance(many, pettingzoo.ParallelEnv)
    many.reset(seed=1)
    moved = again(many)
    for _ in range(4):
        one, two = (world.step(dict.fromkeys(world.agents, 2)) for world in (many, moved))
        assert one[1] == two[1]
        assert all((one[0][name] == two[0][name]).all() for name in many.agents)
