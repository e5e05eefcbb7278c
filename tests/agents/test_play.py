"""What everybody does: the plan of a solution or a policy in its game, and how many agents there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.agents.play import agent_list, agent_numbers, play_of, stated_problem

SWAP = np.eye(2)[::-1]


def problem(populations: int = 1) -> mfg.Problem:
    places = mfg.States(2)
    return mfg.Problem(
        grid=places if populations == 1 else mfg.Populations(["red", "blue"], places), time=mfg.TimeGrid(2, 2),
        dynamics=[mfg.Tabular([np.eye(2), SWAP])] * populations, coupling=mfg.CrowdAversion(1.0),
        initial=np.array([0.75, 0.25]) if populations == 1 else np.array([[0.75, 0.25], [0.0, 1.0]]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> mfg.Solution:
    return mfg.solve(problem(), method="fictitious-play", max_iterations=1, check="ignore")


def test_the_crowd_is_the_flow_of_what_everybody_does(plan):
    always = np.zeros((2, 2, 2))
    always[:, 1] = 1.0
    for of, policy in ((problem(), always), (plan, always)):
        played = play_of(of, policy)
        np.testing.assert_array_equal(played.crowd[:, :2], [[0.75, 0.25], [0.25, 0.75], [0.75, 0.25]])
        assert played.multiplier is None
        assert played.populations == ()
    np.testing.assert_allclose(play_of(plan).crowd[:, :2], plan.dataset["density"], atol=1e-15)
    assert play_of(problem(2), np.full((2, 2, 2, 2), 0.5)).populations == ("red", "blue")


def test_a_plan_from_a_file_needs_the_problem_that_it_could_not_keep(plan, tmp_path):
    assert stated_problem(plan) is plan.problem
    loaded = mfg.load(plan.save(tmp_path / "plan.nc"))
    with pytest.raises(mfg.InputError, match="made of Python functions, which its file could not keep; state it again"):
        play_of(loaded)
    np.testing.assert_array_equal(play_of(loaded, problem=problem()).crowd, play_of(plan).crowd)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("plan.nc",), "the plan is a str; a Solution is needed"),
        ((problem(),), "a problem alone says nothing of what agents do"),
        ((problem(), None, problem()), "the plan is a problem already; leave problem= out"),
        ((problem(), None, "game"), "problem is a str; a Problem is needed"),
    ],
)
def test_what_is_no_plan(arguments, sentence):
    with pytest.raises(mfg.InputError, match=sentence):
        play_of(*arguments)


def test_numbers_of_agents(plan):
    one, two = play_of(plan), play_of(problem(2), np.full((2, 2, 2, 2), 0.5))
    assert agent_numbers(7, one).tolist() == [7]
    assert agent_numbers(7.0, two).tolist() == [7, 7]
    assert agent_numbers({"blue": 2, "red": 3}, two).tolist() == [3, 2]
    for given, play, sentence in (
        ({"red": 3}, two, r"agents of the populations \['blue'\] are missing"),
        ({"red": 3, "bleu": 2}, two, "unknown population 'bleu'; did you mean 'blue'"),
        ({"red": 3}, one, "the game has a single one: give a number"),
        (0, one, r"agents is 0; a whole number from 1 to 1e\+12"),
        (2.5, one, "agents is 2.5; a whole number"),
        (True, one, "agents is True; a whole number"),
        (10**13, two, "agents is 10000000000000; a whole number from 1"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            agent_numbers(given, play)


def test_lists_of_numbers():
    assert agent_list(5) == [5]
    assert agent_list(np.array([1, 100])) == agent_list((1, 100.0)) == [1, 100]
    for given, sentence in (
        ([], "agents is an empty list"),
        ("10", "agents is '10'; a number or a list"),
        ([1, "2"], "is '2'"),
    ):
        with pytest.raises(mfg.InputError, match=sentence):
            agent_list(given)


def test_a_problem_that_is_not_the_game_of_the_plan_is_refused(plan, tmp_path):
    loaded, game = mfg.load(plan.save(tmp_path / "plan.nc")), problem()
    slippery = mfg.Tabular([np.eye(2), 0.5 * SWAP + 0.5 * np.eye(2)])
    for other, says in (
        (replace(game, time=mfg.TimeGrid(2, 2, discount=0.1)), r"rate 0\.1, and the solution was made with 0;"),
        (replace(game, dynamics=slippery), r"not the game of the solution: .* play the plan in another one: \(problem"),
    ):
        with pytest.raises(mfg.InputError, match=says):
            play_of(loaded, problem=other)
        play_of(other, loaded)  # but it can be played there


def test_agents_who_left_are_no_sign_of_another_game(tmp_path):
    plan = mfg.solve(mfg.problems.evacuation(shape=(22, 32)), tol=1e-6, check="ignore")
    read = mfg.load(plan.save(tmp_path / "plan.nc"))
    play = play_of(read, problem=stated_problem(read))
    assert play.game.mass(play.crowd)[-1][play.game.grid.exits.cells].sum() > 0.9  # so many of them, and all are gone
    with pytest.raises(mfg.InputError, match="not the game of the solution: its agents follow the plan to other"):
        play_of(read, problem=mfg.problems.evacuation(shape=(22, 32), viscosity=0.1))
